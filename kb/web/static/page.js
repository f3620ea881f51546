// What every page of staff does alike: the theme, the language, who is here, and what to tell them.

import { $, el } from "./dom.js";
import { current, speak, t } from "./i18n.js";
import { begin, corner, dialogWords, onChange } from "./session.js";
import { themeButton } from "./theme.js";

/** Tell those who listen; nothing moves on the page. */
export const say = (text) => { $("status").textContent = text; };

/** A line above the page's content, until the next one; nothing takes it away. */
export function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

/**
 * Begin a page that has `#status` and `#notice`. `load()` draws it for whoever is here and is asked again when that
 * changes; first `clear()` takes away what the one before was shown. `redraw()` says everything in another language.
 */
export async function startPage({ load, clear = () => {}, redraw = load }) {
  $("interface-language").addEventListener("change", async ({ target }) => {
    try {
      await speak(target.value);
    } catch {
      target.value = current();
      return say(t("error.title"));
    }
    themeButton();
    corner();
    dialogWords();
    return redraw();
  });
  themeButton();
  onChange(async (message, { lasting = false } = {}) => {
    clear();
    notice(lasting ? message : "");
    await load();
    say(message);
  });
  notice(await begin());
  await load();
}

/** What somebody sees who may not use a page: `key` names the messages. */
export function shut(person, key) {
  return el("div", { class: "state" },
    el("h2", {}, t(person ? `${key}.forbidden` : `${key}.sign_in`)),
    el("p", {}, t(`${key}.whom`)),
    !person && el("div", { class: "row" },
      el("button", { type: "button", class: "primary", on: { click: () => $("open-sign-in").click() } }, t("signin.open"))));
}
