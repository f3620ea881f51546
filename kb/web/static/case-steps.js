// The one dialog of the case page: what a step still needs to know before it is taken.

import { Combobox } from "./combobox.js";
import { fixers } from "./colleagues.js";
import { $, el } from "./dom.js";
import { count, t } from "./i18n.js";
import { say } from "./page.js";
import { troubleInWords } from "./states.js";

const LONGEST = 2000; // characters that the API takes
const SEVERITIES = ["low", "normal", "severe"];

let send = null; // what the form does when it is sent
let opener = ""; // the key of the button that opened the dialog

/** Ask for `title` with these fields; `sending(choice)` may throw what the API refuses, which is said right here. */
function ask(name, fields, sending, { submit = true, focus }) {
  const title = name.replace(/\s*…$/, ""); // the button promises that something is asked; here it is
  send = sending;
  opener = document.activeElement?.dataset?.key ?? "";
  $("step-title").textContent = title;
  $("step-fields").replaceChildren(...fields);
  $("step-error").textContent = "";
  $("step-send").textContent = title;
  $("step-send").hidden = !submit;
  $("step").showModal();
  focus.focus();
}

async function sent(choice) {
  $("step-send").disabled = true;
  try {
    await send(choice);
    $("step").close();
  } catch (error) {
    $("step-error").textContent = error.message || troubleInWords(error);
  } finally {
    $("step-send").disabled = false;
  }
}

/** A reason in words. */
export function askWhy(title, help, sending) {
  const text = el("textarea", { id: "step-text", rows: 4, maxLength: LONGEST, "aria-describedby": "step-help step-error" });
  text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("step-form").requestSubmit(); });
  ask(title, [el("label", { htmlFor: "step-text" }, t("case.why")), text, el("p", { id: "step-help" }, help)], () => {
    const said = text.value.trim();
    if (said) return sending(said);
    text.focus();
    throw new Error(t("case.why.needed"));
  }, { focus: text });
}

/** How bad it is. */
export function askSeverity(present, sending) {
  const buttons = SEVERITIES.map((each) =>
    el("button", { type: "button", class: each === present ? "primary" : "", "aria-pressed": String(each === present), on: { click: () => sent(each) } }, t(`case.severity.${each}`)));
  ask(t("case.weigh"), [el("p", {}, t("case.weigh.help")), el("div", { class: "row choices" }, ...buttons)], sending,
    { submit: false, focus: buttons[SEVERITIES.indexOf(present)] });
}

/** Who is to work on it, or to own it: a field that offers everybody who can. */
export function askWho(sending) {
  const people = named(fixers());
  const input = el("input", { id: "step-who", type: "text", role: "combobox", autocomplete: "off", spellcheck: false,
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "step-people", "aria-describedby": "step-error" });
  const list = el("ul", { id: "step-people", role: "listbox", "aria-label": t("case.assign.people"), hidden: true });
  const owns = el("input", { id: "step-owns", type: "checkbox" });
  const find = (text) => [...people.keys()].filter((each) => each.toLocaleLowerCase().includes(text.toLocaleLowerCase()));
  new Combobox(input, list, {
    least: 0,
    ask: async (text) => find(text).map((each) => ({ text: each })),
    submit: () => {},
    announce: (n) => say(count("case.assign.found", n)),
    cleared: () => $("step").close(),
  });
  const whom = [el("label", { htmlFor: "step-who" }, t("case.assign.who")), el("div", { class: "picking" }, input, list),
    el("label", { class: "choice" }, owns, el("span", {}, t("case.assign.owns")))];
  ask(t("case.assign"), whom, () => {
    const typed = input.value.trim();
    const chosen = people.get(typed) ?? (find(typed).length === 1 && typed ? people.get(find(typed)[0]) : null);
    if (chosen) return sending({ person_id: chosen, owner: owns.checked });
    input.focus();
    throw new Error(t("case.assign.needed"));
  }, { focus: input });
}

/** Two who are called the same are told apart by their ids. */
function named(people) {
  const names = people.map((each) => each.name);
  return new Map(people.map(({ id, name }) => [names.filter((each) => each === name).length > 1 ? `${name} (${id.slice(0, 6)})` : name, id]));
}

/** Begin to listen: once, when the page begins. `goOn(key)` is where the focus goes when the dialog is left. */
export function listenForSteps(goOn) {
  $("step-form").addEventListener("submit", (event) => {
    event.preventDefault();
    sent();
  });
  $("step-cancel").addEventListener("click", () => $("step").close());
  // The button that opened it may have been drawn anew, or be gone.
  $("step").addEventListener("close", () => goOn(opener));
}
