// The article in other languages, and how far each is behind its original.

import { api } from "./client.js";
import { articleLink } from "./article-words.js";
import { editorPage } from "./article-place.js";
import { el } from "./dom.js";
import { LANGUAGES, count, nameOf, t } from "./i18n.js";

export async function content({ path, number, person }, { signal }) {
  const { translations } = await api(`${path}/translations`, { signal });
  const writes = person.rights.includes("draft");
  const original = translations.find((each) => each.is_original);
  const missing = LANGUAGES.filter((tag) => !translations.some((each) => each.language === tag));
  const here = (each) => each.number === number;
  const behind = (each) => (each.is_original ? el("span", { class: "badge" }, t("art.translations.original"))
    : el("span", { class: each.behind ? "badge behind" : "badge validated" },
      each.behind ? count("art.translations.behind", each.behind) : t("art.translations.current")));
  const line = (each) => el("li", {},
    el("p", {}, el("strong", { lang: each.language }, nameOf(each.language)), " · ",
      here(each) ? el("span", { lang: each.language }, `${each.title} (${t("art.translations.this")})`) : articleLink(each.number, each.title, each.language)),
    el("p", { class: "facts" }, behind(each), el("span", {}, t(`confidence.${each.confidence}`)), el("span", {}, t(`audience.${each.audience}`)),
      !each.is_original && each.behind > 0 && original && el("a", { href: editorPage("article", { number: original.number, tab: "history",
        ...(each.translates && { from: each.translates }) }) }, t("art.translations.lacks")),
      writes && !each.is_original && el("a", { href: editorPage("write", { number: each.number }) }, t("art.translations.write"))));
  const lacking = (tag) => el("li", {}, el("p", {}, el("strong", { lang: tag }, nameOf(tag)), " · ", el("span", { class: "soft" }, t("art.translations.missing"))),
    writes && el("p", {}, el("a", { href: editorPage("write", { translation_of: original.number, language: tag }) }, t("art.translations.begin"))));
  return [el("ul", { class: "plain" }, ...translations.map(line), ...missing.map(lacking))];
}
