// Beside the text: what readers would see, what it changes, what is missing, what is like it, and the case it is for.
// Only what is open is asked for, and only once somebody pauses.

import { changeBlock } from "./changes.js";
import { api } from "./client.js";
import { nameOfPerson } from "./colleagues.js";
import { $, el } from "./dom.js";
import { day, number, t } from "./i18n.js";
import { prose } from "./prose.js";
import { signedIn } from "./session.js";
import { trouble } from "./states.js";
import { doc, now } from "./writing-doc.js";
import { goToField, goToLine, nameOfField } from "./writing-outline.js";

const PAUSE = 350; // ms without a key before something is asked for
const TIERS = ["public", "customer", "partner", "internal"];
const TABS = { preview, changes, checklist, similar, case: theCase };
const CHECKS = ["title_length", "issue", "environment", "one_question", "steps", "links", "readable"];
const LEADS = { issue: "issue", one_question: "issue", environment: "environment", steps: "resolution" };

let open = "preview";
let timer = 0;
const asked = {}; // what is under way, by tab

/** The tiers that somebody may read as, from the widest on. */
export const tiers = () => TIERS.slice(0, TIERS.indexOf(signedIn()?.tier ?? "public") + 1);

/** Begin, with the audience that the article is for. */
export function beginAside() {
  $("as").replaceChildren(...tiers().map((each) => el("option", { value: each }, t(`write.audience.${each}`))));
  $("as").value = doc.base.state.audience || tiers().at(-1);
  const bases = [
    doc.published && [doc.published, "write.against.published"],
    doc.case?.revision && doc.case.revision !== doc.published && [doc.case.revision, "write.against.flagged"],
    doc.latest && doc.latest !== doc.published && [doc.latest, "write.against.draft"],
  ].filter(Boolean);
  $("against").replaceChildren(...bases.map(([revision, key]) => el("option", { value: revision }, t(key, { n: revision }))));
  $("against").parentElement.hidden = !bases.length;
  $("tab-case").hidden = !doc.case && !doc.cases.length;
  show($(`tab-${open}`).hidden ? "preview" : open);
}

/** Open one of the tabs, with what it shows as things are now. */
export function show(tab, { focus = false } = {}) {
  open = tab;
  for (const name of Object.keys(TABS)) {
    $(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
    $(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
    $(`panel-${name}`).hidden = name !== tab;
  }
  if (focus) $(`tab-${tab}`).focus();
  look();
}

/** What is beside the text is to be made anew, once nothing has been typed for a moment. */
export function later() {
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
}

/** Nothing of it stays. */
export function forgetAside() {
  clearTimeout(timer);
  for (const each of Object.values(asked)) each.abort();
  for (const name of ["shown", "changed", "checked", "near", "about"]) $(name).replaceChildren();
  for (const name of ["checklist", "similar"]) $(`${name}-count`).textContent = "";
}

function look() {
  clearTimeout(timer);
  if ($("desk").hidden) return;
  TABS[open]();
  if (open !== "checklist") checklist();
  if (open !== "similar" && !doc.number) similar(); // of a new article it is told unasked
}

/** Ask for a tab and draw the answer, or why there is none; what was asked before is not waited for any more. */
async function ask(tab, where, path, body, draw) {
  asked[tab]?.abort();
  asked[tab] = new AbortController();
  const { signal } = asked[tab];
  try {
    const found = await api(path, { method: "POST", body, signal });
    if (!signal.aborted) where.replaceChildren(...draw(found));
  } catch (error) {
    if (!signal.aborted) where.replaceChildren(error.code === "invalid" ? el("p", { class: "note stop", lang: "en" }, error.message) : trouble(error, look));
  }
}

const soft = (words) => el("p", { class: "soft" }, words);

function preview() {
  const { title, body, state } = now();
  const as = $("as").value;
  const forWhom = t(`write.audience.${as}`);
  return ask("preview", $("shown"), "drafts/preview", { body, audience: as, ...(doc.number && { number: doc.number }) }, (found) => {
    const narrower = state.audience && TIERS.indexOf(state.audience) > TIERS.indexOf(as);
    const notes = [
      narrower && el("p", { class: "note" }, t("write.preview.not_theirs", { audience: t(`write.audience.${state.audience}`), as: forWhom })),
      found.hidden > 0 && el("p", { class: "small soft" }, t("write.preview.hidden", { n: number(found.hidden) })),
      found.mistake && el("p", { class: "note stop" }, t("write.preview.mistake", { line: number(found.mistake.line) }), " ",
        el("button", { type: "button", on: { click: () => goToLine(found.mistake.line) } }, t("write.go"))),
    ];
    const article = el("article", { class: "prose", lang: doc.language }, el("h2", {}, title || t("write.untitled")));
    article.append(prose(found.html, { deeper: 1 }));
    return [...notes.filter(Boolean), found.html.trim() ? article : soft(t("write.preview.empty"))];
  });
}

function changes() {
  if (!doc.number) return $("changed").replaceChildren(soft(t("write.changes.new")));
  const { title, body } = now();
  const wanted = { number: doc.number, revision: Number($("against").value), title, body };
  return ask("changes", $("changed"), "drafts/compare", wanted, (found) => [
    el("h2", {}, t("write.title.label")), changeBlock(found.title, doc.language),
    el("h2", {}, t("write.text.label")), changeBlock(found.body, doc.language),
  ]);
}

/** What a template finds wrong, in words. */
export function inWords({ kind, field }) {
  const known = doc.template?.fields.find((each) => each.key === field);
  return t(`write.wrong.${kind}`, { field: nameOfField(field), audience: known ? t(`write.audience.${known.audience}`) : "" });
}

function point(good, words, lead) {
  return el("li", { class: good ? "good" : "wrong" },
    el("span", { class: "sign", "aria-hidden": "true" }, good ? "✓" : "!"),
    el("span", {}, el("span", { class: "unseen" }, t(good ? "write.check.good" : "write.check.wrong")), words),
    !good && lead && el("button", { type: "button", "aria-label": `${t("write.go")}: ${words}`, on: { click: lead } }, t("write.go")));
}

function checklist() {
  const { title, body } = now();
  return ask("checklist", $("checked"), "drafts/check", { title, body, template: doc.template?.id ?? "" }, (found) => {
    const wrong = CHECKS.filter((each) => !found.checks[each]);
    $("checklist-count").textContent = found.warnings.length + wrong.length || "";
    const lead = (each) => () => (each === "title_length" ? $("title").focus() : LEADS[each] ? goToField(LEADS[each]) : $("body").focus());
    return [
      found.warnings.length > 0 && el("h2", {}, t("write.check.stops")),
      found.warnings.length > 0 && el("ul", { class: "points" }, ...found.warnings.map((each) =>
        point(false, inWords(each), () => (each.field ? goToField(each.field) : $("body").focus())))),
      el("h2", {}, t("write.check.standard")),
      el("ul", { class: "points" }, ...CHECKS.map((each) =>
        point(found.checks[each], t(`write.check.${each}.${found.checks[each] ? "good" : "wrong"}`), lead(each)))),
    ].filter(Boolean);
  });
}

/** Something that says the same, with a way to it in a tab of its own. */
export function nearLine({ number: label, title, reason }) {
  return el("li", {},
    label
      ? el("a", { href: `/editor/article?number=${encodeURIComponent(label)}`, target: "_blank", rel: "noopener" }, title,
        el("span", { class: "unseen" }, ` (${t("write.opens")})`))
      : title,
    el("p", { class: "facts" }, label ? el("span", { class: "number" }, label) : el("span", {}, t("hit.community")),
      el("span", {}, t(`write.near.${reason}`, {}, reason))));
}

function similar() {
  const { title, body } = now();
  if (!title.trim()) return $("near").replaceChildren(soft(t("write.near.title_first")));
  return ask("similar", $("near"), "drafts/similar", { title, body, limit: 5, ...(doc.number && { number: doc.number }) }, (found) => {
    $("similar-count").textContent = found.found.length || "";
    if (!found.found.length) return [soft(t("write.near.none"))];
    return [soft(t("write.near.some")), el("ul", { class: "near" }, ...found.found.map(nearLine))];
  });
}

const said = (words, text) => text && el("div", {}, el("dt", {}, words), el("dd", {}, text));

function theCase() {
  const one = doc.case;
  const others = doc.cases.filter((each) => each.id !== one?.id);
  const name = (each) => each.quote || each.title;
  $("about").replaceChildren(...[
    one && el("h2", {}, t(`case.cause.${one.cause}`)),
    one?.quote && el("blockquote", { lang: doc.language }, one.quote),
    ...(one?.flags ?? []).map((flag) => el("dl", { class: "flag" },
      said(t("write.case.by"), `${nameOfPerson(flag.person_id)} · ${day(flag.created_at)}`),
      said(t("write.case.note"), flag.note),
      said(t("write.case.query"), flag.query))),
    one && el("p", {}, el("a", { href: caseAt(one.id) }, t("write.case.open"))),
    others.length > 0 && el("h2", {}, t("write.case.others")),
    others.length > 0 && el("ul", {}, ...others.map((each) => el("li", {}, el("a", { href: caseAt(each.id) }, name(each))))),
  ].filter(Boolean));
}

/** The address of a case. */
export const caseAt = (id) => `/editor/case?id=${encodeURIComponent(id)}`;

for (const name of Object.keys(TABS)) {
  $(`tab-${name}`).addEventListener("click", () => show(name));
  $(`tab-${name}`).addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const there = Object.keys(TABS).filter((each) => !$(`tab-${each}`).hidden);
    show(there.at((there.indexOf(name) + step) % there.length), { focus: true });
  });
}
$("as").addEventListener("change", look);
$("audience").addEventListener("change", () => { if (!doc.number) $("as").value = $("audience").value; });
$("against").addEventListener("change", look);
