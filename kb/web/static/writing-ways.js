// What is asked before text goes out: is there an article like it, is everything there, and who will see it. And the keys.

import { api } from "./client.js";
import { $, el } from "./dom.js";
import { number, t } from "./i18n.js";
import { signedIn } from "./session.js";
import { drop, keep } from "./unsaved.js";
import { inWords, nearLine } from "./writing-aside.js";
import { ask } from "./writing-dialog.js";
import { changedState, doc, fixes, now, place, size, stateOf } from "./writing-doc.js";
import { goToField } from "./writing-outline.js";

let passed = ""; // what was found and gone on from

/**
 * Look for what is like a new article before its first save. Returns whether to go on; `go(address)` leads to the one
 * that this text is added to. A search that fails keeps nobody from saving.
 */
export async function passedDuplicates(go) {
  const { title, body } = now();
  const found = await api("drafts/similar", { method: "POST", body: { title, body, limit: 3 } }).then((answer) => answer.found, () => []);
  const key = found.map((each) => each.id).sort().join();
  if (!found.length || key === passed) return true;
  const articles = found.filter((each) => each.number && each.reason !== "same_question");
  const answer = await ask({
    title: t("write.duplicate.title"),
    content: [el("p", {}, t("write.duplicate.text")), el("ul", { class: "near" }, ...found.map(nearLine))],
    answers: [
      { value: "back", words: t("write.duplicate.back"), primary: true },
      ...articles.map((each) => ({ value: `into ${each.number}`, words: t("write.duplicate.into", { number: each.number }) })),
      { value: "on", words: t("write.duplicate.on") },
    ],
  });
  if (answer === "on") passed = key;
  if (answer.startsWith("into ")) await into(answer.slice("into ".length), go);
  return answer === "on";
}

/** Put this text below that of the article which says the same, as text that is not saved: its editor shows both. */
async function into(label, go) {
  const article = await api(`articles/${encodeURIComponent(label)}`);
  const theirs = await api(`articles/${article.number}/revisions/${article.editing.latest}`);
  const { title, body } = now();
  const state = stateOf(article);
  const kept = { title: theirs.title, body: `${theirs.body.trimEnd()}\n\n### ${title}\n\n${body}`, state, was: state, version: article.version };
  if (!keep(signedIn(), article.number, kept)) return;
  drop(signedIn(), place());
  go(`/editor/write?${new URLSearchParams({ number: article.number, ...(doc.case && { case: doc.case.id }) })}`);
}

/** Show what publishing means here, and return whether to. */
export async function confirmPublish() {
  const { title, body, state } = now();
  const draft = { title, body, template: doc.template?.id ?? "" };
  const wrong = await api("drafts/check", { method: "POST", body: draft }).then((found) => found.warnings, () => []);
  const fixed = fixes();
  const line = (words) => el("li", {}, words);
  const answer = await ask({
    title: t("write.publish.title"),
    content: wrong.length
      ? [el("p", {}, t("write.publish.stops")), el("ul", {}, ...wrong.map((each) => line(inWords(each))))]
      : [el("ul", {},
        line(t("write.publish.for", { audience: t(`write.audience.${state.audience}`) })),
        doc.number && doc.published !== null && Object.keys(changedState(state)).length > 0 && line(t("write.publish.state")),
        fixed.length > 0 && line(t("write.publish.fixes", { n: number(fixed.length) })),
        doc.number && line(t(`write.publish.${size()}`)))],
    answers: [
      wrong.length
        ? { value: "go", words: t("write.publish.go"), primary: true }
        : { value: "publish", words: t("write.publish.do"), primary: true },
      { value: "", words: t("signin.cancel") },
    ],
  });
  if (answer === "go") {
    if (wrong[0].field) goToField(wrong[0].field);
    else $("body").focus();
  }
  return answer === "publish";
}

const KEYS = [
  ["Ctrl S", "save"], ["Ctrl Enter", "publish"], ["Ctrl B", "bold"], ["Ctrl I", "italic"], ["Ctrl K", "link"],
  ["Enter", "list"], ["Tab", "indent"], ["Esc Tab", "leave"], ["e", "edit"], ["1 – 5", "tabs"], ["?", "help"],
];

/** The keys of this page. */
export const showKeys = () => ask({
  title: t("write.keys"),
  content: [el("dl", { class: "keylist" }, ...KEYS.map(([keys, name]) =>
    el("div", {}, el("dt", {}, ...keys.split(" ").map((key) => el("kbd", {}, key))), el("dd", {}, t(`write.keys.${name}`)))))],
  answers: [{ value: "", words: t("account.close"), primary: true }],
});
