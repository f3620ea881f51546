// The lines that are on the page: which one the keyboard is on, which are selected. It knows nothing of the API.

import { el } from "./dom.js";
import { lineItem } from "./queue-line.js";

let lines = new Map(); // by key, in the order of the queue
const items = new Map(); // the list item of each line that is shown
const picked = new Set();
const past = new Set(); // in this view no longer; they stay where they are until the list is asked for anew
const gone = new Set(); // done with; an undo brings them back to their place
let rights = { mayFix: false, mayWrite: false };
let current = "";
let anchor = ""; // where a range begins
let extending = false;
const list = el("ul", { class: "lines", role: "list", on: { click: pressed, focusin: focused } });
let changed = () => {};

/** From now on `listener()` is called when other lines are selected. */
export const onPicked = (listener) => { changed = listener; };

/** Show these lines and no others. */
export function fill(found, may) {
  rights = may;
  lines = new Map(found.map((line) => [line.key, line]));
  for (const each of [picked, past, gone]) each.clear();
  [current, anchor] = ["", ""];
  draw();
  changed();
}

/** Show more lines below. Those that are here already, because the order has changed meanwhile, stay where they are. */
export function append(found) {
  const fresh = found.filter((line) => !lines.has(line.key));
  for (const line of fresh) {
    lines.set(line.key, line);
    list.append(item(line));
  }
  return fresh.map((line) => line.key);
}

/** Draw all of it, again after a change of language. */
export function draw() {
  items.clear();
  list.replaceChildren(...shown().map((key) => item(lines.get(key))));
  setCurrent(items.has(current) ? current : (shown()[0] ?? ""));
}

/** The element that holds the lines. */
export const element = () => list;

/** The keys of the lines that can be seen, in their order. */
export const shown = () => [...lines.keys()].filter((key) => !gone.has(key));

/** The list item of a line that is shown. */
export const itemOf = (key) => items.get(key);
export const knows = (key) => lines.has(key);
export const all = () => [...lines.values()];
export const currentKey = () => current;

/** What an action is about: what is selected, else the line that the keyboard is on. */
export const chosen = () => (picked.size ? shown().filter((key) => picked.has(key)) : [current].filter(Boolean)).map((key) => lines.get(key));
export const pickedCount = () => picked.size;

/** Newer particulars of lines that are here; a case never goes back to an earlier version. */
export function update(newer) {
  for (const line of newer) {
    const known = lines.get(line.key);
    if (!known || (known.case && line.case && line.case.version < known.case.version)) continue;
    lines.set(line.key, line);
    if (JSON.stringify(line) !== JSON.stringify(known)) redraw(line.key);
  }
}

/** Say of each line whether it is still in this view. */
export function setPast(keys) {
  for (const key of lines.keys()) {
    if (past.has(key) === keys.has(key)) continue;
    past[keys.has(key) ? "add" : "delete"](key);
    redraw(key);
  }
}

/** Take lines away. The keyboard goes on with the line that follows. */
export function remove(keys) {
  const leaving = new Set(keys);
  const before = shown();
  if (leaving.has(current)) {
    const at = before.indexOf(current);
    const left = (key) => !leaving.has(key);
    current = before.slice(at).find(left) ?? before.slice(0, at).findLast(left) ?? "";
  }
  for (const key of keys) {
    gone.add(key);
    picked.delete(key);
    items.get(key)?.remove();
    items.delete(key);
  }
  setCurrent(current);
  changed();
}

/** Bring lines back that were taken away, each to its place. */
export function restore(keys) {
  const back = keys.filter((key) => gone.delete(key));
  if (back.length) [current] = back;
  draw();
}

/** Put the keyboard on the line so many further down, or on one by its key. */
export function move(by, { extend = false } = {}) {
  const keys = shown();
  if (!keys.length) return;
  const inside = list.contains(document.activeElement);
  const at = keys.indexOf(current);
  // The first key only shows where the keyboard is.
  const to = keys[inside ? Math.min(Math.max(at + by, 0), keys.length - 1) : Math.max(at, 0)];
  if (extend && !extending) anchor = current;
  if (extend) pickRange(to);
  extending = extend;
  focusOn(to);
}

export function focusOn(key = current) {
  setCurrent(key);
  items.get(key)?.querySelector(".goes")?.focus();
  items.get(key)?.scrollIntoView({ block: "nearest" });
}

/** Select the line that the keyboard is on, or no longer; as a range from the one that was selected last. */
export function pick({ range = false } = {}) {
  if (!current) return;
  if (range && items.has(anchor)) return pickRange(current);
  setPicked(current, !picked.has(current));
  anchor = current;
  changed();
  return undefined;
}

export function pickAll(on) {
  for (const key of shown()) setPicked(key, on);
  anchor = "";
  changed();
}

/** Select these and no others. */
export function pickOnly(keys) {
  const wanted = new Set(keys);
  for (const key of shown()) if (picked.has(key) !== wanted.has(key)) setPicked(key, wanted.has(key));
  changed();
}

function pickRange(to) {
  const keys = shown();
  const [from, until] = [keys.indexOf(anchor), keys.indexOf(to)].sort((a, b) => a - b);
  for (const key of keys.slice(Math.max(from, 0), until + 1)) setPicked(key, true);
  changed();
}

function setPicked(key, on) {
  picked[on ? "add" : "delete"](key);
  items.get(key)?.classList.toggle("picked", on);
  const box = items.get(key)?.querySelector("input");
  if (box) box.checked = on;
}

function item(line) {
  const made = lineItem(line, { ...rights, picked: picked.has(line.key), past: past.has(line.key) });
  items.set(line.key, made);
  return made;
}

/** One line anew, without taking the focus from it. */
function redraw(key) {
  const before = items.get(key);
  if (!before || gone.has(key)) return;
  const focus = controls(before).indexOf(document.activeElement);
  const after = item(lines.get(key));
  before.replaceWith(after);
  if (key === current) setCurrent(key);
  controls(after)[focus]?.focus();
}

/** One stop for the Tab key in the whole list: what is on the present line. */
function setCurrent(key) {
  for (const [each, on] of [[current, false], [key, true]]) {
    items.get(each)?.classList.toggle("current", on);
    for (const control of controls(items.get(each))) control.tabIndex = on ? 0 : -1;
  }
  current = key;
}

const controls = (line) => [...(line?.querySelectorAll("[tabindex]") ?? [])];
const keyOf = (target) => target.closest(".line")?.dataset.key;

function focused({ target }) {
  const key = keyOf(target);
  if (key && key !== current) setCurrent(key);
}

function pressed(event) {
  if (event.target.type !== "checkbox") return;
  const key = keyOf(event.target);
  setCurrent(key);
  if (event.shiftKey && items.has(anchor)) return pickRange(key);
  setPicked(key, event.target.checked);
  anchor = key;
  return changed();
}
