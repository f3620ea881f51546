// One dialog that asks before something is changed: fields, a button, and what went wrong in words.

import { $ } from "./dom.js";
import { t } from "./i18n.js";
import { inWords } from "./article-words.js";

let opened = null; // what it asks now

/**
 * Ask. `submit()` changes something and returns what to do once the dialog is closed, or null if it stays open; what it
 * throws is told there, with everything that was written. `first` is the field to begin in.
 */
export function askFor({ title, action, fields, submit, first = null }) {
  opened = submit;
  $("asking-title").textContent = title;
  $("asking-do").textContent = action;
  $("asking-error").textContent = "";
  $("asking-fields").replaceChildren(...fields);
  $("asking").showModal();
  (first ?? $("asking-fields").querySelector("input, select, textarea") ?? $("asking-do")).focus();
}

/** Say something in the open dialog. */
export const askedWrong = (text) => { $("asking-error").textContent = text; };

/** Close it, whatever was written: somebody else is here, or another article. */
export function closeAsking() {
  if ($("asking").open) $("asking").close();
  $("asking-fields").replaceChildren();
}

{
  const dialog = $("asking");
  $("asking-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const submit = opened;
    $("asking-error").textContent = "";
    $("asking-do").disabled = true;
    try {
      const then = await submit();
      if (!then || opened !== submit) return;
      dialog.close(); // gives the focus back; only then it can go elsewhere
      await then();
    } catch (error) {
      askedWrong(error.code ? inWords(error) : t("error.title"));
      if (!error.code) throw error;
    } finally {
      $("asking-do").disabled = false;
    }
  });
  $("asking-cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { opened = null; });
}
