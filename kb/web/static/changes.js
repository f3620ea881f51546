// What changed, word by word (Chinese by character): never by colour alone.

import { el } from "./dom.js";
import { count, t } from "./i18n.js";

const FAR = 240; // characters of unchanged text from which on its middle is folded away
const NEAR = 90; // of these stay on each side of a change

/** A difference as the API gives it, `[{ change, text }]`, as elements; `fold` leaves out long stretches that are the same. */
export function changes(steps, { fold = true } = {}) {
  return steps.flatMap((step, at) => {
    if (step.change === "insert") return [el("ins", {}, step.text)];
    if (step.change === "delete") return [el("del", {}, step.text)];
    if (!fold || step.text.length < FAR) return [step.text];
    const first = at === 0, last = at === steps.length - 1;
    if (first && last) return [step.text];
    const head = first ? "" : step.text.slice(0, NEAR);
    const tail = last ? "" : step.text.slice(-NEAR);
    return [head, left(step.text.slice(head.length, step.text.length - tail.length)), tail];
  });
}

/** What is left out, and how to see it. */
function left(text) {
  const button = el("button", { type: "button", class: "left-out", "aria-label": count("changes.left_out", text.length) }, "⋯");
  button.addEventListener("click", () => {
    const all = el("span", { tabIndex: -1 }, text); // so that the keyboard stays where it was
    button.replaceWith(all);
    all.focus();
  });
  return button;
}

/** Whether anything is different. */
export const changed = (steps) => steps.some((step) => step.change !== "equal");

/** A block that shows a difference, or says that there is none. */
export const changeBlock = (steps, lang) =>
  changed(steps)
    ? el("div", { class: "changes", lang }, ...changes(steps))
    : el("p", { class: "soft" }, t("changes.none"));
