// From a key or a button to what the bar says: whom or why is asked, the step taken, its way back kept for `u`.

import { nameOfPerson } from "./colleagues.js";
import { count, t } from "./i18n.js";
import { say } from "./page.js";
import { askSeverity, askSure, askText, askWhom } from "./queue-ask.js";
import { hideTold, tellOutcome } from "./queue-dock.js";
import * as list from "./queue-list.js";
import * as steps from "./queue-steps.js";
import { signedIn } from "./session.js";

let last = null; // what `u` takes back: `{ undo, keys }`, in whatever view somebody is by then
let busy = false; // one step at a time: the next would be about lines that are changing
let settled = () => {};

/** From now on `listener(keys)` is called after every step with the lines that were changed. */
export const onSettled = (listener) => { settled = listener; };

/** Nothing can be taken back any more: somebody else is here. */
export function forgetLast() {
  last = null;
  hideTold();
}

// Each asks what there is to ask and gives `{ result, told(n) }`, or nothing if somebody thought better of it.
const ASKS = {
  async assign(lines) {
    const whom = await askWhom(titled("queue.assign.title", lines));
    return whom && give(lines, whom.id);
  },
  async take(lines) {
    return give(lines, signedIn().id);
  },
  async weigh(lines) {
    const severity = await askSeverity(titled("queue.weigh.title", lines), lines[0].case.severity);
    const words = { severity: t(`case.severity.${severity}`) };
    return severity && { result: steps.weigh(lines, severity), told: (n) => count("queue.weigh.done", n, words) };
  },
  async decline(lines) {
    const cases = lines.filter((line) => line.case).length;
    const key = cases === lines.length ? "queue.decline" : cases ? "queue.close" : "queue.dismiss";
    const most = cases === lines.length ? 2000 : 300; // what the API keeps of why something else was dismissed
    const text = await askText(titled(`${key}.title`, lines), t(`${key}.help`), t(key), most);
    return text && { result: steps.decline(lines, text), told: (n) => count(`${key}.done`, n) };
  },
  async comment(lines) {
    const text = await askText(titled("queue.comment.title", lines), t("queue.comment.help"), t("queue.comment"));
    return text && { result: steps.comment(lines, text), told: (n) => count("queue.comment.done", n) };
  },
  async confirm(lines) {
    const sure = await askSure(titled("queue.confirm.title", lines), t("queue.confirm.text"), t("queue.confirm"));
    return sure && { result: steps.confirm(lines), told: (n) => count("queue.confirm.done", n) };
  },
};
const FITS = { ...steps.fits, take: steps.fits.assign };
const titled = (key, lines) => count(key, lines.length, { title: lines[0].title });

function give(lines, id) {
  const told = (n) => (id ? count("queue.assign.done", n, { name: nameOfPerson(id) }) : count("queue.assign.nobody", n));
  return { result: steps.assign(lines, id), told };
}

/** The names of the steps that are for any of these lines, in the order of the buttons. */
export const possible = (lines) => Object.keys(ASKS).filter((name) => lines.some(FITS[name]));

/** Take a step with what is chosen. Lines that it is not for are told as not done, and stay selected. */
export const act = (name) => alone(async () => {
  const lines = list.chosen();
  const able = lines.filter(FITS[name]);
  if (!lines.length || !signedIn()?.rights.includes("fix")) return;
  if (!able.length) return tell(t(`queue.not_for.${name}`));
  const selected = list.pickedCount() > 0;
  const asked = await ASKS[name](able);
  if (!asked) return;
  say(t("queue.doing"));
  const outcome = await asked.result;
  const { done, away } = outcome;
  const unable = lines.filter((line) => !able.includes(line)).map((line) => ({ line, why: t(`queue.not_for.${name}`) }));
  const failed = [...outcome.failed, ...unable];
  const keys = done.map((line) => line.key);
  list.update(done);
  list.pickOnly(selected ? failed.map(({ line }) => line.key) : []);
  if (away) list.remove(keys);
  last = outcome.undo && { undo: outcome.undo, keys };
  const never = done.length > 0 && !last;
  tell(done.length ? asked.told(done.length) : t("queue.done.none"), { failed, never, back: last && undo });
  settled(keys);
});

/** Take back what was done last. */
export const undo = () => alone(async () => {
  if (!last) return tell(t("queue.undo.none"));
  const { undo: back, keys } = last;
  last = null;
  say(t("queue.doing"));
  const { done, failed } = await back();
  list.update(done);
  list.restore(done.map((line) => line.key));
  tell(done.length ? count("queue.undone", done.length) : t("queue.undone.none"), { failed });
  settled(keys);
});

async function alone(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
  } finally {
    busy = false;
  }
}

function tell(words, { failed = [], never = false, back = null } = {}) {
  tellOutcome(words, { failed, never, back });
  say([words, ...failed.map(({ line, why }) => `${line.title}: ${why}`)].join(" "));
}
