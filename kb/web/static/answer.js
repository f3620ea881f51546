// The answer above the answers: shown where the service is all but certain of it, a quiet line where it is not.

import { el } from "./dom.js";
import { number, t } from "./i18n.js";
import { withMarks } from "./prose.js";

/** The card: what was found, the sentences with what was asked for marked, what to know of them, a way to the whole, whether it helped. */
export function card(answer, { title, facts, warning, open, question }) {
  return el(
    "section",
    { class: "answer", "aria-label": t("answer.label") },
    el("p", { class: "kicker" }, t("answer.label"), answer.confidence !== null && ` · ${t("answer.confidence", { percent: number(answer.confidence * 100) })}`),
    el("blockquote", { lang: answer.language }, ...paragraphs(answer.sentences)),
    el("p", { class: "source", lang: answer.language }, title),
    facts,
    warning,
    open && el("button", { class: "primary", type: "button", on: { click: open } }, t("answer.open")),
    question,
  );
}

/** That none of what follows is sure to answer. */
export const uncertain = () => el("p", { class: "uncertain soft small" }, t("answer.nothing_certain"));

const ENDS = /[.!?。！？；…]["'”’»」』）)\]]*$/;
const WIDE = /[。！？；…”’」』）]$/; // Chinese goes on without a space

/** Sentences as they follow each other; a line of a list or a table, which ends with nothing, keeps its own. */
function paragraphs(sentences) {
  const found = [[]];
  for (const each of sentences) {
    found.at(-1).push(...marked(each));
    if (!ENDS.test(each.text)) found.push([]);
    else if (!WIDE.test(each.text)) found.at(-1).push(" ");
  }
  return found.filter((parts) => parts.length).map((parts) => el("p", {}, ...parts));
}

/** Places count code points, strings here count halves of some. */
function marked({ text, highlights }) {
  const starts = [0];
  for (const char of text) starts.push(starts.at(-1) + char.length);
  return withMarks(text, () => highlights.map(([start, end]) => [starts[start], starts[end]]));
}
