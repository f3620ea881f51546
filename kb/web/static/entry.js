// The dialog in which an entry is written, tried out and saved.

import { addEntry, changeEntry, previewEntry, removeEntry } from "./client.js";
import { differences } from "./differences.js";
import { $, el } from "./dom.js";
import { t } from "./i18n.js";
import { signedIn } from "./session.js";

const AUDIENCES = ["public", "customer", "partner", "internal"];
let entry = null; // the one that is changed; null for a new one
let saved = () => {};
let looking = null;
let sure = false; // whether the next press deletes

/** From now on `listener(message, id)` is called when something was saved or deleted. */
export const onSaved = (listener) => { saved = listener; };

/** Open the dialog for an entry, or for a new one. */
export function editEntry(which) {
  entry = which;
  $("terms").value = (entry?.terms ?? []).join("\n");
  $("means").value = (entry?.means ?? []).join("\n");
  $(entry?.means.length ? "one-way" : "both-ways").checked = true;
  $("note").value = entry?.note ?? "";
  $("active").checked = entry?.active ?? true;
  entryWords();
  // Who may not read something cannot say what its words mean.
  $("audience").value = entry?.audience ?? "public";
  empty();
  direction();
  $("entry").showModal();
  $("terms").focus();
}

/** Draw the dialog's own words, again after a change of language. */
export function entryWords() {
  const chosen = $("audience").value;
  const known = AUDIENCES.slice(0, AUDIENCES.indexOf(signedIn()?.tier ?? "public") + 1);
  $("audience").replaceChildren(...known.map((each) => el("option", { value: each }, t(`dictionary.audience.${each}`))));
  $("audience").value = chosen;
  $("entry-title").textContent = t(entry ? "dictionary.edit.title" : "dictionary.new.title");
  $("delete").hidden = !entry;
  ask(false);
}

function ask(again) {
  sure = again;
  $("delete").textContent = t(sure ? "dictionary.delete.sure" : "dictionary.delete");
}

function empty() {
  looking?.abort();
  $("differences").replaceChildren();
  $("entry-error").textContent = "";
  for (const id of ["terms", "means", "audience", "note"]) $(id).removeAttribute("aria-invalid");
}

const direction = () => { $("meant").hidden = $("both-ways").checked; };
const forms = (id) => $(id).value.split("\n").map((each) => each.trim()).filter(Boolean);

function body() {
  return {
    terms: forms("terms"),
    means: $("one-way").checked ? forms("means") : [],
    audience: $("audience").value,
    active: $("active").checked,
    note: $("note").value.trim(),
  };
}

/** Do something with what is written; what is wrong with it is said where it is. */
async function attempt(button, action) {
  const written = body();
  empty();
  if (!written.terms.length) return wrong("terms", t("dictionary.needs_terms"));
  if ($("one-way").checked && !written.means.length) return wrong("means", t("dictionary.needs_means"));
  if ($("both-ways").checked && written.terms.length < 2) return wrong("terms", t("dictionary.needs_two"));
  button.disabled = true;
  try {
    return await action(written);
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    return wrong(error.field.split(".")[0], inWords(error));
  } finally {
    button.disabled = false;
  }
}

function wrong(field, message) {
  $("entry-error").textContent = message;
  const place = ["terms", "means", "audience", "note"].includes(field) ? $(field) : null;
  place?.setAttribute("aria-invalid", "true");
  place?.focus();
}

function inWords(error) {
  if (error.code === "too_many") return t("dictionary.busy");
  if (error.code === "not_found" || (error.code === "conflict" && entry)) return t("dictionary.conflict");
  const own = { offline: "offline.title", slow: "error.slow", unreachable: "error.unreachable", conflict: "dictionary.exists" }[error.code];
  return own ? t(own) : error.message || t("error.title");
}

const save = () => attempt($("entry-form").querySelector("[type=submit]"), async (entered) => {
  const made = entry ? await changeEntry(entry.id, { ...entered, changed_at: entry.changed_at }) : await addEntry(entered);
  $("entry").close();
  saved(t("dictionary.saved"), made.id);
});

const preview = () => attempt($("preview"), async (written) => {
  looking = new AbortController();
  $("differences").replaceChildren(el("p", { class: "soft" }, t("dictionary.looking")));
  try {
    const found = await previewEntry({ ...written, ...(entry && { id: entry.id }) }, looking.signal);
    $("differences").replaceChildren(...differences(found));
    $("differences").scrollIntoView({ block: "nearest" });
  } catch (error) {
    $("differences").replaceChildren();
    throw error;
  }
});

async function remove() {
  if (!sure) return ask(true);
  return attempt($("delete"), async () => {
    await removeEntry(entry);
    $("entry").close();
    saved(t("dictionary.deleted"), entry.id);
  });
}

$("entry-form").addEventListener("submit", (event) => { event.preventDefault(); save(); });
$("entry-form").addEventListener("input", () => { direction(); ask(false); });
$("preview").addEventListener("click", preview);
$("delete").addEventListener("click", remove);
$("entry-cancel").addEventListener("click", () => $("entry").close());
$("entry").addEventListener("close", () => looking?.abort());
