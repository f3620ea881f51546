// What is being written: where it came from, what was saved last, and what the form says now.

import { $ } from "./dom.js";

const EMPTY = {
  number: "", version: null, latest: null, published: null, // of the article; none of them for a new one
  language: "en",
  templates: [], // as the API gives them
  template: null, // the one it is in
  case: null, // the case that this is for
  cases: [], // those that it may fix
  original: null, // of a translation
  base: { title: "", body: "", state: {} }, // as it was saved last, or begun
};
export const LISTS = ["products", "tags"];
const CHOICES = ["confidence", "audience", "governance"];

export const doc = { ...EMPTY };
export const forget = () => Object.assign(doc, EMPTY);

const listed = (text) => [...new Set(text.split(/[,，、;；]/).map((each) => each.trim()).filter(Boolean))];

/** A moment as the day of an input, in the time zone of who writes. */
export function dayOf(iso) {
  if (!iso) return "";
  const at = new Date(iso);
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
}

/** The state that the form says; the end of the day is meant, and a day that nobody changed keeps its time. */
function state() {
  const day = $("valid-until").value;
  const before = doc.base.state.valid_until ?? null;
  return {
    ...Object.fromEntries(CHOICES.map((name) => [name, $(name).value])),
    topic: $("topic").value.trim(),
    ...Object.fromEntries(LISTS.map((name) => [name, listed($(name).value)])),
    valid_until: day === dayOf(before) ? before : day ? new Date(`${day}T23:59:59`).toISOString() : null,
  };
}

// No keyboard types the character NUL and no database keeps it; what is pasted may hold one.
const textOf = (id) => $(id).value.replaceAll("\0", "");

/** What the form says now: `{ title, body, state }`. */
export const now = () => ({ title: textOf("title"), body: textOf("body"), state: state() });

/** Write into the form; `{ title, body, state }`, any of them. */
export function write({ title, body, state: to }) {
  if (title !== undefined) $("title").value = title;
  if (body !== undefined) $("body").value = body;
  if (!to) return;
  for (const name of CHOICES) $(name).value = to[name] ?? "";
  $("topic").value = to.topic ?? "";
  for (const name of LISTS) $(name).value = (to[name] ?? []).join(", ");
  $("valid-until").value = dayOf(to.valid_until);
}

/** The state of an article as the form has it. */
export const stateOf = (article) => ({
  ...Object.fromEntries([...CHOICES, "topic", ...LISTS].map((name) => [name, article[name]])),
  valid_until: article.editing.valid_until,
});

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Whether the text is another than was saved. */
export const textChanged = (text = now()) => text.title !== doc.base.title || text.body !== doc.base.body;

/** The fields of the state that are others than was saved. */
export function changedState(to = now().state, from = doc.base.state) {
  return Object.fromEntries(Object.entries(to).filter(([name, value]) => !same(value, from[name])));
}

export const dirty = () => textChanged() || Object.keys(changedState()).length > 0;

/** Where unsaved text is kept: one place for each article, and for each new one by what it is for. */
export const place = () => doc.number || `new/${doc.case?.id ?? ""}`;

/** The ids of the cases that are ticked as fixed. */
export const fixes = () => [...document.querySelectorAll("#fixes input:checked")].map((each) => each.value);
export const size = () => document.querySelector("#size input:checked")?.value ?? "content";
