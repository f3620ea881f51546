// The bar below the list: what was done last with its way back, and what can be done with what is selected.

import { $, el } from "./dom.js";
import { count, t } from "./i18n.js";

const KEYS = { assign: "a", take: "m", weigh: "s", decline: "d", comment: "c", confirm: "y" };

/** Show the steps for so many selected lines; none hides them. `act(name)` takes one, `clear()` selects nothing. */
export function showSteps(n, names, { act, clear }) {
  $("steps").hidden = !n;
  $("steps").replaceChildren(
    el("b", {}, count("queue.picked", n)),
    ...names.map((name) => button(t(`queue.step.${name}`), KEYS[name], () => act(name))),
    button(t("queue.clear"), "Esc", clear, "quiet"),
  );
  settle();
}

/** Say what was done: which lines were not, and why; `back()` is the way back, `never` says that there cannot be one. */
export function tellOutcome(words, { failed, never, back }) {
  $("told").hidden = false;
  $("told").replaceChildren(...[
    el("p", {}, el("b", {}, words), never && " ", never && el("span", { class: "soft" }, t("queue.undo.never")), back && button(t("queue.undo"), "u", back, "primary")),
    failed.length > 0 && el("div", { class: "failed" },
      el("p", {}, count("queue.failed", failed.length)),
      el("ul", {}, ...failed.map(({ line, why }) => el("li", {}, el("span", { lang: line.language }, line.title), `: ${why}`)))),
  ].filter(Boolean));
  settle();
}

/** Nothing was done yet. */
export function hideTold() {
  $("told").hidden = true;
  $("told").replaceChildren();
  settle();
}

function button(words, key, click, look = "") {
  return el("button", { type: "button", class: look, on: { click } }, words, " ", el("kbd", { "aria-hidden": "true" }, key));
}

/** What has the focus is never behind the bar. */
function settle() {
  $("dock").hidden = $("steps").hidden && $("told").hidden;
  document.documentElement.style.scrollPaddingBottom = `${$("dock").offsetHeight + 8}px`;
}
