// What a change of the dictionary would do: which searches find something else, and what moves where.

import { el } from "./dom.js";
import { degraded } from "./hits.js";
import { count, number, t } from "./i18n.js";

/** A preview, as the API gives it, in elements. */
export function differences(found) {
  const changed = found.differences.length;
  const values = { searches: number(found.searches), touched: number(found.touched), changed: number(changed) };
  const told = !found.searches ? "dictionary.preview.none" : found.touched ? "dictionary.preview.some" : "dictionary.preview.untouched";
  return [
    el("h3", {}, t("dictionary.preview.title")),
    el("p", {}, t(told, values)),
    found.played < found.touched && el("p", { class: "note" }, t("dictionary.preview.partly", { played: number(found.played), touched: values.touched })),
    ...degraded(found.degraded),
    ...found.differences.map(one),
  ].filter(Boolean);
}

function one({ query, tier, hits }) {
  return el(
    "article",
    { class: "difference" },
    el("h4", {}, query, " ", el("span", { class: "badge" }, t(`tier.${tier}`))),
    el("ol", {}, ...hits.map((hit) => el("li", {}, place(hit), el("span", {}, el("span", { lang: hit.language }, hit.title), " ", moved(hit))))),
  );
}

const place = ({ after }) => el("span", { class: "place" }, after === null ? "–" : number(after));

/** Never by colour or sign alone: it says so in words. */
function moved({ before, after }) {
  if (before === after) return null;
  if (before === null) return el("span", { class: "moved validated" }, `+ ${t("dictionary.moved.new")}`);
  if (after === null) return el("span", { class: "moved unsure" }, `− ${t("dictionary.moved.gone", { n: number(before) })}`);
  const up = after < before;
  const words = t(up ? "dictionary.moved.up" : "dictionary.moved.down", { n: number(before) });
  return el("span", { class: up ? "moved validated" : "moved unsure" }, `${up ? "↑" : "↓"} ${words}`);
}

/** How many came of an import, in words. */
export const merged = ({ created, changed, unchanged }) =>
  [count("dictionary.import.created", created), count("dictionary.import.changed", changed), count("dictionary.import.unchanged", unchanged)].join(" · ");
