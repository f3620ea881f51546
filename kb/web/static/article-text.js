// What the article says now, as this person may read it.

import { el } from "./dom.js";
import { t } from "./i18n.js";
import { prose } from "./prose.js";
import { editorPage } from "./article-place.js";

export function content({ article, number }) {
  const { latest, published } = article.editing;
  const waits = published !== null && latest > published;
  return [
    waits && el("p", { class: "note" }, t("art.draft_waits", { latest, published }), " ",
      el("a", { href: editorPage("article", { number, tab: "history", from: published, to: latest }) }, t("art.history.compare"))),
    published === null && el("p", { class: "note" }, t("art.never_published")),
    el("div", { class: "prose", lang: article.language }, prose(article.html)),
    !article.body.trim() && el("p", { class: "soft" }, t("art.no_text")),
  ];
}
