// The queue that an editor opens every morning: one list by demand, filters in the address, everything by keyboard.

import { api } from "./client.js";
import { forgetColleagues, meet } from "./colleagues.js";
import { $, el } from "./dom.js";
import { count, t } from "./i18n.js";
import { notice, say, shut, startPage } from "./page.js";
import { act, forgetLast, onSettled, possible, undo } from "./queue-acts.js";
import { closeAll, showKeys } from "./queue-ask.js";
import { showSteps } from "./queue-dock.js";
import { drawFilters } from "./queue-filters.js";
import { onKeys } from "./queue-keys.js";
import * as list from "./queue-list.js";
import { askFor, go, here, isFiltered } from "./queue-place.js";
import { signedIn } from "./session.js";
import { trouble, troubleInWords, waiting } from "./states.js";

const SETTLE = 250; // ms without a key before the list is asked for
const SOON = 250; // ms: a list that comes sooner needs no outline
const PAGE = 50;
const MOST = 200; // what the API gives at once
const EVERY = 60_000; // ms between two quiet looks at what is new
const LEFT = "queue"; // where somebody was in the list, in this tab

let counts = {};
let topics = [];
let next = null;
let request = null;
let failed = null; // what to try again when the connection is back
let known = null; // for whom names and topics were asked

const mayFix = () => Boolean(signedIn()?.rights.includes("fix"));
const mayWrite = () => Boolean(signedIn()?.rights.includes("draft"));

/** Ask for the list from its beginning: at least as many lines as somebody had before, and the one they were on. */
async function load({ lines = PAGE, at = "" } = {}) {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  const allowed = signedIn()?.rights.includes("flag");
  for (const id of ["where", "show-keys"]) $(id).hidden = !allowed;
  if (!allowed) return showInstead(shut(signedIn(), "queue"));
  const place = here();
  if (document.activeElement !== $("query")) $("query").value = place.q;
  let held = inside();
  const outline = setTimeout(() => {
    held ||= inside();
    showInstead(waiting());
    say(t("queue.loading"));
  }, SOON);
  try {
    await meetEverybody();
    drawFilters(place, counts, topics, narrow);
    const found = await ask(place, lines, signal);
    [counts, next, failed] = [found.counts, found.next, null];
    held ||= inside();
    list.fill(found.lines, { mayFix: mayFix(), mayWrite: mayWrite() });
    draw();
    if (list.knows(at)) list.focusOn(at);
    else if (held) hold();
    say(count("queue.count", found.lines.length));
  } catch (error) {
    if (signal.aborted) return undefined;
    failed = () => load({ lines, at });
    held ||= inside();
    showInstead(trouble(error, failed));
    if (held) hold();
    say(troubleInWords(error));
  } finally {
    clearTimeout(outline);
  }
  return undefined;
}

const inside = () => $("queue").contains(document.activeElement);

/** The keyboard stays in the list when its lines are others. */
function hold() {
  if (listed()) list.focusOn();
  else $("queue").focus();
}

/** Show something instead of the list: then no key may do anything with its lines. */
function showInstead(shown) {
  list.fill([], {});
  $("over").hidden = true;
  $("queue").replaceChildren(shown);
}

/** Names and topics, once for whoever is here. */
async function meetEverybody() {
  if (known === signedIn().id) return;
  const [found] = await Promise.all([api("topics").catch(() => ({ topics: [] })), meet()]);
  [topics, known] = [found.topics, signedIn().id];
}

/** So many lines of a place, in as many requests as it takes. */
async function ask(place, lines, signal) {
  const found = { lines: [], counts: {}, next: null };
  do {
    const where = askFor(place);
    where.set("limit", Math.min(lines - found.lines.length, MOST));
    if (found.next) where.set("after", found.next);
    const page = await api(`queue?${where}`, { signal });
    found.lines.push(...page.lines);
    [found.counts, found.next] = [page.counts, page.next];
  } while (found.next && found.lines.length < lines);
  return found;
}

function draw() {
  drawFilters(here(), counts, topics, narrow);
  drawOver(0);
  const more = next && el("button", { class: "more", type: "button", on: { click: showMore } }, t("results.more"));
  $("queue").replaceChildren(...(list.shown().length ? [list.element(), more] : [nothing()]).filter(Boolean));
  drawSteps();
}

/** What stands over the list: how many lines it has, and how many new ones could be shown. */
function drawOver(news) {
  const n = list.shown().length;
  $("over").hidden = !n && !news;
  $("all").hidden = !n || !mayFix();
  $("amount").textContent = n ? count("queue.count", n) : "";
  $("news").hidden = !news;
  $("news").textContent = count("queue.news", news);
}

function nothing() {
  const place = here();
  const filtered = isFiltered(place) || Boolean(place.view);
  return el("div", { class: "state" },
    el("h2", {}, t(filtered ? "queue.nothing" : "queue.empty.title")),
    el("p", {}, t(filtered ? "queue.nothing.text" : "queue.empty")),
    filtered && el("div", { class: "row" }, el("a", { class: "button", href: "#" }, t("queue.everything"))));
}

async function showMore() {
  const where = askFor(here());
  where.set("limit", PAGE);
  where.set("after", next);
  try {
    const found = await api(`queue?${where}`, { signal: request.signal });
    next = found.next;
    const fresh = list.append(found.lines);
    drawOver(0);
    if (!next) $("queue").querySelector(".more")?.remove();
    if (fresh.length) list.focusOn(fresh[0]);
    say(count("queue.count", list.shown().length));
  } catch (error) {
    if (error.name !== "AbortError") notice(error.message || troubleInWords(error));
  }
}

/** Look what has changed, without moving anything: lines get their news, and a button says how many are new. */
async function look() {
  if (!request || failed || !signedIn()?.rights.includes("flag")) return;
  const { signal } = request;
  const place = here();
  try {
    const found = await ask(place, Math.min(Math.max(list.shown().length, PAGE), MOST), signal);
    if (signal.aborted) return;
    counts = found.counts;
    drawFilters(place, counts, topics, narrow);
    list.update(found.lines);
    const there = new Set(found.lines.map((line) => line.key));
    const end = found.next ? found.lines.at(-1).demand : -1; // what stands lower was not asked for
    list.setPast(new Set(list.all().filter((line) => !there.has(line.key) && line.demand > end).map((line) => line.key)));
    const below = next ? (list.all().at(-1)?.demand ?? -1) : -1; // what stands lower waits for "Show more"
    drawOver(found.lines.filter((line) => !list.knows(line.key) && line.demand > below).length);
  } catch {
    // The next look, or whatever is done next, says what is the matter.
  }
}

/** Follow a choice of a filter, or typed words. */
function narrow(name, value, how) {
  go({ ...here(), [name]: value }, how);
  return load();
}

const drawSteps = () =>
  showSteps(list.pickedCount(), possible(list.chosen()), { act, clear: () => { list.pickAll(false); list.focusOn(); } });

/** After a step with these lines: the page as it is now, and the keyboard where it was. */
async function settle(keys) {
  if (keys.every(list.knows)) draw();
  else await load({ lines: Math.max(list.shown().length, PAGE), at: list.currentKey() }); // done in another view
  hold();
  look();
}

/** The present line's place of that name, as if somebody clicked it. */
function follow(selector) {
  const link = list.itemOf(list.currentKey())?.querySelector(selector);
  link?.click();
  return Boolean(link);
}

const moving = (by) => (event) => {
  const elsewhere = document.activeElement !== document.body && !$("queue").contains(document.activeElement);
  if (elsewhere && event.key.startsWith("Arrow")) return false; // it scrolls
  list.move(by, { extend: event.shiftKey });
  return true;
};
const listed = () => list.shown().length > 0;
const fixing = (name) => () => { act(name); };

onKeys({
  j: moving(1),
  ArrowDown: moving(1),
  k: moving(-1),
  ArrowUp: moving(-1),
  x: (event) => { if (mayFix()) list.pick({ range: event.shiftKey }); },
  Enter: ({ target }) => (target === document.body || target.type === "checkbox") && follow("a.goes"),
  e: () => follow("a.write"),
  a: fixing("assign"),
  m: fixing("take"),
  d: fixing("decline"),
  s: fixing("weigh"),
  c: fixing("comment"),
  y: fixing("confirm"),
  u: () => { if (mayFix()) undo(); },
  r: () => { reload(); },
  "/": () => { $("query").select(); },
  "?": () => { keys(); },
  Escape: () => { list.pickAll(false); },
});

function keys() {
  const rows = [
    [["j", "↓"], "down"], [["k", "↑"], "up"], mayFix() && [["x"], "pick"], mayFix() && [["⇧ x", "⇧ ↓", "⇧ ↑"], "range"],
    [["Enter"], "open"], mayWrite() && [["e"], "write"],
    ...(mayFix() ? [[["a"], "assign"], [["m"], "take"], [["d"], "decline"], [["s"], "weigh"], [["c"], "comment"], [["y"], "confirm"], [["u"], "undo"]] : []),
    [["r"], "reload"], [["/"], "words"], mayFix() && [["Esc"], "clear"], [["?"], "help"],
  ];
  showKeys(rows.filter(Boolean).map(([pressed, name]) => [pressed, t(`queue.key.${name}`)]));
}

/** The list as it is by now, from its beginning. */
async function reload() {
  await load();
  if (listed()) list.focusOn();
}

let timer = 0;
let typing = false; // one step back takes away all that was typed at once
function words() {
  clearTimeout(timer);
  const q = $("query").value.trim();
  if (q === here().q) return undefined;
  const instead = typing;
  typing = true;
  return narrow("q", q, { instead });
}
$("query").addEventListener("input", ({ isComposing }) => {
  clearTimeout(timer);
  if (!isComposing) timer = setTimeout(words, SETTLE);
});
$("query").addEventListener("compositionend", () => { timer = setTimeout(words, SETTLE); });
$("query").addEventListener("blur", () => { typing = false; });
$("query").addEventListener("keydown", (event) => {
  if (event.isComposing || !["ArrowDown", "Escape"].includes(event.key)) return;
  event.preventDefault();
  if (listed()) list.focusOn();
  else $("query").blur();
});
$("tools").addEventListener("submit", async (event) => {
  event.preventDefault();
  await words();
  if (listed()) list.focusOn();
});

list.onPicked(() => {
  drawSteps();
  if (list.pickedCount()) say(count("queue.picked", list.pickedCount()));
  $("pick-all").checked = list.pickedCount() > 0 && list.pickedCount() === list.shown().length;
  $("pick-all").indeterminate = list.pickedCount() > 0 && !$("pick-all").checked;
});
onSettled(settle);
$("pick-all").addEventListener("change", ({ target }) => list.pickAll(target.checked));
$("news").addEventListener("click", reload);
$("show-keys").addEventListener("click", keys);

addEventListener("popstate", () => {
  $("query").value = here().q;
  load();
});
addEventListener("online", () => failed?.());
setInterval(() => { if (document.visibilityState === "visible") look(); }, EVERY);
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") look(); });

// Whoever comes back from a case, or reloads, is where they were.
addEventListener("pagehide", () => {
  const left = { hash: location.hash, lines: list.shown().length, at: list.currentKey() };
  sessionStorage.setItem(LEFT, JSON.stringify(left));
});

function comeBack() {
  const left = JSON.parse(sessionStorage.getItem(LEFT) ?? "null");
  sessionStorage.removeItem(LEFT);
  return left?.hash === location.hash ? { lines: Math.max(left.lines, PAGE), at: left.at } : {};
}

let left = comeBack();
startPage({
  load: () => {
    const first = left;
    left = {};
    return load(first);
  },
  clear: () => { // nothing of what the one before saw stays
    closeAll();
    forgetLast();
    forgetColleagues();
    [known, counts, topics, next] = [null, {}, [], null];
    showInstead("");
  },
  redraw: () => { forgetLast(); return load({ lines: Math.max(list.shown().length, PAGE) }); },
});
