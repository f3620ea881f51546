// Explain: one search taken apart, hits judged in place, and why something is not among them.

import { audience, facts, fill, go, here, known, leg, score, title, why } from "./bench-shared.js";
import { bench } from "./client.js";
import { $, el } from "./dom.js";
import { degraded } from "./hits.js";
import { count, LANGUAGES, nameOf, number, signed, t } from "./i18n.js";
import { say } from "./page.js";
import { signedIn } from "./session.js";
import { trouble, troubleInWords, waiting } from "./states.js";

const SOON = 250; // ms: an answer that comes sooner needs no outline
const GRADES = [0, 1, 2, 3];
const SIGNS = { stop: "✕", note: "!", fine: "✓" };
const DATES = ["from", "until"];

let asked = null; // what the answer is to
let found = null;
let looked = null; // the findings for one item
let request = null;

/** Nothing that somebody else saw stays. */
export function forget() {
  request?.abort();
  [asked, found, looked] = [null, null, null];
  $("explained").replaceChildren();
}

/** Draw the form and what there is to show, in the present language. */
export function draw() {
  const place = here();
  fill($("as"), [["", t("bench.as.yourself")], ...known.settings.audiences.map((each) => [each, audience(each)])], place.as);
  fill($("product"), [["", t("bench.none")], ...known.products.map((each) => [each.key, each.name])], place.product);
  fill($("answer-language"), [["", t("bench.none")], ...LANGUAGES.map((tag) => [tag, nameOf(tag), tag])], place.language);
  fill($("into"), [["", t("bench.into.none")], ...known.sets.map((each) => [each.id, each.name])], place.set);
  $("into-field").hidden = !known.mayJudge;
  if (found) show();
  else if (!place.q) $("explained").replaceChildren(start());
}

/** Show the place that the address names. */
export async function arrive() {
  const place = here();
  $("query").value = place.q;
  draw();
  if (!place.q) return forgetAnswer();
  if (JSON.stringify(body(place)) === JSON.stringify(asked)) return undefined;
  return ask(place);
}

function forgetAnswer() {
  forget();
  $("explained").replaceChildren(start());
}

const start = () => el("div", { class: "state" }, el("h2", {}, t("bench.start.title")), el("p", {}, t("bench.start.text")));

function body(place) {
  return {
    query: place.q,
    ...(place.as && { audience: place.as }),
    context: { product: place.product, ...(place.language && { language: place.language }) },
    ...(place.set && known.sets.some((each) => each.id === place.set) && { set_id: place.set }),
  };
}

async function ask(place) {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  const here = $("explained");
  const outline = setTimeout(() => { here.replaceChildren(waiting()); say(t("loading")); }, SOON);
  here.setAttribute("aria-busy", "true");
  try {
    const answer = await bench("explain", { method: "POST", body: body(place), signal });
    [asked, found, looked] = [body(place), answer, null];
    show();
    say(count("results.count", found.rows.filter((row) => row.place).length));
  } catch (error) {
    if (signal.aborted) return;
    [asked, found] = [null, null];
    here.replaceChildren(trouble(error, () => ask(place)));
    say(troubleInWords(error));
  } finally {
    clearTimeout(outline);
    if (!signal.aborted) here.removeAttribute("aria-busy");
  }
}

function show() {
  const shown = found.rows.filter((row) => row.place);
  $("explained").replaceChildren(
    ...degraded(found.degraded),
    ...summary(),
    whyNot(),
    el("div", { class: "columns" },
      el("section", { "aria-labelledby": "fused-title" },
        el("h2", { id: "fused-title" }, t("bench.fused")),
        el("p", { class: "soft small" }, found.weight === null ? "" : t("bench.weight", { dense: percent(found.weight), lexical: percent(1 - found.weight) })),
        shown.length ? el("ol", { class: "rows" }, ...shown.map(row)) : el("p", { class: "empty" }, t("bench.nothing")),
        below(),
        dropped()),
      ...["lexical", "dense"].map(column)),
  );
}

const percent = (value) => `${number(value * 100)} %`;

function summary() {
  const told = [
    found.searched !== asked.query && t("bench.corrected", { query: found.searched }),
    ...Object.entries(found.expanded).map(([term, also]) => t("bench.expanded", { term, also: also.join(", ") })),
  ].filter(Boolean);
  return told.map((each) => el("p", { class: "soft" }, each));
}

function row(each) {
  return el("li", { class: "row-item" },
    el("span", { class: "place", "aria-hidden": "true" }, each.place ?? "–"),
    el("article", {},
      el("h3", {}, title(each.item)),
      facts(each.item),
      excerpt(each),
      el("p", { class: "legs small" }, ...["lexical", "dense"].map((name) => chip(name, each.legs[name]))),
      reasons(each),
      known.mayJudge && grades(each),
      !each.place && askWhy(each.item)));
}

const chip = (name, at) =>
  el("span", { class: `chip ${name}` }, at ? t("bench.in_leg", { leg: leg(name), place: at.place, score: score(at.score) }) : t("bench.not_in_leg", { leg: leg(name) }));

function reasons(each) {
  const parts = [...each.why.map((one) => [why(one.name), signed(one.value), ""]), [t("bench.score"), score(each.score), "sum"]];
  return el("dl", { class: "reasons small" }, ...parts.map(([name, value, how]) => el("div", { class: how }, el("dt", {}, name), el("dd", {}, value))));
}

function excerpt(each) {
  if (!each.passage) return el("p", { class: "soft small" }, t("bench.no_passage"));
  const heading = each.passage.heading.join(" › ");
  return el("div", { class: "excerpt", lang: each.item.language }, heading && el("p", { class: "path" }, heading), el("p", {}, each.passage.text));
}

function grades(each) {
  if (!asked.set_id) return null;
  const buttons = GRADES.map((grade) =>
    el("button", { type: "button", "aria-pressed": String(each.grade === grade), on: { click: () => judge(each, each.grade === grade ? null : grade, buttons) } }, t(`bench.grade.${grade}`)));
  return el("div", { class: "grades", role: "group", "aria-label": t("bench.judge", { title: each.item.title }) }, ...buttons);
}

async function judge(each, grade, buttons) {
  const { kind, id } = each.item;
  try {
    await bench(`sets/${encodeURIComponent(asked.set_id)}/judgements`, {
      method: "PUT",
      body: { query: asked.query, audience: asked.audience ?? signedIn().tier, item: { kind, id }, grade },
    });
  } catch (error) {
    return say(`${troubleInWords(error)}. ${error.message}`);
  }
  each.grade = grade;
  buttons.forEach((button, n) => button.setAttribute("aria-pressed", String(n === grade)));
  return say(grade === null ? t("bench.taken_back") : t("bench.judged", { grade: t(`bench.grade.${grade}`) }));
}

function below() {
  const rest = found.rows.filter((each) => !each.place);
  if (!rest.length) return null;
  return el("details", { class: "more-rows" }, el("summary", {}, count("bench.below", rest.length)), el("ol", { class: "rows" }, ...rest.map(row)));
}

function dropped() {
  if (!found.dropped.length) return null;
  return el("section", { class: "dropped" },
    el("h3", {}, t("bench.dropped")),
    el("ul", {}, ...found.dropped.map((each) => el("li", {}, title(each.item), " ", el("span", { class: "soft small" }, t(`bench.dropped.${each.reason}`))))));
}

function column(name) {
  const hits = found.legs[name] ?? [];
  const inList = new Set(found.rows.filter((each) => each.place).map((each) => each.item.id));
  const lines = hits.map((each) =>
    el("li", { class: "row-item" },
      el("span", { class: "place", "aria-hidden": "true" }, each.place),
      el("article", {},
        el("h3", {}, title(each.item)),
        el("p", { class: "small" }, el("strong", { class: "figure" }, score(each.score)), " ", each.passage ? el("span", { class: "soft", lang: each.item.language }, each.passage.heading.join(" › ")) : el("span", { class: "soft" }, t("bench.no_passage"))),
        !inList.has(each.item.id) && askWhy(each.item))));
  const empty = found.asked.includes(name) ? t("bench.leg.empty") : t(`bench.leg.${name}.off`);
  return el("section", { class: `leg ${name}`, "aria-labelledby": `leg-${name}` },
    el("h2", { id: `leg-${name}` }, leg(name)),
    el("p", { class: "soft small" }, t(`bench.leg.${name}.text`)),
    lines.length ? el("ol", { class: "rows" }, ...lines) : el("p", { class: "empty" }, empty));
}

const askWhy = (item) =>
  el("button", { type: "button", class: "quiet small", "aria-label": t("bench.why_not.of", { title: item.title }), on: { click: () => look({ item: { kind: item.kind, id: item.id } }) } }, t("bench.why_not"));

function whyNot() {
  const input = el("input", { id: "number", type: "text", maxLength: 40, placeholder: "482-9175", required: true, class: "code" });
  input.setAttribute("autocapitalize", "off");
  const form = el("form", { class: "fields why-not", autocomplete: "off" },
    el("div", { class: "field" }, el("label", { htmlFor: "number" }, t("bench.why_not.label")), input),
    el("button", { type: "submit" }, t("bench.why_not.ask")));
  form.addEventListener("submit", (event) => { event.preventDefault(); look({ number: input.value.trim() }); });
  return el("section", { class: "looked" }, form, el("div", { id: "findings", tabIndex: -1 }, ...(looked ? findings() : [])));
}

/** Why something is not found, or where it stands. */
async function look(what) {
  const { signal } = request;
  $("findings").setAttribute("aria-busy", "true");
  try {
    looked = await bench("explain", { method: "POST", body: { ...asked, ...what }, signal });
    $("findings").replaceChildren(...findings());
    $("findings").focus();
    $("findings").scrollIntoView({ block: "nearest" });
    say(t("bench.why_not.done"));
  } catch (error) {
    if (signal.aborted) return;
    looked = null;
    $("findings").replaceChildren(trouble(error));
    say(troubleInWords(error));
  } finally {
    $("findings")?.removeAttribute("aria-busy");
  }
}

function findings() {
  const lines = looked.findings.map((each) =>
    el("li", { class: each.verdict }, el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[each.verdict]),
      el("span", {}, el("span", { class: "unseen" }, `${t(`bench.verdict.${each.verdict}`)}: `), finding(each))));
  return [el("h2", {}, looked.about ? title(looked.about) : t("bench.why_not.unknown")), el("ul", { class: "findings" }, ...lines)];
}

/** A finding in words: its values are names that have words of their own, numbers, or dates. */
function finding({ name, values }) {
  const words = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, inWords(key, value)]));
  return t(`finding.${name}`, words, name);
}

function inWords(key, value) {
  if (key === "prior") return why(value);
  if (key === "value") return signed(value);
  if (typeof value === "number") return number(value, 3);
  if (key === "field") return t(`bench.filter.${value}`, {}, value);
  if (DATES.includes(key)) return new Date(value).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  if (key === "query" || (key === "has" && /^(en|zh)/.test(value))) return t(`bench.family.${value.slice(0, 2)}`, {}, value);
  return audience(value);
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  asked = null; // the same question again is a wish for a fresh answer
  go({ tab: "", q: $("query").value.trim() });
  arrive();
});
for (const [id, name] of [["as", "as"], ["product", "product"], ["answer-language", "language"], ["into", "set"]]) {
  $(id).addEventListener("change", () => { go({ [name]: $(id).value, q: $("query").value.trim() }); arrive(); });
}
