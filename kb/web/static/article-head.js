// The head of an article's page: title, state, what one has to know, what one can do; and the facts beside it.

import { nameOfPerson } from "./colleagues.js";
import { el } from "./dom.js";
import { count, day, t } from "./i18n.js";
import { articleLink, dayOr, stateBadges } from "./article-words.js";
import { editorPage } from "./article-place.js";

/** Title, state, warnings, actions. `acts` are what the buttons do. */
export function head({ article, number, may }, acts) {
  const button = (key, words, act, shortcut, more = {}) =>
    el("button", { type: "button", id: `do-${key}`, "aria-keyshortcuts": shortcut, on: { click: act }, ...more }, words);
  return [
    el("p", { class: "kicker soft small" }, el("span", { class: "number" }, number),
      article.topic && el("span", {}, ` · ${article.topic}`)),
    el("h2", { lang: article.language }, article.title),
    el("p", { class: "facts" }, ...stateBadges(article)),
    ...warnings(article),
    el("div", { class: "row actions" },
      may.edit && el("a", { class: "button primary", id: "do-edit", "aria-keyshortcuts": "e", href: editorPage("write", { number }) }, t("art.edit")),
      may.confirm && button("confirm", t("art.confirm"), acts.confirm, "c", { title: t("art.confirm.help") }),
      may.change && button("change", t("art.change"), acts.change, "s"),
      may.merge && el("a", { class: "button", id: "do-merge", "aria-keyshortcuts": "m", href: editorPage("merge", { number }) }, t("art.merge")),
      may.archive && button("archive", t("art.archive"), acts.archive)),
  ].filter(Boolean);
}

function warnings(article) {
  const { valid_from: from, valid_until: until, published } = article.editing;
  const now = Date.now();
  const why = article.confidence === "archived" ? null // said by itself
    : published === null ? null // the text says it
    : from && Date.parse(from) > now ? t("art.not_yet", { date: day(from) })
    : until && Date.parse(until) <= now ? t("art.ended", { date: day(until) }) : null;
  return [
    article.open_case && el("p", { class: "note stop" }, t("art.severe", { cause: t(`case.cause.${article.open_case.cause}`) }), " ",
      el("a", { href: editorPage("case", { id: article.open_case.id }) }, t("art.severe.open"))),
    article.confidence === "archived" && el("p", { class: "note" }, t("art.archived"),
      article.superseded_by && el("span", {}, " ", t("art.led_to"), " ", articleLink(article.superseded_by, article.superseded_by))),
    why && el("p", { class: "note" }, why),
    article.confidence !== "archived" && article.superseded_by && el("p", { class: "note" }, t("hit.superseded"), " ",
      articleLink(article.superseded_by, article.superseded_by)),
  ].filter(Boolean);
}

/** Owner, dates, what it belongs to, and who wrote it (KCS PA-08). */
export function facts({ article, revisions, may }, acts) {
  const { editing } = article;
  const until = [dayOr(editing.valid_until, "art.fact.until.none"), " ",
    may.change && el("button", { type: "button", class: "quiet small", id: "do-expiry", on: { click: acts.expiry } }, t("art.fact.until.set"))];
  const lines = [
    ["owner", editing.owner_id ? nameOfPerson(editing.owner_id) : t("art.none")],
    ["until", until],
    ["from", editing.valid_from && dayOr(editing.valid_from)],
    ["confirmed", dayOr(editing.confirmed_at, "art.fact.confirmed.never")],
    ["published", editing.published === null ? t("art.fact.published.never")
      : [t("art.revision", { n: editing.published }), " · ", dayOr(article.published_at)]],
    ["changed", dayOr(editing.modified_at)],
    ["created", dayOr(editing.created_at)],
    ["groups", editing.groups.join(t("art.and"))],
    ["products", article.products.join(t("art.and"))],
    ["tags", article.tags.join(t("art.and"))],
    ["original", article.translation_of && articleLink(article.translation_of, article.translation_of)],
    ["source", editing.source && [editing.source, editing.source_key].filter(Boolean).join(" · ")],
  ];
  return [
    el("h3", {}, t("art.facts")),
    el("dl", {}, ...lines.filter(([, value]) => value && value.length !== 0).map(([name, value]) =>
      el("div", {}, el("dt", {}, t(`art.fact.${name}`)), el("dd", {}, ...[value].flat().filter(Boolean))))),
    el("h3", {}, t("art.contributors")),
    el("ul", { class: "plain", id: "contributors" }, ...contributors(revisions).map(([id, own]) =>
      el("li", {}, nameOfPerson(id), " ", el("span", { class: "soft small" }, count("art.contributed", own.length))))),
  ];
}

/** Who wrote how many of its revisions, most first. */
function contributors(revisions) {
  return Object.entries(Object.groupBy(revisions, (each) => each.author_id)).sort(([, a], [, b]) => b.length - a.length);
}
