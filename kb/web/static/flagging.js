// The dialog that says what is wrong: a cause, a line, sent with Enter. What became of it stands where it was said.

import { here } from "./address.js";
import { api } from "./client.js";
import { $, el } from "./dom.js";
import { count, moment, t } from "./i18n.js";
import { say } from "./page.js";
import { troubleInWords } from "./states.js";

const CAUSES = ["wrong_article", "wrong_fact", "hard_to_use", "internal_shown", "better_way", "duplicate"];
const GAP = "nothing_answers";
const LONGEST = { quote: 1000, note: 2000 }; // characters that the API takes

/**
 * Ask what is wrong with an item, or what nothing answers (`item.cause`), and send it. What becomes of it is said in
 * `shown`, the part of the page that it is about.
 */
export function openFlag(item, shown) {
  const causes = item.cause ? [] : [...CAUSES, ...(item.query ? [GAP] : [])];
  const choices = causes.map((cause, n) => el("label", { class: "choice" },
    el("input", { type: "radio", name: "cause", value: cause, required: true, "aria-describedby": "flag-error" }),
    el("kbd", { "aria-hidden": "true" }, String(n + 1)), el("span", {}, t(`flag.cause.${cause}`))));
  const note = el("input", { id: "flag-note", type: "text", maxLength: LONGEST.note, autocomplete: "off", "aria-describedby": "flag-error" });
  const form = el("form", { noValidate: true, autocomplete: "off" },
    el("h2", { id: "flag-title" }, t(item.cause ? "flag.gap.title" : "flag.title")),
    el("p", { class: "about", lang: item.cause ? "" : item.language }, item.cause ? t("flag.gap.asked", item) : item.title),
    item.quote && el("blockquote", { lang: item.language }, item.quote),
    choices.length > 0 && el("fieldset", { class: "causes" }, el("legend", { class: "unseen" }, t("flag.title")), ...choices),
    el("label", { id: "flag-note-label", htmlFor: "flag-note" }, t(item.cause ? "flag.note.gap" : "flag.note")),
    note,
    !item.cause && el("label", { class: "choice" }, el("input", { id: "flag-severe", type: "checkbox" }), el("span", {}, t("flag.severe"))),
    el("p", { id: "flag-error", class: "mistake", role: "alert" }),
    el("div", { class: "row" },
      el("button", { type: "submit", class: "primary" }, t("flag.send")),
      el("button", { type: "button", class: "quiet", on: { click: () => dialog.close() } }, t("signin.cancel"))));
  const dialog = el("dialog", { id: "flag", "aria-labelledby": "flag-title", on: { close: () => dialog.remove() } }, form);
  form.addEventListener("change", () => noteFor(form));
  form.addEventListener("keydown", (event) => {
    if (event.target !== note && !event.ctrlKey && !event.metaKey && !event.altKey) pick(form, choices[event.key - 1], note, event);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(dialog, form, item, shown); });
  document.body.append(dialog);
  dialog.showModal();
  (choices[0]?.querySelector("input") ?? note).focus();
}

/** Nothing of what was being written is there for the next who reads. */
export const closeFlag = () => $("flag")?.close();

const chosen = (form) => form.querySelector("[name=cause]:checked")?.value;

/** A number key chooses, and the next thing typed is the note. */
function pick(form, choice, note, event) {
  if (!choice) return;
  event.preventDefault();
  choice.querySelector("input").checked = true;
  noteFor(form);
  note.focus();
}

function noteFor(form) {
  const cause = chosen(form);
  if (cause) $("flag-note-label").textContent = t(`flag.note.${cause}`, {}, t("flag.note"));
  for (const each of form.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  $("flag-error").textContent = "";
}

function refuse(field, message) {
  $("flag-error").textContent = message;
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

async function send(dialog, form, item, shown) {
  const cause = item.cause ?? chosen(form);
  const note = $("flag-note").value.trim();
  if (!cause) return refuse(form.querySelector("[name=cause]"), t("flag.needs_cause"));
  if (cause === "better_way" && !note) return refuse($("flag-note"), t("flag.needs_note"));
  if (form.dataset.sending) return undefined;
  form.dataset.sending = "yes";
  try {
    const body = { ...saidOf(item, cause), cause, note, severe: Boolean($("flag-severe")?.checked) };
    const flagged = await api("flags", { method: "POST", body });
    dialog.close();
    tell(shown, flagged);
  } catch (error) {
    if (dialog.open) $("flag-error").textContent = t(`flag.error.${error.code}`, {}, troubleInWords(error));
  } finally {
    delete form.dataset.sending;
  }
  return undefined;
}

/** What a flag is about. Something that nothing answers is about no item. */
function saidOf(item, cause) {
  const { query = "", search_id } = item;
  const led = { query, search_id, interaction_id: here().interaction || undefined };
  if (cause === GAP) return led;
  const { kind: item_kind, id: item_id, revision, ordinal, quote = "" } = item;
  return { ...led, item_kind, item_id, revision, ordinal, quote: quote.slice(0, LONGEST.quote) };
}

/** A quiet line: who else said so, when it is due, where to see it. */
function tell(shown, { again, case: found }) {
  const others = found.count - 1;
  const who = others ? count("flag.others", others) : again ? "" : t("flag.first");
  const told = t("flag.told", { done: t(again ? "flag.again" : "flag.done"), who, time: moment(found.due_at) });
  shown.querySelector(".flagged")?.remove();
  const link = el("a", { href: `/editor/case?${new URLSearchParams({ id: found.id })}` }, t("flag.see"));
  (shown.querySelector("header") ?? shown).append(el("p", { class: "flagged" }, told, " ", link));
  say(told);
}
