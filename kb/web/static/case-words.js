// A revision case in words, wherever one is shown.

import { nameOfPerson } from "./colleagues.js";
import { el } from "./dom.js";
import { current, moment, number, t } from "./i18n.js";
import { signedIn } from "./session.js";

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** "in 2 days", "3 hours ago". */
export function fromNow(iso) {
  const seconds = (new Date(iso) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(current(), { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
}

/** A time in words that also holds the exact one. */
export const when = (iso) => el("time", { dateTime: iso, title: moment(iso) }, fromNow(iso));

/** How long something took: "3 hours". */
export function took(seconds) {
  const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? UNITS.at(-1);
  const value = Math.max(1, Math.round(seconds / size));
  return new Intl.NumberFormat(current(), { style: "unit", unit, unitDisplay: "long" }).format(value);
}

/** What somebody is called, or "You". */
export const whoIs = (id) => (id === signedIn()?.id ? t("case.you.first") : nameOfPerson(id));

export const causeOf = (found) => t(`case.cause.${found.cause}`);
export const toDo = (found) => ["open", "in_progress"].includes(found.state);

/** State, severity and lateness: in words, with a sign and a colour. */
export const badges = (found) => [
  el("span", { class: `mark-of ${found.state}` }, t(`case.state.${found.state}`)),
  found.severity !== "normal" && el("span", { class: `mark-of ${found.severity}` }, t(`case.severity.${found.severity}`)),
  found.overdue && el("span", { class: "mark-of late" }, t("case.overdue")),
].filter(Boolean);

/** The addresses that a case leads to. */
export const caseAddress = (found) => `/editor/case?${new URLSearchParams({ id: found.id })}`;
export const articleAddress = (number) => `/editor/article?${new URLSearchParams({ number })}`;
export const searchAddress = (query) => `/#${new URLSearchParams({ q: query })}`;
export const writeAddress = (found) =>
  `/editor/write?${new URLSearchParams(found.number ? { number: found.number, case: found.id } : { title: found.title, case: found.id })}`;

/** Who may say that a fix is one, or that it is not: those who flagged it, and those who may fix. */
export const mayAnswer = (found, flags) =>
  signedIn()?.rights.includes("fix") || flags.some((each) => each.person_id === signedIn()?.id);

/** One step of its history in words; the text of a comment or a reason is not in it. */
export function stepWords(step) {
  const values = { who: whoIs(step.person_id), whom: step.whom_id === signedIn()?.id ? t("case.you") : nameOfPerson(step.whom_id), text: step.text };
  if (step.action === "weighed") return t("case.did.weighed", { who: values.who, severity: t(`case.severity.${step.text}`, {}, step.text) });
  if (step.action === "assigned" && !step.whom_id) return t("case.did.given_back", values);
  if (step.action === "assigned" && step.whom_id === step.person_id) return t("case.did.taken", values);
  return t(`case.did.${step.action}`, values, step.action);
}

/** Many who flag one after the other are one line: `[step, how many more]`. */
export function gathered(steps) {
  const lines = [];
  for (const step of steps) {
    const last = lines.at(-1);
    if (step.action === "flagged" && last?.step.action === "flagged") Object.assign(last, { step, more: last.more + 1 });
    else lines.push({ step, more: 0 });
  }
  return lines.map(({ step, more }) => [step, more ? t("case.did.flagged.many", { who: whoIs(step.person_id), n: number(more) }) : stepWords(step)]);
}
