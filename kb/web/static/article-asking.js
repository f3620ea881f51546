// One dialog that asks before something is changed: fields, a button, and what went wrong in words.

import { $ } from "./dom.js";
import { t } from "./i18n.js";
import { inWords } from "./article-words.js";

let opened = null; // what it asks now
let back = null; // where the focus was

/**
 * Ask. `submit()` changes something and returns whether it is done; what it throws is told in the dialog, which stays
 * open with everything that was written. `first` is the field to begin in.
 */
export function askFor({ title, action, fields, submit, first = null }) {
  opened = submit;
  back = document.activeElement;
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
      const done = await submit();
      if (done !== false && opened === submit) dialog.close();
    } catch (error) {
      askedWrong(error.code ? inWords(error) : t("error.title"));
      if (!error.code) throw error;
    } finally {
      $("asking-do").disabled = false;
    }
  });
  $("asking-cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { opened = null; if (back?.isConnected) back.focus(); });
}
