// Text of the knowledge base as elements. The server's HTML is already safe; it is parsed in a document of its own,
// where nothing loads and nothing runs, and fitted to the page before it is shown.

import { addressOf } from "./address.js";
import { el } from "./dom.js";
import { t } from "./i18n.js";

/**
 * A fragment for HTML from the API.
 * `deeper` moves headings down so that they fit below the page's own; what `find` finds is marked (see `finder`).
 */
export function prose(html, { deeper = 1, find = null } = {}) {
  const body = new DOMParser().parseFromString(html, "text/html").body;
  for (const table of body.querySelectorAll("table")) framed(table);
  for (const code of body.querySelectorAll("pre")) scrollable(code, t("code.scroll"));
  for (const link of body.querySelectorAll("a[href]")) led(link);
  for (const heading of body.querySelectorAll("h1, h2, h3, h4, h5, h6")) lowered(heading, deeper);
  if (find) highlight(body, find);
  const fragment = document.createDocumentFragment();
  fragment.append(...document.adoptNode(body).childNodes);
  return fragment;
}

function framed(table) {
  const frame = el("div", { class: "scroll" });
  table.replaceWith(frame);
  frame.append(table);
  scrollable(frame, t("table.scroll"));
}

// What scrolls has to be reachable by keyboard; what fits should not stop the Tab key.
const fitting = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

function scrollable(element, label) {
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
  fitting.observe(element);
}

function led(link) {
  if (link.hasAttribute("download")) return; // a file of ours
  // Writers link the files of their folder, or a place in a text: neither is an address here. The words of the link
  // name what is meant, so it becomes a search for them.
  if (!/^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(link.getAttribute("href"))) {
    link.setAttribute("href", addressOf({ q: link.textContent.trim() }));
  } else if (link.protocol.startsWith("http") && link.origin !== location.origin) {
    link.target = "_blank";
    link.rel = "noopener noreferrer ugc nofollow";
  }
}

function lowered(heading, by) {
  const level = Math.min(6, Number(heading.tagName[1]) + by);
  heading.replaceWith(el(`h${level}`, {}, ...heading.childNodes));
}

const HAN = /\p{Script=Han}/u;
const LETTER = "[\\p{Script=Latin}\\p{N}]"; // 换Hub: Han beside a Latin word is no part of it

/**
 * A function from text to the [start, end] of every place where one of the words stands, or null without words.
 * Letters and digits match as whole words (or as their beginning, with `prefix`), Han wherever it stands.
 */
export function finder(words, { prefix = false } = {}) {
  const patterns = [...new Set(words.filter(Boolean))].sort((a, b) => b.length - a.length).map((word) => {
    const plain = word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    return HAN.test(word) ? plain : `(?<!${LETTER})${plain}${prefix ? "" : `(?!${LETTER})`}`;
  });
  if (!patterns.length) return null;
  const any = new RegExp(patterns.join("|"), "giu");
  return (text) => [...text.matchAll(any)].map((found) => [found.index, found.index + found[0].length]);
}

function highlight(root, find) {
  const walker = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  for (const node of nodes) {
    const marked = withMarks(node.data, find);
    if (marked.length > 1 || typeof marked[0] !== "string") node.replaceWith(...marked);
  }
}

/** A text as strings and `<mark>`s. */
export function withMarks(text, find) {
  const parts = [];
  let done = 0;
  for (const [start, end] of find ? find(text) : []) {
    if (start > done) parts.push(text.slice(done, start));
    parts.push(el("mark", {}, text.slice(start, end)));
    done = end;
  }
  if (done < text.length) parts.push(text.slice(done));
  return parts;
}
