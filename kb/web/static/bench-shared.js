// What the parts of the workbench share: where we are, the sets, the settings that can be tried.

import { bench, products } from "./client.js";
import { $, el } from "./dom.js";
import { current, number, signed, t } from "./i18n.js";

const FIELDS = ["tab", "q", "as", "product", "language", "set"];

/** What was loaded once for this person; `mayJudge` says whether the sets are for them. */
export const known = { settings: null, products: [], sets: [], mayJudge: false };

/** The place the address names; what it does not name is "". */
export function here() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(FIELDS.map((name) => [name, given.get(name) ?? ""]));
}

/** Go to a place; what `place` does not name stays. */
export function go(place) {
  const next = { ...here(), ...place };
  const kept = new URLSearchParams(FIELDS.filter((name) => next[name]).map((name) => [name, next[name]]));
  const hash = kept.size ? `#${kept}` : "";
  if (hash !== location.hash) history.pushState(null, "", location.pathname + location.search + hash);
}

/** Everything that the forms offer. Products are a help: without them one can still ask. */
export async function load(person) {
  known.mayJudge = person.tier === "internal";
  const [settings, list] = await Promise.all([bench("settings"), products().catch(() => ({ products: [] }))]);
  Object.assign(known, { settings, products: list.products, sets: [] });
  await loadSets();
}

/** The sets as they are now. */
export async function loadSets() {
  known.sets = known.mayJudge ? (await bench("sets")).sets : [];
}

/** The options of a select, `[value, text, lang]` each; the value that was chosen stays. */
export function fill(select, options, value = select.value) {
  select.replaceChildren(...options.map(([each, text, lang]) => el("option", { value: each, lang }, text)));
  select.value = options.some(([each]) => each === value) ? value : options[0]?.[0] ?? "";
}

/** A label with its control. */
export const field = (label, control, more = {}) =>
  el("div", { class: "field", ...more }, el("label", { htmlFor: control.id }, label), control);

/** An item's title as a link to it, where there is a page for it. */
export function title(item) {
  const props = { lang: item.language, class: "item-title" };
  if (!item.number) return el("span", props, item.title);
  return el("a", { ...props, href: `/#article=${encodeURIComponent(item.number)}`, target: "_blank" }, item.title,
    el("span", { class: "unseen" }, ` (${t("bench.opens")})`));
}

/** What kind of thing it is and who may read it. */
export const facts = (item) =>
  el("p", { class: "facts" },
    el("span", { class: `badge ${item.audience}` }, audience(item.audience)),
    item.number ? el("span", { class: "number" }, item.number) : el("span", {}, t(`bench.kind.${item.kind}`, {}, item.kind)));

/** What an audience is called. */
export const audience = (name) => t(`bench.audience.${name}`, {}, name);

const THREE = { minimumFractionDigits: 3, maximumFractionDigits: 3 };
export const score = (value) => new Intl.NumberFormat(current(), THREE).format(value);
export const change = (value) => (Math.abs(value) < 0.0005 ? number(0) : signed(value));
export const why = (name) => t(`why.${name}`, {}, name);
export const leg = (name) => t(`bench.leg.${name}`, {}, name);
