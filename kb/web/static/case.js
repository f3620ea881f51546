// One revision case: what is wrong, who flagged it, what happened, what can be done, and whether the fix is one.

import { causeOf, mayAnswer, stepWords, toDo, writeAddress } from "./case-words.js";
import { askSeverity, askWho, askWhy, listenForSteps } from "./case-steps.js";
import { facts, flags, head, history, proof, readers, recall, wrong } from "./case-view.js";
import { api } from "./client.js";
import { forgetColleagues, meet } from "./colleagues.js";
import { $, el } from "./dom.js";
import { count, t } from "./i18n.js";
import { cap, keyed, listenForKeys } from "./keys.js";
import { notice, say, shut, startPage } from "./page.js";
import { signedIn } from "./session.js";
import { trouble, troubleInWords, waiting } from "./states.js";

const SOON = 250; // ms: a case that comes sooner needs no outline
const [FIRST, LAST] = [1_000, 15_000]; // ms between two looks for a proof, longer each time

const id = new URLSearchParams(location.search).get("id") ?? "";
const path = (rest = "") => `cases/${encodeURIComponent(id)}${rest}`;
const may = (right) => signedIn()?.rights.includes(right);

let found = null; // the case that is shown
let request = null;
let timer = 0;
let pause = FIRST;
let away = false; // the last look failed, and what is shown may be old

/** Ask for the case and draw it; what is typed as a comment stays. Returns what it was before. */
async function load(watching = false) {
  clearTimeout(timer);
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  if (!may("flag")) return gate(shut(signedIn(), "case"));
  if (!id) return gate(state("case.none.title", "case.none"));
  const outline = setTimeout(() => { if (!found) gate(waiting()); }, SOON);
  const before = found;
  try {
    if (!before) await meet();
    const now = await api(path(), { signal });
    if (signal.aborted) return before;
    found = now;
    if (away) notice("");
    away = false;
    if (!before || !watching || before.version !== now.version) draw(); // nobody's selection is lost to a look for proof
    if (!before || before.fixed_revision !== found.fixed_revision) await listRecall(signal);
  } catch (error) {
    if (signal.aborted) return before;
    if (error.code === "not_found") gate(state("case.gone.title", "case.gone"));
    else if (found) { notice(inWords(error)); away = true; }
    else gate(trouble(error, () => load()));
    say(troubleInWords(error));
  } finally {
    clearTimeout(outline);
    if (!signal.aborted) watchProof();
  }
  return before;
}

const state = (title, text) =>
  el("div", { class: "state" }, el("h2", {}, t(title)), el("p", {}, t(text)), el("p", {}, el("a", { href: "/editor" }, t("case.queue"))));

/** Show this in place of a case. */
function gate(instead) {
  found = null;
  $("case").hidden = true;
  $("gate").replaceChildren(el("h1", { class: "unseen" }, t("case.title")), instead);
}

function draw() {
  const held = document.activeElement?.dataset?.key;
  $("gate").replaceChildren();
  $("case").hidden = false;
  document.title = `${causeOf(found)}: ${found.title}`;
  $("head").replaceChildren(...head(found));
  $("actions").replaceChildren(...actions());
  $("facts").replaceChildren(facts(found));
  $("wrong").replaceChildren(...wrong(found));
  $("proof").replaceChildren(...proof(found));
  $("readers").replaceChildren(...readers(found));
  $("flags").replaceChildren(...flags(found));
  $("flags-title").textContent = count("case.flags", found.flags.length);
  $("history").replaceChildren(...history(found));
  $("comment-form").hidden = !mayAnswer(found, found.flags);
  // Who pressed a button goes on from there, or from the top where there is none such any more.
  if (held && document.activeElement === document.body) goOn(held);
}

/** To the button with that key, or to the top where there is none such any more. */
const goOn = (key) => ($("actions").querySelector(`[data-key="${key}"]`) ?? $("head")).focus();

/** What can be done with the case as it stands, by whoever is here; the likeliest first. */
function actions() {
  const [fixes, open, mine] = [may("fix"), toDo(found), found.assignee_id === signedIn().id];
  const answers = mayAnswer(found, found.flags);
  const write = t(found.number || found.cause !== "nothing_answers" ? "case.write" : "case.write.new");
  return [
    fixes && open && (found.number || found.cause === "nothing_answers") &&
      el("a", { class: "button primary", href: writeAddress(found), "data-key": "w", "data-does": write, "aria-keyshortcuts": "w" }, write, " ", cap("w")),
    answers && found.state === "fixed" && keyed("y", t("case.accept"), () => take("accept"), { class: "primary" }),
    answers && !open && keyed("r", t("case.reopen"), reopen),
    fixes && open && keyed("t", t(mine ? "case.give_back" : "case.take"), () => take("assign", { person_id: mine ? null : "me", version: found.version })),
    fixes && open && keyed("a", t("case.assign"), () => askWho((whom) => step("assign", { ...whom, version: found.version }))),
    fixes && open && keyed("s", t("case.weigh"), () => askSeverity(found.severity, (severity) => step("weigh", { severity, version: found.version }))),
    fixes && open && keyed("d", t("case.decline"), decline),
  ].filter(Boolean);
}

const decline = () =>
  askWhy(t("case.decline"), t("case.decline.help"), (reason) => step("decline", { reason, version: found.version }));
const reopen = () => askWhy(t("case.reopen"), t("case.reopen.help"), (reason) => step("reopen", { reason }));

/** Take a step and show the case after it. Throws what went wrong; what somebody else did meanwhile in words. */
async function step(name, body) {
  try {
    await api(path(`/${name}`), { method: "POST", ...(body && { body }) });
  } catch (error) {
    if (error.code !== "conflict") throw error;
    throw new Error(meanwhile(await load()));
  }
  notice("");
  await load();
  if (found) say(`${stepWords(found.history.at(-1))}. ${t(`case.state.${found.state}`)}`);
}

/** The same for a button without a dialog, which has no other place to say what went wrong. */
const take = (name, body) => step(name, body).catch((error) => notice(inWords(error)));

const inWords = (error) => (error.code ? `${troubleInWords(error)}. ${error.message}` : error.message);

/** What happened to the case since it was read. */
function meanwhile(before) {
  if (away) return t("case.conflict.away");
  const since = found?.history.slice(before?.history.length ?? 0) ?? [];
  if (since.length) return t("case.conflict", { what: since.map(stepWords).join(" · ") });
  if (found && found.version === before?.version) return t("case.conflict.state", { state: t(`case.state.${found.state}`) });
  return t("case.conflict.flagged");
}

/** Look again until the index has the fix: soon, then less and less often. */
function watchProof() {
  clearTimeout(timer);
  if (found?.proof !== "waiting") { pause = FIRST; return; }
  timer = setTimeout(async () => {
    pause = Math.min(pause * 1.5, LAST);
    if (document.hidden) return watchProof();
    const before = await load(true);
    if (found?.proof === "done" && before?.proof === "waiting") say(t("case.proof.done"));
    return undefined;
  }, pause);
}

/** Who received what was wrong, for those who may know. */
async function listRecall(signal) {
  $("recall").replaceChildren();
  if (!found.changes_meaning || !found.fixed_revision || !may("lead") || !may("trail")) return;
  let all = null;
  const more = async () => {
    const next = await api(path(`/recall${all?.next ? `?before=${all.next}` : ""}`), { signal });
    const first = all?.received.length;
    all = { ...next, received: [...(all?.received ?? []), ...next.received] };
    $("recall").replaceChildren(...recall(id, all, () => more().catch((error) => notice(error.message))));
    const line = first !== undefined && $("recall").querySelectorAll("tbody tr")[first];
    if (line) { line.tabIndex = -1; line.focus(); }
  };
  await more();
}

async function comment() {
  const text = $("comment").value.trim();
  if (!text) return $("comment").focus();
  $("comment-send").disabled = true;
  $("comment-error").textContent = "";
  try {
    await step("comment", { text });
    $("comment").value = "";
  } catch (error) {
    $("comment-error").textContent = inWords(error); // what was typed stays
  } finally {
    $("comment-send").disabled = false;
    $("comment").focus();
  }
  return undefined;
}

$("comment-form").addEventListener("submit", (event) => { event.preventDefault(); comment(); });
$("comment").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); comment(); }
  if (event.key === "Escape") $("head").focus();
});
addEventListener("online", () => load());
listenForSteps(goOn);
listenForKeys();

startPage({
  load: () => load(),
  clear: () => { // nothing of what the one before saw or wrote stays
    for (const each of ["step", "keys"]) $(each).close();
    forgetColleagues();
    $("comment").value = "";
    gate("");
    document.title = t("case.title");
  },
});
