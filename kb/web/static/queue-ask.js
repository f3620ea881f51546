// The dialogs of the queue: to whom, how bad, why, and whether one is sure. Each gives what was said, or null.

import { fixers } from "./colleagues.js";
import { $, el } from "./dom.js";
import { current, t } from "./i18n.js";
import { signedIn } from "./session.js";

let answer = null; // what the open dialog will have said

/** Open a dialog. It closes with what `said()` gives when its form is sent, and with null otherwise. */
function open(id, said) {
  const dialog = $(id);
  answer = null;
  dialog.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    const given = said();
    if (given === undefined) return;
    answer = given;
    dialog.close();
  };
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(answer), { once: true }));
}

/** Who is to have it: `{ id, name }`, with `id` null for nobody. */
export function askWhom(words) {
  $("whom-title").textContent = words;
  $("whom").value = "";
  $("whom-error").textContent = "";
  offer();
  const asked = open("assigning", () => {
    const found = offered[active];
    if (!found) $("whom-error").textContent = t("queue.assign.unknown");
    return found;
  });
  $("whom").focus();
  return asked;
}

let offered = [];
let active = 0;

/** Oneself first, then those who may fix, by name, then nobody; what is typed narrows that. */
function offer() {
  const me = signedIn();
  const others = fixers().filter((each) => each.id !== me.id).sort((a, b) => a.name.localeCompare(b.name, current()));
  const everybody = [{ id: me.id, name: me.name, note: t("queue.you") }, ...others, { id: null, name: t("queue.nobody") }];
  const typed = $("whom").value.trim().toLocaleLowerCase();
  offered = everybody.filter((each) => each.name.toLocaleLowerCase().includes(typed));
  $("people").replaceChildren(...offered.map((each, n) =>
    el("li", { id: `person-${n}`, role: "option" }, el("span", {}, each.name), each.note && el("span", { class: "soft small" }, each.note))));
  activate(0);
}

function activate(n) {
  active = Math.min(Math.max(n, 0), Math.max(offered.length - 1, 0));
  [...$("people").children].forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
  const option = $("people").children[active];
  if (!option) return $("whom").removeAttribute("aria-activedescendant");
  $("whom").setAttribute("aria-activedescendant", option.id);
  return option.scrollIntoView({ block: "nearest" });
}

$("whom").addEventListener("input", () => { $("whom-error").textContent = ""; offer(); });
$("whom").addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by || event.isComposing) return;
  event.preventDefault();
  activate(active + by);
});
$("people").addEventListener("click", ({ target }) => {
  const option = target.closest("[role=option]");
  if (!option) return;
  activate([...$("people").children].indexOf(option));
  $("assigning").querySelector("form").requestSubmit();
});

/** A reason or a comment of at most so many characters. `help` says who will read it. */
export function askText(title, help, button, most = 2000) {
  $("saying-title").textContent = title;
  $("saying-help").textContent = help;
  $("saying-do").textContent = button;
  $("text").value = "";
  $("text").maxLength = most;
  $("text-error").textContent = "";
  $("text").removeAttribute("aria-invalid");
  const asked = open("saying", () => {
    const text = $("text").value.trim();
    if (text) return text;
    $("text-error").textContent = t("queue.text.missing");
    $("text").setAttribute("aria-invalid", "true");
    $("text").focus();
    return undefined;
  });
  $("text").focus();
  return asked;
}

$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) $("saying").querySelector("form").requestSubmit();
});

/** How bad it is, from what it is now. */
export function askSeverity(words, now) {
  $("weighing-title").textContent = words;
  const choices = [...$("weighing").querySelectorAll("[name=severity]")];
  for (const each of choices) each.checked = each.value === now;
  const asked = open("weighing", () => choices.find((each) => each.checked)?.value);
  (choices.find((each) => each.checked) ?? choices[1]).focus();
  return asked;
}

/** Whether one is sure of what cannot be undone. */
export function askSure(title, text, button) {
  $("sure-title").textContent = title;
  $("sure-text").textContent = text;
  $("sure-do").textContent = button;
  const asked = open("sure", () => true);
  $("sure-do").focus();
  return asked;
}

/** The keys, for who asks. */
export function showKeys(keys) {
  $("keys-list").replaceChildren(...keys.flatMap(([pressed, words]) => [
    el("dt", {}, ...pressed.flatMap((key, n) => [n > 0 && " ", el("kbd", {}, key)])),
    el("dd", {}, words),
  ]));
  $("keys").showModal();
}

for (const cancel of document.querySelectorAll("dialog [data-close]")) {
  cancel.addEventListener("click", () => cancel.closest("dialog").close());
}

/** Close whatever is open: somebody else is here. */
export function closeAll() {
  for (const id of ["assigning", "saying", "weighing", "sure", "keys"]) $(id).close();
}
