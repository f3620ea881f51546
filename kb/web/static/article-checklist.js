// How a revision keeps to the content standard (KCS PA-05): for its author, coaches and administrators.

import { api } from "./client.js";
import { go, here } from "./article-place.js";
import { nameOfPerson } from "./colleagues.js";
import { $, el } from "./dom.js";
import { day, t } from "./i18n.js";
import { inWords } from "./article-words.js";

const CHECKS = ["title_length", "issue", "environment", "one_question", "steps", "links", "readable"];
const TICKS = ["customers_words", "correct", "findable", "no_duplicate", "right_audience"];

export async function content(sheet, { signal, reload, show }) {
  const own = sheet.revisions.filter((each) => sheet.may.checklists(each.author_id));
  const asked = Number(here().revision);
  const revision = own.find((each) => each.number === asked) ?? own.at(-1);
  const path = `${sheet.path}/revisions/${revision.number}/checklist`;
  const found = await api(path, { signal });
  const choose = async ({ target }) => { go({ revision: target.value }); await show(); $("checked-revision").focus(); };
  return [
    el("p", { class: "soft" }, t("art.checklist.whom")),
    el("div", { class: "row compare" }, el("label", { htmlFor: "checked-revision" }, t("art.checklist.revision")),
      el("select", { id: "checked-revision", on: { change: choose } }, ...own.toReversed().map(({ number, author_id: author }) =>
        el("option", { value: number, selected: number === revision.number }, `${t("art.revision", { n: number })} · ${nameOfPerson(author)}`)))),
    el("h3", {}, t("art.checklist.computed")),
    el("ul", { class: "plain checks" }, ...CHECKS.filter((each) => each in found.computed).map((each) => result(`art.check.${each}`, found.computed[each]))),
    !Object.keys(found.computed).length && el("p", { class: "soft" }, t("art.checklist.none")),
    el("h3", {}, t("art.checklist.ticked")),
    ...(sheet.may.coach ? [form(found, path, reload)] : said(found)),
  ];
}

/** One result: a sign for the eye, words for everybody. */
const result = (key, passed) => el("li", { class: passed ? "passed" : "failed" },
  el("span", { "aria-hidden": "true" }, passed ? "✓ " : "✗ "), t(key), el("span", { class: "unseen" }, `: ${t(passed ? "art.checklist.yes" : "art.checklist.no")}`));

function said(found) {
  const ticked = TICKS.filter((each) => each in found.ticked);
  return [
    ticked.length ? el("ul", { class: "plain checks" }, ...ticked.map((each) => result(`art.tick.${each}`, found.ticked[each])))
      : el("p", { class: "soft" }, t("art.checklist.not_coached")),
    found.remark && el("blockquote", {}, found.remark),
    found.checked_at && el("p", { class: "soft small" }, t("art.checklist.checked", { date: day(found.checked_at) })),
  ];
}

/** What a coach ticks; a question that is left open stays so. */
function form(found, path, reload) {
  const answers = [["true", "art.checklist.yes"], ["false", "art.checklist.no"], ["", "art.checklist.open"]];
  const question = (tick) => el("fieldset", { class: "tick" }, el("legend", {}, t(`art.tick.${tick}`)),
    ...answers.map(([value, words]) => el("label", { class: "choice" },
      el("input", { type: "radio", name: tick, value, checked: value === (tick in found.ticked ? String(found.ticked[tick]) : "") }), el("span", {}, t(words)))));
  const remark = el("input", { id: "remark", type: "text", maxLength: 300, value: found.remark });
  const wrong = el("p", { class: "mistake", role: "alert" });
  const save = el("button", { type: "submit", class: "primary", id: "save-checklist" }, t("art.save"));
  const node = el("form", { class: "checklist", autocomplete: "off" }, ...TICKS.map(question),
    el("label", { htmlFor: "remark" }, t("art.checklist.remark")), remark, wrong, el("div", { class: "row" }, save));
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = TICKS.map((tick) => [tick, node.elements[tick].value]).filter(([, value]) => value);
    const ticked = Object.fromEntries(given.map(([tick, value]) => [tick, value === "true"]));
    save.disabled = true;
    try {
      await api(path, { method: "PUT", body: { ticked, remark: remark.value, version: found.version } });
      await reload(t("art.saved"));
    } catch (error) {
      wrong.textContent = error.code === "conflict" ? t("art.checklist.conflict") : inWords(error);
    } finally {
      save.disabled = false;
    }
  });
  return node;
}
