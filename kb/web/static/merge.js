// Two articles become one (KCS IM-05, IM-06): the newer goes into the older, side by side, with what will happen in plain
// words before and the way back right after.

import { api, article as readArticle } from "./client.js";
import { editorPage, here } from "./article-place.js";
import { choices, picker } from "./article-picker.js";
import { rightsIn } from "./article-rights.js";
import { articleLink, inWords } from "./article-words.js";
import { $, el } from "./dom.js";
import { count, t } from "./i18n.js";
import { begin, redrawPanes, showPanes, weigh } from "./merge-panes.js";
import { notice, say, shut, startPage } from "./page.js";
import { signedIn } from "./session.js";
import { trouble, troubleInWords, waiting } from "./states.js";

const SOON = 250; // ms: what comes sooner needs no outline

let pair = null; // { prospect, kept, merged }: what would be merged, with both texts
let written = false; // whether something was written here that is not saved
let request = null;
let failed = null;

function forget() {
  request?.abort();
  pair = failed = null;
  written = false;
  $("bench").hidden = true;
  for (const id of ["gate", "plan", "kept", "merged", "picked", "merge-error"]) $(id).replaceChildren();
  for (const id of ["title", "body", "note"]) $(id).value = "";
}

/** Draw what the address names: two articles, one that lacks the other, or none. */
async function load() {
  forget();
  const person = signedIn();
  const { number, other } = here();
  const allowed = person?.rights.includes("draft");
  $("pick").hidden = !allowed || Boolean(number && other);
  if (!allowed) return $("gate").replaceChildren(shut(person, "merge"));
  $("pick-label").textContent = t(number ? "merge.pick.other" : "merge.pick.first");
  request = new AbortController();
  const { signal } = request;
  const outline = setTimeout(() => { $("gate").replaceChildren(waiting()); say(t("article.loading")); }, SOON);
  try {
    const nodes = number && other ? await both(number, other, person, signal) : await oneOf(number, signal);
    if (!signal.aborted) $("gate").replaceChildren(...nodes.filter(Boolean));
  } catch (error) {
    if (signal.aborted) return undefined;
    failed = load;
    $("gate").replaceChildren(trouble(error, async () => { await load(); $("gate").focus(); }));
    say(troubleInWords(error));
  } finally {
    clearTimeout(outline);
  }
  return undefined;
}

/** The other article is still to be chosen: what is nearest to the one that is known. */
async function oneOf(number, signal) {
  if (!number) return [el("div", { class: "state" }, el("h2", {}, t("merge.pick.first")), el("p", {}, t("merge.pick.text")))];
  const one = await readArticle(number, signal);
  const asked = { title: one.title, body: one.body, number: one.number, limit: 8 };
  const { found } = await api("drafts/similar", { method: "POST", body: asked, signal });
  const near = found.filter((each) => each.kind === "article" && each.number !== one.number);
  return [
    el("h2", {}, t("merge.pick.with"), " ", articleLink(one.number, one.title, one.language)),
    el("p", { class: "soft" }, t(near.length ? "merge.pick.near" : "merge.pick.nothing_near")),
    near.length > 0 && choices(near, choose),
  ];
}

/** Two articles that are known: the bench, or why they cannot be merged, or that they are. */
async function both(number, other, person, signal) {
  const [one, two] = await Promise.all([readArticle(number, signal), readArticle(other, signal)]);
  const done = [[one, two], [two, one]].find(([gone, into]) => gone.confidence === "archived" && gone.superseded_by === into.number);
  if (done) return merged(...done);
  const why = hindrance(one, two);
  if (why) return [el("div", { class: "state" }, el("h2", {}, t("merge.cannot")), el("p", {}, why), again(one.number))];
  const prospect = await api(`articles/${one.number}/merge?${new URLSearchParams({ other: two.number })}`, { signal });
  const may = rightsIn(person, prospect.kept).change && rightsIn(person, prospect.merged).archive;
  if (!may) return [el("div", { class: "state" }, el("h2", {}, t("merge.not_yours")), el("p", {}, t("merge.not_yours.text")))];
  const [kept, newer] = await Promise.all([source(prospect.kept, signal), source(prospect.merged, signal)]);
  pair = { prospect, kept, merged: newer };
  $("bench").hidden = false;
  $("title").lang = $("body").lang = kept.article.language;
  $("leave").href = editorPage("article", { number: one.number });
  showPanes(kept, newer, () => { written = true; });
  begin("merged");
  written = false;
  drawPlan();
  return [];
}

async function source(article, signal) {
  const revision = article.editing.published ?? article.editing.latest;
  const { title, body } = await api(`articles/${article.number}/revisions/${revision}`, { signal });
  return { article, title, body };
}

function hindrance(one, two) {
  if (one.number === two.number) return t("merge.cannot.same");
  if (one.language !== two.language) return t("merge.cannot.language");
  const archived = [one, two].find((each) => each.confidence === "archived");
  return archived ? t("merge.cannot.archived", { number: archived.number }) : "";
}

const again = (number) => el("p", {}, el("a", { href: editorPage("merge", { number }) }, t("merge.choose_another")));

/** What will happen, in plain words. */
function drawPlan() {
  const { prospect: { kept, merged: gone, links, translations, cases, shown, needs_text: careful } } = pair;
  const names = { kept: kept.number, merged: gone.number, n: kept.editing.latest + 1 };
  const draft = (each) => each.editing.published !== null && each.editing.latest > each.editing.published;
  const lines = [
    t(shown ? "merge.plan.shown" : "merge.plan.draft", names),
    t("merge.plan.address", names),
    links > 0 && count("merge.plan.links", links),
    translations > 0 && count("merge.plan.translations", translations),
    cases > 0 && count("merge.plan.cases", cases),
    kept.audience !== gone.audience && t("merge.plan.audience", { audience: t(`audience.${kept.audience}`) }),
    [kept, gone].some(draft) && t("merge.plan.drafts", { numbers: [kept, gone].filter(draft).map((each) => each.number).join(t("art.and")) }),
    t("merge.plan.undo"),
  ];
  $("plan").replaceChildren(
    ...[careful && el("p", { class: "note stop" }, t("merge.careful")),
      el("h2", { id: "plan-title" }, t("merge.plan")), el("ul", {}, ...lines.filter(Boolean).map((each) => el("li", {}, each)))].filter(Boolean));
}

async function merge() {
  const { prospect: { kept, merged: gone } } = pair;
  $("merge-error").textContent = "";
  $("merge").disabled = true;
  try {
    const body = { other: gone.number, title: $("title").value, body: $("body").value, note: $("note").value,
      version: kept.version, other_version: gone.version };
    const done = await api(`articles/${kept.number}/merge`, { method: "POST", body });
    written = false;
    await load();
    tell(done.links ? count("merge.done.links", done.links) : t("merge.done"));
  } catch (error) {
    if (error.code === "conflict") await faster();
    else $("merge-error").textContent = inWords(error);
  } finally {
    $("merge").disabled = false;
  }
}

/** Somebody has changed one of the two: both are read anew, what is written in the middle stays. */
async function faster() {
  const { prospect: { kept, merged: gone } } = pair;
  const [a, b] = await Promise.all([readArticle(kept.number), readArticle(gone.number)]);
  if (hindrance(a, b)) {
    written = false;
    return load();
  }
  Object.assign(pair.prospect, { kept: a, merged: b });
  const [older, newer] = await Promise.all([source(a), source(b)]);
  Object.assign(pair, { kept: older, merged: newer });
  showPanes(older, newer, () => { written = true; });
  drawPlan();
  $("merge-error").textContent = t("merge.conflict");
  return undefined;
}

/** They are one: where it is now, and the way back. */
function merged(gone, into) {
  const undo = el("button", { type: "button", id: "undo", on: { click: () => undone(gone, undo) } }, t("merge.undo"));
  return [el("div", { class: "state" },
    el("h2", {}, t("merge.are_one", { merged: gone.number, kept: into.number })),
    el("p", {}, t("merge.are_one.text", { merged: gone.number })),
    el("p", {}, articleLink(into.number, into.title, into.language)),
    el("div", { class: "row" }, rightsIn(signedIn(), { ...gone, confidence: into.confidence }).change && undo, el("a", { class: "button", href: "/editor" }, t("merge.back"))))];
}

async function undone(gone, button) {
  button.disabled = true;
  try {
    const done = await api(`articles/${gone.number}/merge/undo`, { method: "POST", body: { version: gone.version } });
    await load();
    tell(t(done.text ? "merge.undone" : "merge.undone.text_stays", { kept: done.kept.number }));
  } catch (error) {
    tell(error.code === "conflict" ? t("merge.undo.conflict") : inWords(error));
    button.disabled = false;
  }
}

/** A line above everything, which takes the focus so that it is not lost. */
function tell(text) {
  notice(text);
  $("notice").focus();
}

function choose(number) {
  const address = new URL(location.href);
  address.searchParams.set(here().number ? "other" : "number", number);
  location.assign(address); // a page of its own: to leave it asks, if something was written
}

const lookUp = picker($("query"), $("picked"), { choose, but: () => here().number || null });
$("pick").addEventListener("submit", (event) => { event.preventDefault(); lookUp(); });
// Not by submitting: Enter in a title is no decision.
$("bench").addEventListener("submit", (event) => event.preventDefault());
$("merge").addEventListener("click", () => { if ($("bench").reportValidity()) merge(); });
for (const id of ["title", "body"]) $(id).addEventListener("input", () => { written = true; weigh(); });
for (const side of ["kept", "merged"]) $(`begin-${side}`).addEventListener("click", () => begin(side));
addEventListener("beforeunload", (event) => { if (written) event.preventDefault(); });
addEventListener("online", () => failed?.());

startPage({
  load,
  clear: forget,
  redraw: () => {
    if ($("bench").hidden) return load();
    redrawPanes(); // nothing that was written is lost by another language
    return drawPlan();
  },
});
