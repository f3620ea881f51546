// The editor: an article's text and state on one side, what becomes of them on the other. This module opens the place
// that the address names and says what happens; what it consists of stands in `writing-*.js`.

import { api } from "./client.js";
import { forgetColleagues } from "./colleagues.js";
import { $, el } from "./dom.js";
import { current, LANGUAGES, moment, t } from "./i18n.js";
import { notice, say, shut, startPage } from "./page.js";
import { signedIn } from "./session.js";
import { trouble, troubleInWords, waiting } from "./states.js";
import { drop, keep } from "./unsaved.js";
import { beginAside, caseAt, forgetAside, later, show } from "./writing-aside.js";
import { ask } from "./writing-dialog.js";
import { dirty, doc, fixes, forget, now, place, stateOf, write } from "./writing-doc.js";
import { beforeFiles, takeFiles } from "./writing-files.js";
import { afterPublish, begun, drawForm, watchForm } from "./writing-form.js";
import { merge } from "./writing-merge.js";
import { fixable, gather, openCases, readCase } from "./writing-open.js";
import { drawOutline } from "./writing-outline.js";
import { restore } from "./writing-restore.js";
import { adopt, canTakeBack, stateWaits, store, takeBack } from "./writing-save.js";
import { COMMANDS, put, teach } from "./writing-text.js";
import { confirmPublish, passedDuplicates, showKeys } from "./writing-ways.js";

const FRESH = { confidence: "not_validated", audience: "", governance: "experience", topic: "", products: [], tags: [], valid_until: null };

let loading = 0;
let busy = false; // asking or saving: once at a time
let sending = false;
let leaving = false; // what is not saved stays behind on purpose
let saved = ""; // what the line beside the buttons says while nothing is unsaved

const rights = () => signedIn()?.rights ?? [];

// ---- opening -------------------------------------------------------------------------------------------------------

async function load() {
  const turn = ++loading;
  $("desk").hidden = true;
  if (!rights().includes("draft")) return $("gate").replaceChildren(shut(signedIn(), "write"));
  $("gate").replaceChildren(waiting());
  say(t("write.loading"));
  try {
    const asked = Object.fromEntries(new URLSearchParams(location.search));
    const found = await gather(asked);
    if (turn !== loading) return undefined; // somebody else came meanwhile
    await open(found, asked);
  } catch (error) {
    if (turn !== loading) return undefined;
    say(troubleInWords(error));
    return $("gate").replaceChildren(trouble(error, load));
  }
  return undefined;
}

async function open({ article, text, original, templates, one, cases }, asked) {
  const turn = loading;
  forget();
  $("fixes").replaceChildren();
  doc.templates = templates.filter((each) => each.active || each.id === article?.editing.template);
  doc.case = one;
  doc.original = original;
  if (article) {
    doc.language = article.language;
    doc.template = templates.find((each) => each.id === article.editing.template) ?? null;
    adopt(article, text);
  } else {
    doc.language = LANGUAGES.includes(asked.language) ? asked.language : current();
    doc.template = doc.templates.find((each) => each.id === asked.template) ?? doc.templates.find((each) => each.is_default) ?? null;
    doc.base = { title: asked.title ?? one?.title ?? "", body: await begun(), state: { ...FRESH, topic: one?.topic ?? "" } };
  }
  if (turn !== loading) return;
  doc.cases = fixable(one, cases);
  $("gate").replaceChildren();
  $("desk").hidden = false;
  $("size").replaceChildren();
  drawForm();
  write(doc.base);
  saved = "";
  draw();
  beginAside();
  notice(article?.moved_to ? t("write.moved", { number: article.moved_to }) : asked.case && !one ? t("write.case.gone") : "");
  say(t("write.loaded"));
  if (await restore()) changed();
  ($("title").value ? $("body") : $("title")).focus({ preventScroll: true });
}

/** Who was here is not: nothing of theirs stays on the page. What they had not saved waits in the browser. */
function clear() {
  loading += 1;
  if ($("ask").open) $("ask").close("");
  forgetAside();
  forget();
  forgetColleagues();
  write({ title: "", body: "", state: FRESH });
  for (const id of ["done", "files", "fixes", "outline"]) $(id).replaceChildren();
  $("done").hidden = $("desk").hidden = true;
}

// ---- drawing -------------------------------------------------------------------------------------------------------

function draw() {
  const title = doc.number ? t("write.edit", { number: doc.number }) : t("write.new");
  $("heading").textContent = title;
  document.title = `${doc.base.title || title} · ${t("write.title")}`;
  for (const id of ["title", "body"]) $(id).lang = doc.language;
  $("to-case").hidden = !doc.case;
  if (doc.case) $("to-case").href = caseAt(doc.case.id);
  $("to-article").hidden = !doc.number;
  $("to-article").href = `/editor/article?number=${encodeURIComponent(doc.number)}`;
  $("state-waits").hidden = doc.published === null;
  drawOutline();
  drawHow();
}

function drawHow() {
  const waits = dirty();
  $("how").textContent = sending ? t("write.saving") : waits ? t("write.unsaved") : saved;
  $("how").classList.toggle("unsaved", waits && !sending);
}

/** Something was written: keep it, and let what is beside it follow. */
function changed() {
  if (dirty()) {
    const text = now();
    const before = $("how").dataset.kept;
    const is = keep(signedIn(), place(), { ...text, was: doc.base.state, version: doc.version, title: text.title });
    $("how").dataset.kept = String(is);
    if (!is && before !== "false") notice(t("write.not_kept"));
  } else drop(signedIn(), place());
  drawOutline();
  drawHow();
  later();
}

// ---- saving --------------------------------------------------------------------------------------------------------

/** Save as a draft, or publish after a confirmation; says what came of it. Returns whether it was saved. */
async function save(publish) {
  if (busy || $("desk").hidden || $("ask").open || !complete()) return false;
  if (!publish && doc.number && !dirty()) return told(t("write.nothing"));
  busy = true;
  try {
    if (!doc.number && !(await passedDuplicates(go))) return false;
    if (publish && !(await confirmPublish())) return false;
    return await send({ publish });
  } catch (error) {
    sending = false;
    drawHow();
    await failed(error);
    return false;
  } finally {
    busy = false;
    drawHow();
  }
}

async function send({ publish }) {
  const [was, fixed] = [place(), fixes()];
  sending = true;
  drawHow();
  const done = await store({ publish });
  sending = false;
  if (!done) return told(t(stateWaits() ? "write.state_waits" : "write.nothing"));
  settle(was);
  if (publish) published(done, fixed);
  else told(t(stateWaits() ? "write.saved.but_state" : "write.saved"));
  return true;
}

const told = (words) => { notice(""); say(words); saved = words; drawHow(); return false; };

/** What is needed before anything can be saved. */
function complete() {
  const missing = ["title", "audience"].find((id) => !$(id).value.trim());
  for (const id of ["title", "audience"]) $(id).setAttribute("aria-invalid", String(id === missing));
  if (!missing) return true;
  notice(t(`write.needs.${missing}`));
  say(t(`write.needs.${missing}`));
  $("state").open ||= missing === "audience";
  $(missing).focus();
  return false;
}

/** After a save: kept no longer, at the address of its number, with what is beside it anew. */
function settle(was) {
  drop(signedIn(), was);
  const address = new URL(location.href);
  for (const name of ["template", "title", "language"]) address.searchParams.delete(name);
  address.searchParams.set("number", doc.number);
  history.replaceState(history.state, "", address);
  saved = t("write.saved_at", { at: moment(new Date().toISOString()) });
  $("done").hidden = true;
  drawForm();
  draw();
  beginAside();
  if (dirty()) changed(); // written on while it was being saved
}

/** Say that readers see it, what happens next, and how to take it back. */
function published({ before }, fixed) {
  const words = t(fixed.length ? "write.published.fixed" : "write.published", { n: doc.published });
  afterPublish();
  $("done").replaceChildren(
    el("p", {}, words),
    el("div", { class: "row" },
      canTakeBack(before) && el("button", { type: "button", id: "undo", on: { click: () => undo(before) } }, t("write.undo")),
      ...fixed.slice(0, 3).map((id) => el("a", { class: "button", href: caseAt(id) }, t("write.case.proof"))),
      el("a", { class: "button", href: `/editor/article?number=${encodeURIComponent(doc.number)}` }, t("write.to_article"))),
  );
  $("done").hidden = false;
  $("done").focus();
  notice("");
  say(words);
}

async function undo(before) {
  $("undo").disabled = true;
  try {
    await takeBack(before);
    const words = t(doc.published === null ? "write.undone.draft" : "write.undone", { n: doc.published });
    drawForm();
    write({ state: doc.base.state });
    draw();
    beginAside();
    await reopened();
    saved = "";
    drawHow();
    $("done").replaceChildren(el("p", {}, words));
    $("done").focus();
    notice("");
    say(words);
  } catch (error) {
    $("undo").disabled = false;
    await failed(error);
  }
}

/** The cases that are open again. */
async function reopened() {
  const [one, found] = await Promise.all([readCase(doc.case?.id), openCases(doc.number)]);
  doc.cases = fixable(one, found?.cases ?? []);
  drawForm();
}

// ---- when it fails -------------------------------------------------------------------------------------------------

const FAILED = { not_allowed: "write.failed.not_allowed", offline: "write.failed.offline", unreachable: "write.failed.offline", slow: "write.failed.slow", not_signed_in: "write.failed.signed_out" };

/** Nothing is lost: say why it was not saved, and where somebody else was faster show both. */
async function failed(error) {
  if (!error.code) throw error;
  if (error.code === "conflict" && doc.number) return together(error.conflict);
  const own = t(FAILED[error.code] ?? "write.failed");
  notice([own, error.status >= 400 ? error.message : ""].filter(Boolean).join(" "));
  say(own);
  if (error.field && $(error.field)) $(error.field).focus();
  return undefined;
}

async function together(conflict) {
  const mine = now();
  let merged;
  try {
    merged = await merge(conflict);
    if (!merged) return say(t("write.merge.later"));
    const { article } = merged;
    const latest = await api(`articles/${article.number}/revisions/${conflict?.theirs ?? article.editing.latest}`);
    const untouched = mine.title === doc.base.title && mine.body === doc.base.body;
    if (untouched && !conflict) Object.assign(merged, { title: latest.title, body: latest.body });
    adopt(article, latest);
    doc.version = conflict?.version ?? article.version; // should there be a still newer text, that is a conflict again
  } catch (error) {
    return failed({ ...error, code: error.code === "conflict" ? "unreadable" : error.code ?? "unreadable", message: error.message });
  }
  if (merged.body !== $("body").value) put($("body"), merged.body, 0, $("body").value.length);
  write({ title: merged.title, state: merged.state });
  drawForm();
  write({ state: merged.state });
  draw();
  beginAside();
  show("changes");
  changed();
  notice(t("write.merge.done"));
  $("body").focus();
  return say(t("write.merge.done"));
}

/** Go elsewhere; what was not saved has been taken care of. */
function go(address) {
  leaving = true;
  location.assign(address);
}

// ---- what people do ------------------------------------------------------------------------------------------------

function side(name) {
  $("split").dataset.side = name;
  for (const each of ["text", "look"]) $(`side-${each}`).setAttribute("aria-pressed", String(each === name));
  if (name === "look") later();
}

const isField = (target) => Boolean(target.closest?.("input, textarea, select"));

addEventListener("keydown", (event) => {
  if ($("desk").hidden || document.querySelector("dialog[open]") || event.isComposing || event.altKey) return;
  const control = event.ctrlKey || event.metaKey;
  const tabs = [...document.querySelectorAll("[role=tab]")].filter((each) => !each.hidden);
  let act = null;
  if (control && !event.shiftKey && event.key.toLowerCase() === "s") act = () => save(false);
  else if (control && event.key === "Enter") act = () => save(true);
  else if (control || isField(event.target)) return;
  else if (event.key === "?") act = showKeys;
  else if (event.key === "e") act = () => { side("text"); $("body").focus(); };
  else if (tabs[Number(event.key) - 1]) act = () => { side("look"); show(tabs[Number(event.key) - 1].id.slice("tab-".length), { focus: true }); };
  if (!act) return;
  event.preventDefault();
  act();
});

$("toolbar").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const tools = [...$("toolbar").querySelectorAll("button")];
  if (!step || !tools.includes(event.target)) return;
  event.preventDefault();
  const next = tools.at((tools.indexOf(event.target) + step) % tools.length);
  for (const each of tools) each.tabIndex = each === next ? 0 : -1;
  next.focus();
});
for (const [name, act] of Object.entries(COMMANDS)) $(`tool-${name}`).addEventListener("click", () => act($("body")));
$("tool-picture").addEventListener("click", () => $("choose").click());

$("writing").addEventListener("submit", (event) => { event.preventDefault(); save(false); });
$("publish").addEventListener("click", () => save(true));
$("keys").addEventListener("click", showKeys);
for (const id of ["title", "body"]) $(id).addEventListener("input", changed);
for (const name of ["text", "look"]) $(`side-${name}`).addEventListener("click", () => side(name));
addEventListener("online", () => { if (!$("desk").hidden) later(); });
addEventListener("beforeunload", (event) => {
  if (!leaving && !$("desk").hidden && dirty()) event.preventDefault();
});
// Signing out throws away what is not saved: asked before, since it cannot be taken back.
document.addEventListener("click", async (event) => {
  if (leaving || event.target.id !== "sign-out" || $("desk").hidden || !dirty()) return;
  event.stopPropagation();
  const answer = await ask({
    title: t("write.sign_out.title"), content: [el("p", {}, t("write.sign_out.text"))],
    answers: [{ value: "stay", words: t("write.sign_out.stay"), primary: true }, { value: "leave", words: t("write.sign_out.leave") }],
  });
  if (answer !== "leave") return;
  leaving = true;
  event.target.click();
  leaving = false;
}, { capture: true });

teach($("body"));
takeFiles($("body"));
watchForm(changed);
beforeFiles(async () => Boolean(doc.number) || (await save(false)));

startPage({
  load,
  clear,
  redraw: () => {
    if ($("desk").hidden) return load();
    drawForm();
    draw();
    return beginAside();
  },
});
