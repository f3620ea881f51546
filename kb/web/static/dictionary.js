// The dictionary's page: a list of entries that can be searched; writing one and importing many happen in dialogs.

import { changeEntry, entries } from "./client.js";
import { $, el } from "./dom.js";
import { editEntry, entryWords, onSaved } from "./entry.js";
import { count, day, t } from "./i18n.js";
import { importFile, onImported } from "./importing.js";
import { notice, say, shut, startPage } from "./page.js";
import { signedIn } from "./session.js";
import { trouble, troubleInWords, waiting } from "./states.js";

const SETTLE = 200; // ms without a key before the list is asked for
const SOON = 250; // ms: a list that comes sooner needs no outline
const PAGE = 50;

const list = $("entries");
let shown = []; // the entries that are on the page
let total = 0;
let next = null;
let request = null;
let failed = null; // what to try again when the connection is back

/** Ask for the list from its beginning, or for what follows what is shown. */
async function load(after = "") {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  const allowed = signedIn()?.rights.includes("tune");
  $("tools").hidden = !allowed;
  if (!allowed) return list.replaceChildren(shut(signedIn(), "dictionary"));
  const outline = setTimeout(() => {
    if (!after) list.replaceChildren(waiting());
    say(t("dictionary.loading"));
  }, SOON);
  try {
    const where = { q: $("query").value.trim(), limit: PAGE, ...(after && { after }) };
    const found = await entries(where, signal);
    [shown, total, next, failed] = [after ? [...shown, ...found.entries] : found.entries, found.total, found.next, null];
    draw();
    say(count("dictionary.count", total));
  } catch (error) {
    if (signal.aborted) return undefined;
    failed = () => load(after);
    list.replaceChildren(trouble(error, failed));
    say(troubleInWords(error));
  } finally {
    clearTimeout(outline);
  }
  return undefined;
}

function draw() {
  if (!shown.length) return list.replaceChildren($("query").value.trim() ? nothing() : empty());
  const more = next && el("button", { class: "more", type: "button", on: { click: showMore } }, t("results.more"));
  return list.replaceChildren(
    el("p", { class: "summary soft small" }, count("dictionary.count", total)),
    el("ul", { class: "entries" }, ...shown.map((each) => el("li", {}, line(each)))),
    ...[more].filter(Boolean),
  );
}

const empty = () =>
  el(
    "div",
    { class: "state" },
    el("h2", {}, t("dictionary.empty.title")),
    el("p", {}, t("dictionary.empty")),
    el("ul", {}, ...t("dictionary.empty.examples").split("|").map((each) => el("li", {}, each))),
  );

const nothing = () =>
  el("div", { class: "state" }, el("h2", {}, t("dictionary.nothing", { query: $("query").value.trim() })));

async function showMore() {
  const before = shown.length;
  await load(next);
  list.querySelectorAll(".entry")[before]?.querySelector("button")?.focus();
}

function line(entry) {
  const name = entry.terms.join(", ");
  const flip = el("button", { type: "button", class: "quiet", "aria-label": `${t(entry.active ? "dictionary.off" : "dictionary.on")}: ${name}`,
    on: { click: () => turn(entry) } }, t(entry.active ? "dictionary.off" : "dictionary.on"));
  const edit = el("button", { type: "button", "aria-label": `${t("dictionary.edit")}: ${name}`, "data-id": entry.id,
    on: { click: () => editEntry(entry) } }, t("dictionary.edit"));
  return el(
    "div",
    { class: entry.active ? "entry" : "entry off" },
    el("div", { class: "said" }, ...said(entry),
      el("p", { class: "facts" },
        el("span", { class: `badge ${entry.audience}` }, t(`dictionary.audience.${entry.audience}`)),
        !entry.active && el("span", { class: "unsure" }, t("dictionary.is_off")),
        el("time", { dateTime: entry.changed_at }, t("hit.changed", { date: day(entry.changed_at) })),
        entry.note && el("span", {}, entry.note))),
    el("div", { class: "row" }, edit, flip),
  );
}

/** What an entry says: the arrow for the eye, words for the ear. */
function said(entry) {
  const between = entry.means.length ? ", " : " ↔ ";
  const terms = el("span", { class: "terms" }, entry.terms.join(between));
  if (!entry.means.length) return [el("h2", {}, terms, el("span", { class: "unseen" }, ` (${t("dictionary.both")})`))];
  const arrow = [el("span", { "aria-hidden": "true" }, " → "), el("span", { class: "unseen" }, ` ${t("dictionary.arrow")} `)];
  return [el("h2", {}, terms, ...arrow, entry.means.join(", "))];
}

async function turn(entry) {
  const { id, created_by, created_at, changed_by, ...body } = entry;
  notice("");
  try {
    const changed = await changeEntry(id, { ...body, active: !entry.active });
    shown = shown.map((each) => (each.id === id ? changed : each));
    draw();
    say(t(changed.active ? "dictionary.turned_on" : "dictionary.turned_off"));
    list.querySelector(`[data-id="${CSS.escape(id)}"]`)?.focus();
  } catch (error) {
    notice(error.code === "conflict" || error.code === "not_found" ? t("dictionary.conflict") : error.message || t("error.title"));
    load();
  }
}

let timer = 0;
$("query").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => load(), SETTLE);
});
$("tools").addEventListener("submit", (event) => { event.preventDefault(); load(); });
$("new").addEventListener("click", () => editEntry(null));
$("open-import").addEventListener("click", () => importFile());
addEventListener("online", () => failed?.());

onSaved(async (told, id) => {
  await load();
  say(told);
  (list.querySelector(`[data-id="${CSS.escape(id)}"]`) ?? $("new")).focus();
});
onImported(async (told) => { await load(); notice(told); });

startPage({
  load: () => load(),
  clear: () => { $("entry").close(); list.replaceChildren(); }, // nothing of what the one before saw stays
  redraw: () => { entryWords(); return load(); },
});
