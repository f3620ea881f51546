// The dialog that imports a CSV file: first what it would do, then, if that is meant, doing it.

import { importEntries } from "./client.js";
import { merged } from "./differences.js";
import { $ } from "./dom.js";
import { t } from "./i18n.js";

const LARGEST = 1_900_000; // bytes; the API takes no more
let imported = () => {};
let csv = "";

/** From now on `listener(message)` is called when a file has been imported. */
export const onImported = (listener) => { imported = listener; };

/** Open the dialog. */
export function importFile() {
  $("import-form").reset();
  forget();
  $("importing").showModal();
}

function forget() {
  csv = "";
  $("import").disabled = true;
  $("import-status").textContent = $("import-error").textContent = "";
}

async function tryOut(file) {
  forget();
  if (!file) return;
  if (file.size > LARGEST) return fail(t("dictionary.import.large"));
  try {
    csv = await file.text();
    $("import-status").textContent = merged(await importEntries({ csv, dry_run: true }));
    $("import").disabled = false;
  } catch (error) {
    fail(error.message || t("error.title"));
  }
}

async function run() {
  $("import").disabled = true;
  try {
    const done = await importEntries({ csv });
    $("importing").close();
    imported(t("dictionary.import.done", { what: merged(done) }));
  } catch (error) {
    fail(error.message || t("error.title"));
  }
}

const fail = (text) => { $("import-error").textContent = text; };

$("file").addEventListener("change", (event) => tryOut(event.target.files[0]));
$("import-form").addEventListener("submit", (event) => { event.preventDefault(); run(); });
$("import-cancel").addEventListener("click", () => $("importing").close());
