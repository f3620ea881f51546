// The fields of the template as sections of the text: which are there, and a way to each.

import { $, el } from "./dom.js";
import { current, t } from "./i18n.js";
import { doc } from "./writing-doc.js";
import { jump, put } from "./writing-text.js";

const DEEPEST = 2; // deeper headings are the writer's own
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** The headings of a text that can be fields: `{ words, start, after }`, places in the text. Code has none. */
function headings(text) {
  const found = [];
  let at = 0;
  let fence = "";
  for (const line of text.split("\n")) {
    const mark = FENCE.exec(line)?.[1] ?? "";
    if (fence && mark.startsWith(fence)) fence = "";
    else if (!fence && mark) fence = mark;
    const heading = !fence && /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$/.exec(line);
    if (heading && heading[1].length <= DEEPEST) found.push({ words: heading[2], start: at, after: at + line.length });
    at += line.length + 1;
  }
  return found;
}

const plain = (words) => words.normalize("NFKC").toLowerCase().replace(/[\s:：]+$/, "").trim();
const stands = (field, heading) => Object.values(field.names).some((name) => plain(name) === plain(heading.words));

/** What a field is called in the language of the interface; `key` itself where the template does not have it. */
export const nameOfField = (key) => doc.template?.fields.find((each) => each.key === key)?.names[current()] ?? key;

/** Draw the way to each section, and to each field that has none yet. */
export function drawOutline() {
  const found = headings($("body").value);
  const fields = doc.template?.fields ?? [];
  const there = found.map((each) => el("button", { type: "button", class: "quiet", on: { click: () => goTo(each) } }, each.words));
  const missing = fields.filter((field) => !found.some((each) => stands(field, each))).map((field) => {
    const name = field.names[current()];
    return el("button", { type: "button", class: "quiet add", "aria-label": t("write.add_section", { name }), on: { click: () => add(field) } },
      `+ ${name}`);
  });
  const focused = [...$("outline").children].indexOf(document.activeElement);
  $("outline").replaceChildren(...there, ...missing);
  $("outline").hidden = !there.length && !missing.length;
  if (focused >= 0) $("outline").children[Math.min(focused, $("outline").children.length - 1)]?.focus();
}

const goTo = ({ after }) => jump($("body"), Math.min(after + 1, $("body").value.length));

/** A section where the template has it: before the first that follows it there. */
function add(field) {
  const area = $("body");
  const later = doc.template.fields.slice(doc.template.fields.indexOf(field) + 1);
  const next = headings(area.value).find((each) => later.some((other) => stands(other, each)));
  let at = next ? next.start : area.value.length;
  const opening = /:::[ \t]*\w+[ \t]*\n\s*$/.exec(area.value.slice(0, at));
  if (next && opening) at -= opening[0].length; // the next one stands in a block of its own
  const heading = `## ${field.names[doc.language]}\n\n`;
  const text = field.audience === "public" ? heading : `::: ${field.audience}\n${heading}\n:::\n\n`;
  const gap = at > 0 && !area.value.slice(0, at).endsWith("\n\n") ? (area.value.slice(0, at).endsWith("\n") ? "\n" : "\n\n") : "";
  put(area, gap + text + (next ? "\n" : ""), at, at);
  const inside = at + gap.length + text.indexOf(heading) + heading.length;
  jump(area, inside);
}

/** Go to a field by its key, or to a heading by its words; begins the field where it is missing. */
export function goToField(key) {
  const field = doc.template?.fields.find((each) => each.key === key);
  const found = headings($("body").value);
  const place = found.find((each) => (field ? stands(field, each) : plain(each.words) === plain(key)));
  if (place) return goTo(place);
  return field ? add(field) : jump($("body"), 0);
}

/** Go to a line, from 1. */
export function goToLine(line) {
  const before = $("body").value.split("\n").slice(0, line - 1).join("\n");
  const at = line > 1 ? before.length + 1 : 0;
  const end = $("body").value.indexOf("\n", at);
  jump($("body"), at, end < 0 ? $("body").value.length : end);
}
