// Three texts beside each other: the older article, what it will say, the newer. Every paragraph of the two shows
// whether it is in the result; a button takes it or leaves it out. Both can be edited here before they are merged.

import { articleLink, stateBadges } from "./article-words.js";
import { $, el } from "./dom.js";
import { count, t } from "./i18n.js";
import { has, leftOut, ownWords, paragraphs, said, taken, wordsOf } from "./merge-text.js";

const SIDES = ["kept", "merged"];
let sources = {}; // by side: { article, title, body, editing }
let touched = () => {};

/** Show two articles, `{ article, title, body }` each; `onTouched()` hears of every change of what is written here. */
export function showPanes(kept, merged, onTouched) {
  sources = { kept, merged };
  touched = onTouched;
  redrawPanes();
}

/** Draw both sides again, with what is written in them. */
export function redrawPanes() {
  for (const side of SIDES) drawSide(side);
  weigh();
}

/** Begin the result with one of the texts. */
export function begin(side) {
  put($("title"), sources[side].title);
  put($("body"), sources[side].body);
  weigh();
}

/** Replace what a field holds so that its own undo (Ctrl+Z) brings it back; the focus stays where it was. */
function put(field, text) {
  const back = document.activeElement;
  if (field.value === text) return;
  if (back && back !== document.body) { // else nobody has done anything yet that could be undone
    field.focus({ preventScroll: true });
    field.select();
    document.execCommand("insertText", false, text);
    back.focus({ preventScroll: true });
  }
  if (field.value !== text) field.value = text;
}

function drawSide(side) {
  const { article, title, body, editing } = sources[side];
  const heading = `${side}-title`;
  const others = wordsOf(sources[side === "kept" ? "merged" : "kept"].body);
  const edit = el("button", { type: "button", id: `edit-${side}`, class: "small", "aria-expanded": String(Boolean(editing)), on: { click: () => turn(side) } },
    t(editing ? "merge.edited" : "merge.edit"));
  $(side).setAttribute("aria-labelledby", heading);
  $(side).replaceChildren(
    el("h2", { id: heading }, t(`merge.side.${side}`), " ", el("span", { class: "soft number" }, article.number)),
    el("p", { class: "facts" }, ...stateBadges(article)),
    el("p", { class: "row begin" }, edit, articleLink(article.number, t("merge.open"))),
    ...(editing ? fields(side) : [takeTitle(side, title, article.language), el("ol", { class: "parts" }, ...paragraphs(body).map((each, n) => part(side, each, n, others)))]),
  );
}

const lang = (side) => sources[side].article.language;

function fields(side) {
  const source = sources[side];
  const title = el("input", { id: `${side}-own-title`, type: "text", maxLength: 300, value: source.title, lang: lang(side),
    on: { input: () => { source.title = title.value; touched(); } } });
  const body = el("textarea", { id: `${side}-own-body`, rows: 24, value: source.body, lang: lang(side),
    on: { input: () => { source.body = body.value; touched(); weigh(); } } });
  return [el("p", { class: "soft small" }, t("merge.edit.help")),
    el("label", { htmlFor: title.id }, t("merge.field.title")), title, el("label", { htmlFor: body.id }, t("merge.field.body")), body];
}

/** From paragraphs to a field and back. */
function turn(side) {
  sources[side].editing = !sources[side].editing;
  drawSide(side);
  weigh();
  $(sources[side].editing ? `${side}-own-body` : `edit-${side}`).focus();
}

function takeTitle(side, title, language) {
  const take = () => { put($("title"), title); touched(); weigh(); };
  return el("div", { class: "part title", "data-title": title }, el("p", { lang: language }, title),
    el("button", { type: "button", id: `take-${side}-title`, class: "small", on: { click: take } }));
}

function part(side, text, n, others) {
  const flip = () => {
    const now = $("body").value;
    put($("body"), has(now, text) ? leftOut(now, text) : taken(now, text, sources[side].body));
    touched();
    weigh();
  };
  return el("li", { class: "part", "data-text": text },
    el("pre", { lang: lang(side) }, ...ownWords(text, others).map((each) => (each.own ? el("u", {}, each.text) : each.text))),
    el("button", { type: "button", id: `take-${side}-${n}`, class: "small", on: { click: flip } }));
}

/** Say of every paragraph whether it is in the result, and how much of either article is not. */
export function weigh() {
  const inResult = new Set(paragraphs($("body").value).map(said));
  const missing = {};
  for (const side of SIDES) {
    const other = new Set(paragraphs(sources[side === "kept" ? "merged" : "kept"].body).map(said));
    missing[side] = paragraphs(sources[side].body).filter((each) => !inResult.has(said(each))).length;
    for (const node of $(side).querySelectorAll("[data-text]")) {
      const words = said(node.dataset.text);
      say(node, inResult.has(words), other.has(words), words);
    }
    const title = $(side).querySelector("[data-title]");
    if (title) say(title, title.dataset.title.trim() === $("title").value.trim(), false, title.dataset.title);
  }
  $("missing").textContent = SIDES.map((side) => (missing[side] ? count(`merge.missing.${side}`, missing[side]) : t(`merge.all.${side}`))).join(" ");
}

function say(node, isIn, inBoth, words) {
  const [button, isTitle] = [node.querySelector("button"), "title" in node.dataset];
  node.classList.toggle("in", isIn);
  node.classList.toggle("both", inBoth);
  button.textContent = t(isTitle ? (isIn ? "merge.title_taken" : "merge.take_title") : isIn ? "merge.leave" : "merge.take");
  button.setAttribute("aria-pressed", String(isIn));
  button.setAttribute("aria-label", `${t(isTitle ? "merge.take_title" : "merge.take")}: ${words.slice(0, 60)}`);
}
