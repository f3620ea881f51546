// Single keys, as long as no field has the focus and no dialog is open.

const TYPED = "input:not([type=checkbox]), textarea, select, [contenteditable]";

/** Call `keys[key](event)` for a key that is pressed; one that gives false is left to the browser. */
export function onKeys(keys) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (event.target.closest?.(TYPED) || document.querySelector("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (keys[key] && keys[key](event) !== false) event.preventDefault();
  });
}
