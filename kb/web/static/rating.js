// What becomes of a rating: it is sent as an event, and after a No there is room for what was missing.

import { here } from "./address.js";
import { api } from "./client.js";
import { $, el } from "./dom.js";
import { current, t } from "./i18n.js";
import { say } from "./page.js";
import { signedIn } from "./session.js";

const CONTACT = "contact"; // the interaction of somebody whom we do not know, in this tab
const LONGEST = 500; // characters that the API takes

/** Send a rating, or what was missing. Who has said so already is not told off. */
export async function rate(item, kind, comment = "") {
  const { kind: item_kind, id: item_id, revision, ordinal, search_id, position } = item;
  const event = { kind, item_kind, item_id, revision, ordinal, search_id, position, comment };
  event.interaction_id = await contact();
  try {
    await api("events", { method: "POST", body: { events: [event] } });
  } catch (error) {
    if (error.status === 409) return;
    if (error.status === 404) sessionStorage.removeItem(CONTACT); // it may have been erased: the next try opens another
    throw error;
  }
}

/**
 * The interaction that a rating belongs to. A person has one voice with or without; of those whom we do not know each
 * tab is one, opened when there is something to say.
 */
async function contact() {
  const person = signedIn();
  if (person) return (person.rights.includes("trail") && here().interaction) || null;
  if (!sessionStorage.getItem(CONTACT)) {
    const opened = await api("interactions", { method: "POST", body: { channel: "self_help", language: current() } });
    sessionStorage.setItem(CONTACT, opened.id);
  }
  return sessionStorage.getItem(CONTACT);
}

/** Say thanks where the question was; the focus stays there. */
export function thank(place, ...more) {
  const thanks = el("p", { tabIndex: -1 }, t("helped.thanks"));
  place.replaceChildren(thanks, ...more);
  thanks.focus({ preventScroll: true });
  say(t("helped.thanks"));
}

/** After a No: one line, and a way on. The No itself has been heard. */
export function whatWasMissing(place, item) {
  const field = el("input", { id: "missing", type: "text", maxLength: LONGEST, autocomplete: "off" });
  const mistake = el("p", { class: "mistake", role: "alert" });
  const form = el("form", { class: "missing" },
    el("label", { htmlFor: "missing" }, t("helped.missing")),
    el("div", { class: "row" }, field,
      el("button", { type: "submit", class: "primary" }, t("helped.send")), again()),
    mistake);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const comment = field.value.trim();
    if (!comment) return field.focus();
    try {
      await rate(item, "not_helpful", comment);
      thank(place, again());
    } catch {
      mistake.textContent = t("helped.failed");
    }
    return undefined;
  });
  place.replaceChildren(form);
  field.focus();
}

const again = () =>
  el("button", { type: "button", on: { click: () => { $("query").focus(); $("query").select(); scrollTo(0, 0); } } }, t("helped.again"));
