// Answers: one function per part of a hit.

import { card, uncertain } from "./answer.js";
import { el } from "./dom.js";
import { helped } from "./helped.js";
import { count, day, nameOf, number, signed, t } from "./i18n.js";
import { finder, prose, withMarks } from "./prose.js";

/**
 * The list of answers with what stands above and below it. `open(hit)` shows an article, `more()` asks for more, `asked`
 * is what was typed, `desk` the tools of staff.
 */
export function answers(answer, query, { hrefOf, open, more, asked, desk }) {
  const typed = query.split(/\s+/).filter((word) => word.length > 2 || /\p{Script=Han}|\d/u.test(word));
  return [
    ...degraded(answer.degraded),
    answer.answer ? answerCard(answer, typed, itemOf(answer, 0, asked), { hrefOf, open, desk }) : answer.no_answer && uncertain(),
    el("h2", { class: "unseen" }, t("results.label")),
    el("div", { class: "summary soft small" }, [howMany(answer.hits.length, more), total(answer.took_ms), also(answer.expanded)].filter(Boolean).join(" · ")),
    el("ol", { class: "hits" }, ...answer.hits.map((hit, n) => el("li", {}, oneHit(hit, typed, itemOf(answer, n, asked), { hrefOf, open, desk })))),
    more && el("button", { class: "more", type: "button", on: { click: more } }, t("results.more")),
    desk?.foot({ query: asked, search_id: answer.search_id }),
    stages(answer.took_ms),
  ].filter(Boolean);
}

/** What was searched instead of what was typed, or what may have been meant. `hrefs` are the places to go to. */
export function corrected(found, { hrefs, exactly, meant }) {
  if (!found) return [];
  const link = (words, href, follow) => el("a", { href, on: { click: (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as everywhere
    event.preventDefault();
    follow();
  } } }, words);
  return [
    found.applied
      ? el("p", { class: "corrected" }, el("strong", {}, t("corrected.showing", { to: found.to })), " ",
          link(t("corrected.instead", { from: found.from }), hrefs.exactly, exactly))
      : el("p", { class: "corrected" }, link(t("corrected.meant", { to: found.to }), hrefs.meant, meant)),
  ];
}

/** The answer is the first hit's: how it is called, and what one has to know of it, stands there. */
function answerCard({ answer, hits: [hit] }, typed, item, { hrefOf, open, desk }) {
  const shown = card(answer, {
    title: hit.number ? hit.title : title(hit, finder(typed), hrefOf, open), // its link is the button
    facts: facts(ofPassage(hit)),
    warning: openCase(hit.open_case),
    open: hit.number && (() => open(hit)),
    question: helped(item, desk?.no(item)),
  });
  desk?.hitTools(shown, item);
  return shown;
}

/** A hit as something that can be flagged and rated: what it is, and the search that found it. */
function itemOf({ hits, search_id }, n, query) {
  const { kind, id, number, title, language, revision, passage: { ordinal } } = hits[n];
  return { kind, id, number, title, language, revision, ordinal, query, search_id, position: n + 1 };
}

/** What staff have to know before they pass something on. */
export function openCase(found) {
  if (!found) return null;
  const told = t("open_case", { cause: t(`flag.cause.${found.cause}`), date: day(found.opened_at) });
  const href = `/editor/case?${new URLSearchParams({ id: found.id })}`;
  return el("p", { class: "note stop open-case" }, el("strong", {}, "⚠ ", t("open_case.title")), " ", told, " ",
    el("a", { href }, t("flag.see")));
}

/** What else was asked for, because the dictionary says so. */
function also(expanded = []) {
  const forms = expanded.flatMap((each) => each.also);
  return forms.length > 0 && t("expanded", { also: forms.join(t("expanded.and")) });
}

/** "The best 10 answers" when there are more, "3 answers" when these are all. */
export const howMany = (n, more) => (more ? t("results.count.many", { n }) : count("results.count", n));

/** What was missing when this was answered, in words. */
export function degraded(parts = []) {
  return parts.map((part) => el("p", { class: "note" }, t(`degraded.${part}`, {}, t("degraded.other", { part }))));
}

const total = (took) => took?.total !== undefined && t("results.took", { ms: number(took.total, 1) });

function stages({ total: _, ...parts } = {}) {
  const text = Object.entries(parts).map(([name, ms]) => `${t(`stage.${name}`, {}, name)} ${t("results.took", { ms: number(ms, 1) })}`);
  return text.length > 0 && el("p", { class: "stages" }, text.join(" · "));
}

function oneHit(hit, typed, item, { hrefOf, open, desk }) {
  const words = hit.passage.highlights ?? [];
  const heading = (hit.passage.heading ?? []).join(" › ");
  const shown = el(
    "article",
    { class: `hit ${hit.kind}` },
    el("h3", { lang: hit.language }, title(hit, finder([...words, ...typed]), hrefOf, open)),
    heading && el("p", { class: "path", lang: hit.language }, heading),
    hit.superseded && el("p", { class: "warning" }, t("hit.superseded")),
    openCase(hit.open_case),
    passage(hit, finder(words)),
    facts(ofPassage(hit)),
    why(hit.why),
  );
  desk?.hitTools(shown, item);
  return shown;
}

// What stands in a passage may be for fewer eyes than the rest of its article.
const ofPassage = (hit) => ({ ...hit, audience: hit.passage.audience, restricted: hit.passage.restricted });

function title(hit, find, hrefOf, open) {
  const text = withMarks(hit.title, find);
  if (hit.number) {
    const follow = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as everywhere
      event.preventDefault();
      open(hit);
    };
    return el("a", { href: hrefOf(hit), "data-number": hit.number, on: { click: follow } }, ...text);
  }
  if (!/^https?:\/\//.test(hit.url ?? "")) return el("span", {}, ...text);
  const away = { href: hit.url, target: "_blank", rel: "noopener noreferrer ugc nofollow" };
  return el("a", away, ...text, el("span", { class: "unseen" }, ` (${t("hit.opens_elsewhere")})`));
}

const FOLD = 380; // px: below this, folding to 16rem would hide less than the button takes

/** A long passage is folded, so that the next answer stays in sight. */
function passage(hit, find) {
  const text = el("div", { class: "passage prose", lang: hit.language }, prose(hit.passage.html, { deeper: 2, find }));
  const unfold = el("button", { class: "unfold", type: "button", hidden: true }, t("hit.unfold"));
  unfold.addEventListener("click", () => {
    text.classList.remove("folded");
    unfold.remove();
  });
  requestAnimationFrame(() => {
    if (text.scrollHeight <= FOLD) return;
    text.classList.add("folded");
    unfold.hidden = false;
  });
  // What the fold hides can still be reached by the Tab key: then it has to be seen.
  text.addEventListener("focusin", () => unfold.click());
  const whole = document.createDocumentFragment();
  whole.append(text, unfold);
  return whole;
}

/** Everything one has to know before relying on a text, in one line. */
export function facts(item) {
  const community = item.kind === "post";
  return el(
    "p",
    { class: "facts" },
    community && el("span", { class: "badge community" }, t("hit.community")),
    item.audience && el("span", { class: `badge ${item.audience}` }, t(`audience.${item.audience}`, {}, item.audience)),
    item.restricted && el("span", { class: "badge internal" }, t("hit.restricted")),
    community && item.author && el("span", {}, t("hit.by", { author: item.author })),
    community ? el("span", { class: "unsure" }, t("hit.unchecked")) : confidence(item.confidence),
    item.number && el("span", { class: "number", "aria-label": t("hit.number", { number: item.number }), role: "img" }, item.number),
    item.language && el("span", { lang: item.language }, nameOf(item.language)),
    item.changed_at && el("time", { dateTime: item.changed_at }, t("hit.changed", { date: day(item.changed_at) })),
    community && item.source && el("span", {}, t("hit.source", { source: item.source })),
  );
}

function confidence(name) {
  if (!name) return null;
  const sure = name === "validated";
  return el("span", { class: sure ? "validated" : "unsure" }, `${sure ? "✓" : "○"} ${t(`confidence.${name}`, {}, name)}`);
}

function why(reasons) {
  if (!reasons?.length) return null;
  const lines = reasons.flatMap((each) => [
    el("dt", {}, t(`why.${each.name}`, {}, each.name)),
    el("dd", {}, signed(each.value)),
  ]);
  return el("details", { class: "why" }, el("summary", {}, t("hit.why")), el("dl", {}, ...lines));
}
