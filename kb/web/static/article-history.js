// How the article came to what it says: every revision, what differs between any two, and ways back.

import { api } from "./client.js";
import { askFor } from "./article-asking.js";
import { inWords } from "./article-words.js";
import { here, go } from "./article-place.js";
import { changeBlock } from "./changes.js";
import { nameOfPerson } from "./colleagues.js";
import { $, el } from "./dom.js";
import { moment, t } from "./i18n.js";

export async function content(sheet, { signal, reload, show }) {
  const { revisions, path, article, may } = sheet;
  const numbers = revisions.map((each) => each.number);
  const [from, to] = chosen(numbers, article.editing.published);
  const audit = may.publish ? await api(`${path}/audit`, { signal }) : { changes: [] };
  const difference = from === to ? null : await api(`${path}/diff?${new URLSearchParams({ from, to })}`, { signal });
  const compare = async (a, b) => {
    go({ from: String(a), to: String(b) });
    await show();
    $("difference").focus();
  };
  return [
    difference ? twoOf(numbers, from, to, compare) : el("p", { class: "soft" }, t("art.history.single")),
    difference && compared(difference, article.language),
    el("h3", {}, t("art.history.title")),
    lastUndo(sheet, audit.changes, reload),
    el("ol", { class: "revisions", reversed: true }, ...revisions.toReversed().map((each) => line(sheet, each, { compare, reload }))),
  ];
}

/** The two to compare: those of the address, else the one that readers see and the latest, else the last two. */
function chosen(numbers, published) {
  const { from, to } = Object.fromEntries(Object.entries(here()).map(([name, value]) => [name, Number(value)]));
  const last = numbers.at(-1);
  const until = numbers.includes(to) ? to : published ?? last; // a link that says only since when
  if (numbers.includes(from) && numbers.includes(until) && from !== until) return [from, until];
  if (published !== null && published !== last && numbers.includes(published)) return [published, last];
  return [numbers.at(-2) ?? last, last];
}

function twoOf(numbers, from, to, compare) {
  const select = (id, value) => el("select", { id, on: { change: () => both() } },
    ...numbers.map((n) => el("option", { value: n, selected: n === value }, t("art.revision", { n }))));
  const [a, b] = [select("compare-from", from), select("compare-to", to)];
  const both = () => { if (a.value !== b.value) compare(a.value, b.value); };
  return el("div", { class: "row compare" },
    el("label", { htmlFor: "compare-from" }, t("art.history.from")), a, el("label", { htmlFor: "compare-to" }, t("art.history.to")), b);
}

const compared = ({ from, to, title, body }, lang) =>
  el("section", { id: "difference", tabIndex: -1, class: "compared", "aria-label": t("art.history.between", { from, to }) },
    el("h3", {}, t("art.history.between", { from, to })),
    title.some((each) => each.change !== "equal") && el("div", { class: "title-change" }, changeBlock(title, lang)),
    changeBlock(body, lang));

/** The way back from the last publish: readers see again what they saw before it. */
function lastUndo({ article, path, may, revisions }, changes, reload) {
  const { published } = article.editing;
  const done = changes.findLast(({ before, after }) => after.published === published && before.published != null);
  const before = done?.before.published;
  if (!may.publish || published === null || !revisions.some((each) => each.number === before) || before >= published) return null;
  const act = async () => {
    try {
      await api(`${path}/publish`, { method: "POST", body: { revision: before, version: article.version } });
      await reload(t("art.history.undone", { n: before }));
    } catch (error) {
      await reload(inWords(error));
    }
  };
  return el("p", { class: "row" }, el("button", { type: "button", id: "undo-publish", on: { click: act } }, t("art.history.undo")),
    el("span", { class: "soft small" }, t("art.history.undo.help", { n: before })));
}

function line(sheet, each, { compare, reload }) {
  const { revisions, article, may } = sheet;
  const before = revisions[revisions.indexOf(each) - 1];
  const named = (words) => `${words}: ${t("art.revision", { n: each.number })}`;
  const act = (id, words, click) => el("button", { type: "button", id: `${id}-${each.number}`, class: "small", "aria-label": named(words), on: { click } }, words);
  const newer = each.number > (article.editing.published ?? 0);
  return el("li", { value: each.number },
    el("div", { class: "said" },
      el("p", { class: "facts" }, el("strong", {}, t("art.revision", { n: each.number })),
        each.published && el("span", { class: "badge validated" }, t("art.history.shown")),
        before && el("span", { class: "badge" }, t(`art.size.${each.size}`)),
        el("span", {}, nameOfPerson(each.author_id)), el("time", { dateTime: each.created_at }, moment(each.created_at))),
      before?.title !== each.title && el("p", { lang: article.language }, each.title),
      each.note && el("p", { class: "soft" }, each.note),
      each.credited.length > 0 && el("p", { class: "soft" }, t("art.history.credited", { who: each.credited.map((one) => one.said_by || nameOfPerson(one.person_id)).join(", ") }))),
    el("div", { class: "row" },
      before && act("changed", t("art.history.what"), () => compare(before.number, each.number)),
      may.publish && newer && each.number === article.editing.latest && act("publish", t("art.history.publish"), () => publish(sheet, each, reload)),
      may.edit && each !== revisions.at(-1) && act("restore", t("art.history.restore"), () => restore(sheet, each, reload))));
}

function publish({ path, article }, each, reload) {
  askFor({
    title: t("art.history.publish.title", { n: each.number }),
    action: t("art.history.publish"),
    fields: [el("p", {}, t("art.history.publish.text"))],
    submit: async () => {
      await api(`${path}/publish`, { method: "POST", body: { revision: each.number, version: article.version } });
      return () => reload(t("art.history.published", { n: each.number }));
    },
  });
}

/** An old text once more, as a new revision: what came between stays in the history. */
function restore({ path, article, may }, each, reload) {
  const shown = el("input", { type: "checkbox", id: "restore-publish" });
  const sizes = ["typo", "content", "meaning"].map((size) => el("option", { value: size, selected: size === "content" }, t(`art.size.${size}`)));
  const size = el("select", { id: "restore-size", "aria-describedby": "restore-size-help" }, ...sizes);
  askFor({
    title: t("art.history.restore.title", { n: each.number }),
    action: t("art.history.restore.do"),
    fields: [
      el("p", {}, t("art.history.restore.text")),
      el("label", { htmlFor: "restore-size" }, t("art.history.size")), size,
      el("p", { id: "restore-size-help" }, t("art.history.size.help")),
      may.publish && el("label", { class: "choice" }, shown, el("span", {}, t("art.history.restore.publish"))),
    ].filter(Boolean),
    submit: async () => {
      const { title, body } = await api(`${path}/revisions/${each.number}`);
      const note = t("art.history.restore.note", { n: each.number });
      const sent = { title, body, note, size: size.value, publish: shown.checked, version: article.version };
      const done = await api(`${path}/revisions`, { method: "POST", body: sent });
      return () => reload(t(shown.checked ? "art.history.restored.shown" : "art.history.restored", { n: done.editing.latest }));
    },
  });
}
