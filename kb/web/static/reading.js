// One article, opened in place.

import { addressOf, here } from "./address.js";
import { el, icon } from "./dom.js";
import { t } from "./i18n.js";
import { helped } from "./helped.js";
import { facts, openCase } from "./hits.js";
import { prose } from "./prose.js";

/**
 * The article with its state. `back` leads to the answers, or to the search if there are none; `led` is the search that
 * found it, if one did, `desk` the tools of staff.
 */
export function article(found, back, { led, desk }) {
  const { id, number, title, language, revision } = found;
  const item = { kind: "article", id, number, title, language, revision, ...led };
  const shown = el("article", {},
    el("header", {},
      el("h2", { lang: found.language, id: "article-title", tabIndex: -1 }, found.title),
      found.superseded_by && successor(found.superseded_by),
      !found.live && el("p", { class: "warning" }, t("article.unpublished")),
      openCase(found.open_case),
      facts({ ...found, kind: "article", changed_at: found.published_at })),
    el("div", { class: "prose", lang: found.language }, prose(found.html, { deeper: 1 })),
    helped(item, desk?.no(item)),
  );
  desk?.articleTools(shown, item);
  return [back, shown];
}

const successor = (number) =>
  el("p", { class: "warning" }, t("hit.superseded"), " ", el("a", { class: "number", href: addressOf({ ...here(), article: number }) }, number));

export const backTo = (label, go) =>
  el("button", { class: "quiet back", type: "button", on: { click: go } }, icon("left"), label);
