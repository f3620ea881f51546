// How the editor's pages say what articles are and what went wrong.

import { el } from "./dom.js";
import { day, nameOf, t } from "./i18n.js";

/** The three fields of an article's state, as badges. */
export function stateBadges(article) {
  return [
    el("span", { class: `badge ${article.confidence}` }, t(`confidence.${article.confidence}`)),
    el("span", { class: `badge ${article.audience}` }, t(`audience.${article.audience}`)),
    article.governance === "compliance" && el("span", { class: "badge" }, t("art.governance.compliance")),
    el("span", { class: "soft small" }, nameOf(article.language)),
  ];
}

/** A link to an article's page with its number for the eye. */
export const articleLink = (number, title, lang) =>
  el("a", { href: `/editor/article?${new URLSearchParams({ number })}`, lang }, title || number);

/** A day, or a dash that is read as nothing. */
export const dayOr = (iso, nothing = "art.none") => (iso ? el("time", { dateTime: iso }, day(iso)) : t(nothing));

const OWN = {
  conflict: "art.error.conflict",
  not_allowed: "art.error.not_allowed",
  not_found: "error.not_found",
  offline: "offline.title",
  slow: "error.slow",
  unreadable: "error.unreadable",
  unreachable: "error.unreachable",
  unavailable: "error.unavailable",
};

/** What went wrong, in one line; what the server says of a field is English. */
export const inWords = (error) =>
  error.code in OWN ? t(OWN[error.code]) : t("art.error.other", { message: error.message || t("error.title") });
