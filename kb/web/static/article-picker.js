// A field in which an article is chosen, by its number or by words. Words are asked like a draft's title is: it is no
// search of a customer, so it stays out of the log of searches.

import { api } from "./client.js";
import { el } from "./dom.js";
import { count, t } from "./i18n.js";
import { say } from "./page.js";
import { inWords } from "./article-words.js";

const NUMBER = /^\s*(?:kb)?[\s#-]*\d{3}[\s-]*\d{4}\s*$/i;
const MOST = 8;

/**
 * What is typed in `input` is looked up into `list` by `look()`; one that is chosen goes to `choose(number, title)`.
 * `but()` is the number that is no answer.
 */
export function picker(input, list, { choose, but = () => null }) {
  let request = null;

  async function look() {
    const text = input.value.trim();
    request?.abort();
    if (!text) return list.replaceChildren();
    if (NUMBER.test(text)) {
      list.replaceChildren();
      return choose(text, "");
    }
    request = new AbortController();
    const { signal } = request;
    say(t("loading"));
    try {
      const asked = { title: text, limit: MOST, ...(but() && { number: but() }) };
      const { found } = await api("drafts/similar", { method: "POST", body: asked, signal });
      draw(found.filter((each) => each.kind === "article"), text);
    } catch (error) {
      if (signal.aborted) return undefined;
      list.replaceChildren(el("p", { class: "mistake", role: "alert" }, inWords(error)));
    }
    return undefined;
  }

  function draw(found, text) {
    say(found.length ? count("results.count", found.length) : t("nothing.title", { query: text }));
    if (!found.length) return list.replaceChildren(el("p", { class: "soft" }, t("nothing.title", { query: text })));
    return list.replaceChildren(choices(found, choose, () => { list.replaceChildren(); input.value = ""; }));
  }

  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && list.childElementCount) { event.preventDefault(); list.replaceChildren(); }
  });
  return look;
}

/** Articles to choose from, as buttons. */
export function choices(found, choose, chosen = () => {}) {
  const line = (each) => {
    const pick = () => { chosen(); choose(each.number, each.title); };
    return el("li", {},
      el("button", { type: "button", class: "choice-line", on: { click: pick } },
        el("span", { class: "name" }, each.title), " ", el("span", { class: "soft small" }, each.number,
          each.reason ? ` · ${t(`art.near.${each.reason}`, {}, each.reason)}` : "")));
  };
  return el("ul", { class: "choices" }, ...found.map(line));
}
