// Single keys for what a page offers: an element with `data-key` is pressed (a field: focused) by that key, as long as
// nobody writes. `?` lists them.

import { $, el } from "./dom.js";
import { t } from "./i18n.js";

const WRITING = "input, textarea, select, [contenteditable]";

/** A button with its key shown on it. */
export const keyed = (key, label, press, props = {}) =>
  el("button", { type: "button", ...props, "data-key": key, "data-does": props["data-does"] ?? label, "aria-keyshortcuts": key, on: { click: press } },
    label, " ", cap(key));

/** How a key is drawn; the name of the button is its words alone. */
export const cap = (key) => el("kbd", { "aria-hidden": "true" }, key);

/** Whatever can be done by key here and now: where the focus is first. */
function offered() {
  const inside = document.activeElement?.closest("[data-keys]");
  const all = [...(inside?.querySelectorAll("[data-key]") ?? []), ...document.querySelectorAll("[data-key]")];
  return [...new Set(all)].filter((each) => each.checkVisibility() && (!each.closest("[data-keys]") || inside?.contains(each)));
}

/** Begin to listen; `more` are keys of the page itself, `{ key: [function, name of its message] }`. */
export function listenForKeys(more = {}) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest?.(WRITING) || document.querySelector("dialog[open]")) return;
    if (event.key === "Enter" && event.target.closest?.("a, button")) return; // it does what it says
    const act = event.key === "?" ? () => help(more) : (more[event.key]?.[0] ?? pressed(event.key));
    if (!act) return;
    event.preventDefault();
    act();
  });
  $("open-keys").addEventListener("click", () => help(more));
  $("keys-close").addEventListener("click", () => $("keys").close());
}

function pressed(key) {
  const found = offered().find((each) => each.dataset.key === key);
  return found && (() => {
    found.focus(); // whoever goes on by Tab goes on from there
    if (!found.matches(WRITING)) found.click();
  });
}

function help(more) {
  const named = [...Object.entries(more).map(([key, [, name]]) => [key, t(name)]), ...offered().map((each) => [each.dataset.key, each.dataset.does ?? (each.labels?.[0] ?? each.querySelector("[data-t]")).textContent])];
  $("keys-list").replaceChildren(...[...new Map(named)].flatMap(([key, does]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, does)]));
  $("keys").showModal();
}
