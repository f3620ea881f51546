// Three quiet selects that narrow a search.

import { $, el } from "./dom.js";
import { current, LANGUAGES, nameOf, t } from "./i18n.js";

const KINDS = ["article", "post", "product"];

/** Draw the filters for a place. `changed(name, value)` follows a choice; without products there is no such filter. */
export function filters(place, products, changed) {
  const choices = {
    language: LANGUAGES.map((tag) => ({ value: tag, text: nameOf(tag), lang: tag })),
    product: products.map((each) => ({ value: each.key, text: each.name })),
    kind: KINDS.map((kind) => ({ value: kind, text: t(`kind.${kind}`) })),
  };
  const shown = Object.entries(choices).filter(([name, options]) => options.length || place[name]);
  const focused = document.activeElement?.id;
  $("filters").replaceChildren(...shown.map(([name, options]) => choice(name, options, place[name], changed)));
  if (focused?.startsWith("filter-")) $(focused)?.focus();
}

function choice(name, options, value, changed) {
  // A product that the list does not know (an old link) is shown as it is, not dropped.
  const known = options.some((each) => each.value === value) || !value ? options : [...options, { value, text: value }];
  const select = el(
    "select",
    { id: `filter-${name}`, class: value ? "quiet set" : "quiet", "aria-label": t(`filter.${name}`) },
    el("option", { value: "", lang: current() }, t(`filter.${name}.any`)),
    ...known.map((each) => el("option", { value: each.value, lang: each.lang }, each.text)),
  );
  select.value = value;
  select.addEventListener("change", () => changed(name, select.value));
  return select;
}
