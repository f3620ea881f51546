// An article as its editors see it: what it says, how it came to that, who used it, what is wrong with it. The place is
// in the address; each section is a module of its own with `content(sheet, { signal, reload })`.

import { api, article as readArticle } from "./client.js";
import { closeAsking } from "./article-asking.js";
import { archive, change, confirm } from "./article-actions.js";
import * as cases from "./article-cases.js";
import * as changes from "./article-changes.js";
import * as checklist from "./article-checklist.js";
import { inWords } from "./article-words.js";
import { facts, head } from "./article-head.js";
import * as history from "./article-history.js";
import { picker } from "./article-picker.js";
import { editorPage, go, here } from "./article-place.js";
import { rightsIn } from "./article-rights.js";
import * as text from "./article-text.js";
import * as translations from "./article-translations.js";
import * as use from "./article-use.js";
import { forgetColleagues, meet } from "./colleagues.js";
import { $, el } from "./dom.js";
import { t } from "./i18n.js";
import { notice, say, shut, startPage } from "./page.js";
import { signedIn } from "./session.js";
import { trouble, troubleInWords, waiting } from "./states.js";

const SOON = 250; // ms: what comes sooner needs no outline
const TABS = { text, history, use, cases, translations, changes, checklist };

let sheet = null; // the article that is shown: { number, article, revisions, person, may }
let request = null;
let failed = null; // what to try again when the connection is back

const offered = () => Object.keys(TABS).filter((name) => !$(`tab-${name}`).hidden);
const tabOf = () => (offered().includes(here().tab) ? here().tab : "text");

function forget() {
  request?.abort();
  sheet = failed = null;
  closeAsking();
  $("sheet").hidden = true;
  for (const id of ["head", "facts", "panel", "picked", "gate"]) $(id).replaceChildren();
}

/** Draw the article that the address names. */
async function load() {
  forget();
  const person = signedIn();
  const allowed = person?.roles.length > 0;
  $("pick").hidden = !allowed;
  document.title = t("art.title");
  if (!allowed) return $("gate").replaceChildren(shut(person, "art"));
  const { number } = here();
  if (!number) return $("gate").replaceChildren(noneYet());
  const outline = setTimeout(() => { $("gate").replaceChildren(waiting()); say(t("article.loading")); }, SOON);
  try {
    await Promise.all([meet(), look(number, person)]);
    go({ number: sheet.number }, { replace: true }); // as the article has it, whatever was typed
    $("gate").replaceChildren();
    $("sheet").hidden = false;
    draw();
    await showTab();
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    failed = load;
    $("gate").replaceChildren(trouble(error, () => again(load)));
    say(troubleInWords(error));
  } finally {
    clearTimeout(outline);
  }
  return undefined;
}

/** Ask for the article and its revisions; nothing is drawn. */
async function look(number, person) {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  const path = `articles/${encodeURIComponent(number)}`;
  const [article, { revisions }] = await Promise.all([readArticle(number, signal), api(`${path}/revisions`, { signal })]);
  sheet = { number: article.number, path: `articles/${article.number}`, article, revisions, person, may: rightsIn(person, article) };
}

const noneYet = () => el("div", { class: "state" }, el("h2", {}, t("art.none_yet")), el("p", {}, t("art.none_yet.text")));

function draw() {
  const { may, revisions } = sheet;
  document.title = `${sheet.article.title} · ${t("art.title")}`;
  $("tab-use").hidden = !may.useTrail;
  $("tab-cases").hidden = !may.cases;
  $("tab-checklist").hidden = !revisions.some((each) => may.checklists(each.author_id));
  $("head").replaceChildren(...head(sheet, { confirm: () => confirm(sheet, reload), change: () => change(sheet, reload),
    archive: () => archive(sheet, reload) }));
  $("facts").replaceChildren(...facts(sheet, { expiry: () => change(sheet, reload, "valid_until") }));
}

/** Show the section that the address names. */
async function showTab({ focus = false } = {}) {
  const name = tabOf();
  for (const each of Object.keys(TABS)) {
    $(`tab-${each}`).setAttribute("aria-selected", String(each === name));
    $(`tab-${each}`).tabIndex = each === name ? 0 : -1;
  }
  $("panel").setAttribute("aria-labelledby", `tab-${name}`);
  if (focus) $(`tab-${name}`).focus();
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  const outline = setTimeout(() => { $("panel").replaceChildren(waiting()); }, SOON);
  $("panel").setAttribute("aria-busy", "true");
  try {
    const nodes = await TABS[name].content(sheet, { signal, reload, show: showTab });
    if (!signal.aborted) $("panel").replaceChildren(...nodes.filter(Boolean));
  } catch (error) {
    if (signal.aborted) return;
    failed = showTab;
    $("panel").replaceChildren(trouble(error, () => again(showTab)));
    say(troubleInWords(error));
  } finally {
    clearTimeout(outline);
    if (!signal.aborted) $("panel").removeAttribute("aria-busy");
  }
}

/** What failed, tried once more; the button that asked for it is gone, so the focus goes to what came. */
async function again(what) {
  await what();
  $($("sheet").hidden ? "gate" : "panel").focus();
}

/** The article anew, after something was changed, with what to tell of it: `undo` is `{ words, act }`. */
async function reload(told, { undo = null } = {}) {
  if (!sheet) return undefined; // somebody has signed out meanwhile
  try {
    await look(sheet.number, sheet.person);
  } catch (error) {
    failed = load;
    return tell(`${told} ${inWords(error)}`);
  }
  draw();
  await showTab();
  return tell(told, undo);
}

/** A line above the article which takes the focus, so that it is read and nothing is lost; perhaps with a way back. */
function tell(told, undo = null) {
  notice(told);
  if (undo) {
    const act = async ({ target }) => {
      target.disabled = true;
      await undo.act().catch((error) => tell(t("art.undo.failed", { why: error.message })));
    };
    $("notice").append(" ", el("button", { type: "button", id: "undo", on: { click: act } }, undo.words));
  }
  if (told) $("notice").focus();
}

function toTab(name, how) {
  go({ tab: name === "text" ? "" : name, from: "", to: "", revision: "", days: "", by: "" });
  return showTab(how);
}

for (const name of Object.keys(TABS)) $(`tab-${name}`).addEventListener("click", () => toTab(name));
document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  const names = offered();
  const at = names.indexOf(tabOf());
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
  if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  toTab(names[(to + names.length) % names.length], { focus: true });
});

const lookUp = picker($("query"), $("picked"), {
  but: () => sheet?.number,
  choose: (number) => { $("query").value = ""; go({ number, tab: "", from: "", to: "", revision: "" }); notice(""); load(); },
});
$("pick").addEventListener("submit", (event) => { event.preventDefault(); lookUp(); });

const KEYS = {
  e: ["art.edit", () => sheet.may.edit && location.assign(editorPage("write", { number: sheet.number }))],
  c: ["art.confirm", () => sheet.may.confirm && confirm(sheet, reload)],
  s: ["art.change", () => sheet.may.change && change(sheet, reload)],
  m: ["art.merge", () => sheet.may.merge && location.assign(editorPage("merge", { number: sheet.number }))],
  "/": ["art.pick", () => $("query").focus()],
  "?": ["art.keys", () => openKeys()],
};

function openKeys() {
  const line = ([key, words]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, words));
  const tabs = sheet ? offered().map((name, n) => [String(n + 1), t(`art.tab.${name}`)]) : [];
  $("keys-list").replaceChildren(...[...tabs, ...Object.entries(KEYS).map(([key, [words]]) => [key, t(words)])].map(line));
  $("keys").showModal();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea, [contenteditable], dialog")) return;
  const tab = sheet && offered()[Number(event.key) - 1];
  if (!tab && !(event.key in KEYS)) return;
  if (!sheet && !["/", "?"].includes(event.key)) return;
  event.preventDefault();
  if (tab) toTab(tab, { focus: true });
  else KEYS[event.key][1]();
});
$("open-keys").addEventListener("click", openKeys);
$("keys-close").addEventListener("click", () => $("keys").close());
addEventListener("popstate", () => {
  notice("");
  if (sheet && here().number === sheet.number) showTab();
  else load();
});
addEventListener("online", () => failed?.());

startPage({ load, clear: () => { forget(); forgetColleagues(); } });
