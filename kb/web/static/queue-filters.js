// What narrows the queue: views and kinds as links, so that each can be sent or opened in a new tab; the rest as selects.

import { fixers } from "./colleagues.js";
import { $, el } from "./dom.js";
import { current, number, t } from "./i18n.js";
import { addressOf, CAUSES, isFiltered, KINDS, SEVERITIES, VIEWS } from "./queue-place.js";
import { signedIn } from "./session.js";

const CAPPED = 1000; // the API counts no further

/** Draw it for a place, with the counts of each kind. `changed(name, value)` follows a choice. */
export function drawFilters(place, counts, topics, changed) {
  const focused = document.activeElement?.id;
  $("views").replaceChildren(...VIEWS.map((view) =>
    link(`view-${view || "everything"}`, { ...place, view }, place.view === view, t(`queue.view.${view || "everything"}`))));
  $("kinds").replaceChildren(
    link("kind-every", { ...place, kind: "" }, !place.kind, t("queue.kind.every"), sum(counts)),
    ...KINDS.map((kind) => link(`kind-${kind}`, { ...place, kind }, place.kind === kind, t(`queue.kinds.${kind}`), counts[kind])),
  );
  const choices = {
    severity: SEVERITIES.map((each) => [each, t(`case.severity.${each}`)]),
    cause: CAUSES.map((each) => [each, t(`queue.cause.${each}`)]),
    topic: topics.map(({ path, names }) => [path, `${"\u2003".repeat(path.split("/").length - 1)}${names[current()] ?? path.split("/").at(-1)}`]),
    owner: owners(),
  };
  $("filters").replaceChildren(
    ...Object.entries(choices).map(([name, options]) => choice(name, options, place[name], changed)),
    isFiltered(place) ? el("a", { id: "unfilter", class: "small", href: addressOf({ view: place.view }) }, t("queue.unfilter")) : "",
  );
  if (focused && document.activeElement?.id !== focused) ($(focused) ?? $("kind-every")).focus();
}

const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);

function link(id, place, here, words, amount) {
  const known = amount !== undefined && el("span", { class: "amount" }, amount >= CAPPED ? `${number(CAPPED)}+` : number(amount));
  return el("a", { id, href: addressOf(place), "aria-current": here ? "page" : null }, words, known && " ", known);
}

function owners() {
  const me = signedIn();
  const others = fixers().filter((each) => each.id !== me.id).sort((a, b) => a.name.localeCompare(b.name, current()));
  return [["me", t("queue.you")], ...others.map(({ id, name }) => [id, name])];
}

function choice(name, options, value, changed) {
  // What the list does not know (an old link) is shown as it is, not dropped.
  const known = !value || options.some(([each]) => each === value) ? options : [...options, [value, value]];
  const select = el(
    "select",
    { id: `filter-${name}`, class: value ? "quiet set" : "quiet", "aria-label": t(`queue.filter.${name}`) },
    el("option", { value: "" }, t(`queue.filter.${name}.any`)),
    ...known.map(([each, words]) => el("option", { value: each }, words)),
  );
  select.value = value;
  select.addEventListener("change", () => changed(name, select.value));
  return select;
}
