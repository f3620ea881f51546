// What staff have on the search page beside reading: say what is wrong, go to an item's own pages. Loaded for them only.

import { here } from "./address.js";
import { $, el } from "./dom.js";
import { closeFlag, openFlag } from "./flagging.js";
import { t } from "./i18n.js";
import { notice, say } from "./page.js";
import { signedIn } from "./session.js";

const items = new WeakMap(); // a part of the page -> the item that it shows
const may = (right) => Boolean(signedIn()?.rights.includes(right));

document.head.append(el("link", { rel: "stylesheet", href: new URL("desk.css", import.meta.url).href }));

/** A hit, whose Flag button stands with what one has to know of it, or the answer above them, which is the first one. */
export function hitTools(shown, item) {
  if (!may("flag")) return;
  items.set(shown, item);
  if (shown.matches(".hit")) shown.querySelector(".facts").append(flagButton(shown, item));
}

/** The open article: flag it, edit it, see its own page. */
export function articleTools(shown, item) {
  if (may("flag")) items.set(shown, item);
  const to = (page) => `/editor/${page}?${new URLSearchParams({ number: item.number })}`;
  shown.querySelector("header").append(
    el("div", { class: "row desk" },
      may("flag") && flagButton(shown, item),
      may("draft") && el("a", { class: "button", href: to("write") }, t("desk.edit")),
      el("a", { href: to("article") }, t("desk.about"))));
}

/** Below the hits, or where there are none: nothing of this answers. `asked` is the search. */
export function foot(asked) {
  if (!may("flag")) return null;
  const shown = el("div", { class: "row desk foot" });
  const gap = { ...asked, cause: "nothing_answers" };
  shown.append(
    el("button", { type: "button", class: "nothing-answers", "aria-keyshortcuts": "n", on: { click: () => openFlag(gap, shown) } },
      t("desk.nothing"), el("kbd", { "aria-hidden": "true" }, "N")),
    el("button", { type: "button", class: "quiet", "aria-keyshortcuts": "?", on: { click: showKeys } },
      t("desk.keys"), el("kbd", { "aria-hidden": "true" }, "?")));
  return shown;
}

/** What a No under an item leads to for those who may flag it; null for others, whose No is a rating. */
export const no = (item) => (may("flag") ? (event) => openFlag(item, event.target.closest(".hit, .answer, article")) : null);

/** Somebody else reads now. */
export function end() {
  closeFlag();
  $("keys")?.close();
}

function flagButton(shown, item) {
  return el("button", {
    type: "button", class: "quiet flag", "aria-label": t("desk.flag.label", { title: item.title }), "aria-keyshortcuts": "f",
    on: {
      mousedown: (event) => event.preventDefault(), // what is selected stays so: it is the quote
      click: () => openFlag({ ...item, quote: quoted(shown) }, shown),
    },
  }, "⚑ ", t("desk.flag"));
}

/** The text that is selected in a part of the page. */
function quoted(shown) {
  const selected = getSelection();
  const inside = !selected.isCollapsed && shown.contains(selected.anchorNode) && shown.contains(selected.focusNode);
  return inside ? selected.toString().trim() : "";
}

/** The part of the page that a key is about: where text is selected, else where the focus is, else the open article. */
function meant() {
  const selected = getSelection();
  const nodes = [selected.isCollapsed ? null : selected.anchorNode?.parentElement, document.activeElement];
  for (const node of [...nodes, $("article").querySelector("article")]) {
    if (node && node.closest("[hidden]")) continue; // selected in the list, before the article was opened
    for (let each = node; each; each = each.parentElement) if (items.has(each)) return each;
  }
  return null;
}

function flagWhatIsMeant() {
  const shown = meant();
  if (!shown) {
    notice(t("desk.which"));
    return say(t("desk.which"));
  }
  return openFlag({ ...items.get(shown), quote: quoted(shown) }, shown);
}

/** To the next hit, or the one before. */
function move(by) {
  const hits = [...$("results").querySelectorAll(".hit")];
  if (!hits.length || $("results").hidden) return;
  const at = hits.findIndex((hit) => hit.contains(document.activeElement));
  const next = hits[Math.min(Math.max(at + by, 0), hits.length - 1)];
  (next.querySelector("h3 a") ?? next.querySelector(".flag")).focus();
  next.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  f: flagWhatIsMeant,
  n: () => $("results").querySelector(".nothing-answers")?.click(),
  j: () => move(1),
  k: () => move(-1),
  "?": showKeys,
};

function showKeys() {
  const shown = el("dialog", { id: "keys", "aria-labelledby": "keys-title", on: { close: () => shown.remove() } },
    el("h2", { id: "keys-title" }, t("desk.keys")),
    el("dl", { class: "shortcuts" }, ...["/", "J", "K", "F", "N", "Esc", "?"].flatMap((key) =>
      [el("dt", {}, el("kbd", {}, key)), el("dd", {}, t(`desk.key.${key}`))])),
    el("p", {}, t("desk.keys.quote")),
    el("div", { class: "row" }, el("button", { type: "button", on: { click: () => shown.close() } }, t("account.close"))));
  document.body.append(shown);
  shown.showModal();
}

document.addEventListener("keydown", (event) => {
  const busy = event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]");
  if (busy || !may("flag") || event.target.closest("input, select, textarea") || !(event.key in KEYS)) return;
  if (event.key === "n" && here().article) return; // it is about a list of hits
  event.preventDefault();
  KEYS[event.key]();
});
