// One dialog for all that has to be answered before it goes on.

import { $, el } from "./dom.js";

/**
 * Ask, and return the `value` of one of the `answers` ([{ value, words, primary, disabled }]), or "" for Escape, which
 * `must` forbids. `content` stands above them.
 */
export function ask({ title, content = [], answers, must = false, wide = false }) {
  const dialog = $("ask");
  return new Promise((resolve) => {
    const close = (value) => { dialog.returnValue = value; dialog.close(value); };
    const buttons = answers.map(({ value, words, primary, disabled }) =>
      el("button", { type: "button", class: primary ? "primary" : "", disabled, value, on: { click: () => close(value) } }, words));
    dialog.className = wide ? "wide" : "";
    dialog.returnValue = "";
    $("ask-title").textContent = title;
    $("ask-content").replaceChildren(...content);
    $("ask-answers").replaceChildren(...buttons);
    const cancel = (event) => { if (must) event.preventDefault(); };
    dialog.addEventListener("cancel", cancel);
    dialog.addEventListener("close", () => {
      dialog.removeEventListener("cancel", cancel);
      resolve(dialog.returnValue);
    }, { once: true });
    dialog.showModal();
    (buttons.find((each) => each.classList.contains("primary") && !each.disabled) ?? buttons.at(-1)).focus();
  });
}
