// What the address of the editor names, and what it takes to write: all of it at once.

import { api } from "./client.js";
import { meet } from "./colleagues.js";
import { signedIn } from "./session.js";
import { doc } from "./writing-doc.js";
import { learn } from "./writing-form.js";

const TO_DO = ["open", "in_progress"];
const rights = () => signedIn()?.rights ?? [];

/** Everything that the address names, and what it takes to write. */
export async function gather(asked) {
  const flagged = readCase(asked.case);
  const about = openCases(asked.number);
  const article = asked.number ? await api(`articles/${encodeURIComponent(asked.number)}`) : null;
  const revisions = article && (await api(`articles/${article.number}/revisions`)).revisions;
  const latest = revisions?.at(-1).number; // of those that this person may see
  const [text, original, { templates }, one, cases] = await Promise.all([
    article && api(`articles/${article.number}/revisions/${latest}`),
    article?.translation_of && api(`articles/${article.translation_of}`).catch(() => null),
    api("templates"), flagged, about, learn(), meet(),
  ]);
  return { article, text, original, templates, one, cases: cases?.cases ?? [] };
}

/** A case with its flags, or null where it is not for this person. */
export const readCase = async (id) => (id && rights().includes("flag") ? api(`cases/${encodeURIComponent(id)}`).catch(() => null) : null);

/** What somebody has to work on about an article, or null where that is not for this person. */
export async function openCases(number) {
  if (!number || !rights().includes("flag")) return null;
  const wanted = new URLSearchParams([["number", number], ["limit", "50"], ...TO_DO.map((each) => ["state", each])]);
  return api(`cases?${wanted}`).catch(() => null);
}

/** The cases that a publish may fix: those about the article, and a gap that this is to fill. */
export function fixable(one, others) {
  if (!rights().includes("fix")) return [];
  const mine = one && TO_DO.includes(one.state) && (one.number ? one.number === doc.number : one.cause === "nothing_answers");
  return [...(mine ? [one] : []), ...others.filter((each) => each.id !== one?.id)];
}
