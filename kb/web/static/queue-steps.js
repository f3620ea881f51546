// What can be done with lines of the queue, and how it is taken back. A step never overwrites what somebody else did:
// it says which version was read, and what was changed meanwhile is told line by line.

import { api } from "./client.js";
import { t } from "./i18n.js";

const AT_ONCE = 100; // what the API takes

const isCase = (line) => Boolean(line.case);
const isLoose = (line) => ["search", "duplicate", "community"].includes(line.kind);
const isOld = (line) => ["stale", "expiring"].includes(line.kind);

/** Which lines a step is for. */
export const fits = { assign: isCase, weigh: isCase, comment: isCase, decline: (line) => isCase(line) || isLoose(line), confirm: isOld };

/**
 * What became of a step: `done` lines as they are now, `failed` as `{ line, why }`, `away` whether those that are done
 * leave the queue, and `undo()` which gives the same for the way back, or null.
 */
const result = (done, failed, { away = false, undo = null } = {}) => ({ done, failed, away, undo: done.length ? undo : null });

/** Give cases to somebody, or with null to nobody. Undone, each goes back to whom it was. */
export async function assign(lines, personId) {
  const [done, failed] = await changeCases(lines, "assign", { person_id: personId });
  return result(done, failed, { undo: backBy(lines, done, "assign", (line) => ({ person_id: line.case.assignee_id })) });
}

/** Say how bad cases are. */
export async function weigh(lines, severity) {
  const [done, failed] = await changeCases(lines, "weigh", { severity });
  return result(done, failed, { undo: backBy(lines, done, "weigh", (line) => ({ severity: line.case.severity })) });
}

/** Say something about cases; what is said cannot be taken back. */
export const comment = async (lines, text) => result(...(await changeCases(lines, "comment", { text })));

/** Change nothing, and say why: cases are declined, anything else is dismissed. */
export async function decline(lines, text) {
  const [cases, others] = [lines.filter(isCase), lines.filter((line) => !isCase(line))];
  const [declined, failed] = await changeCases(cases, "decline", { text });
  const [dismissed, kept] = await keyed("queue/dismiss", others, { reason: text });
  const undo = async () => {
    const [opened, still] = await changeCases(declined, "reopen", { text: t("queue.undo.reason") });
    const [restored, away] = await keyed("queue/restore", dismissed);
    return result([...opened, ...restored], [...still, ...away]);
  };
  return result([...declined, ...dismissed], [...failed, ...kept], { away: true, undo });
}

/** Say that articles are still right, which cannot be taken back. */
export async function confirm(lines) {
  const [done, failed] = [[], []];
  for (const line of lines) {
    try {
      const { number, version } = line.article;
      await api(`articles/${encodeURIComponent(number)}/confirm`, { method: "POST", body: { version } });
      done.push(line);
    } catch (error) {
      failed.push({ line, why: inWords(error) });
    }
  }
  return result(done, failed, { away: true });
}

/** The way back: what was done, by what it was before, each group with one request. */
function backBy(before, done, action, formerly) {
  return async () => {
    const was = new Map(before.map((line) => [line.key, JSON.stringify(formerly(line))]));
    const all = [[], []];
    for (const fields of new Set(was.values())) {
      const group = done.filter((line) => was.get(line.key) === fields);
      const found = await changeCases(group, action, JSON.parse(fields));
      found.forEach((some, n) => all[n].push(...some));
    }
    return result(...all);
  };
}

const changeCases = (lines, action, fields) =>
  inBatches(lines, async (some) => {
    const ids = some.map((line) => line.case.id);
    const versions = Object.fromEntries(some.map((line) => [line.case.id, line.case.version]));
    const { results } = await api("cases/bulk", { method: "POST", body: { ids, versions, action, ...fields } });
    const found = new Map(results.map((each) => [each.id, each]));
    return some.map((line) => taken(line, found.get(line.case.id)));
  });

const keyed = (path, lines, fields) =>
  inBatches(lines, async (some) => {
    const { results } = await api(path, { method: "POST", body: { keys: some.map((line) => line.key), ...fields } });
    const found = new Map(results.map((each) => [each.key, each]));
    return some.map((line) => taken(line, found.get(line.key)));
  });

function taken(line, { code, message, case: now }) {
  if (code) return { line, why: inWords({ code, message }) };
  if (!now) return { line };
  const { assignee_id, owner_id, due_at, overdue, demand } = now;
  return { line: { ...line, case: now, assignee_id, owner_id, due_at, overdue, demand } };
}

/** As `[done, failed]`; what one request refuses keeps nothing back of what the others do. */
async function inBatches(lines, ask) {
  const [done, failed] = [[], []];
  for (let at = 0; at < lines.length; at += AT_ONCE) {
    const some = lines.slice(at, at + AT_ONCE);
    const each = await ask(some).catch((error) => some.map((line) => ({ line, why: inWords(error) })));
    for (const one of each) one.why ? failed.push(one) : done.push(one.line);
  }
  return [done, failed];
}

function inWords({ code, message }) {
  return t(code === "offline" ? "offline.title" : `queue.why.${code}`, {}, message || t("error.title"));
}
