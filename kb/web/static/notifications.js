// What I was told about cases: what is new first, with what a fix changed, and the answer to it right there.

import { look } from "./bell.js";
import { articleAddress, badges, caseAddress, causeOf, mayAnswer, when, whoIs } from "./case-words.js";
import { changeBlock, changed } from "./changes.js";
import { api } from "./client.js";
import { forgetColleagues, meet } from "./colleagues.js";
import { $, el } from "./dom.js";
import { count, moment, t } from "./i18n.js";
import { keyed, listenForKeys } from "./keys.js";
import { notice, say, shut, startPage } from "./page.js";
import { signedIn } from "./session.js";
import { trouble, troubleInWords, waiting } from "./states.js";

const SOON = 250; // ms: a list that comes sooner needs no outline
const PAGE = 20;
const NONE = { notes: [], next: null };

let fresh = NONE; // what has not been read
let old = NONE;
let request = null;
const more = new Map(); // by id: what a fix changed, or what was said
const why = new Map(); // by id: a reason that is being typed

const listOf = (unread, before, signal) =>
  api(`notifications?${new URLSearchParams({ unread, limit: PAGE, ...(before && { before }) })}`, { signal }).then(
    (found) => ({ notes: found.notifications, next: found.next }));

async function load() {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  $("all-read").hidden = true;
  if (!signedIn()?.rights.includes("flag")) return $("list").replaceChildren(shut(signedIn(), "notes"));
  const outline = setTimeout(() => $("list").replaceChildren(waiting()), SOON);
  try {
    await meet();
    [fresh, old] = await Promise.all([listOf(true, null, signal), listOf(false, null, signal)]);
    clearTimeout(outline);
    if (signal.aborted) return undefined;
    draw();
    say(count("notes.count", fresh.notes.length));
    lookInto(fresh.notes, signal); // nobody waits for it
  } catch (error) {
    if (signal.aborted) return undefined;
    $("list").replaceChildren(trouble(error, load));
    say(troubleInWords(error));
  } finally {
    clearTimeout(outline);
  }
  return undefined;
}

/** One after the other ask for what the list does not hold, and show it. Without it the list does as well. */
async function lookInto(notes, signal) {
  for (const note of notes.filter((each) => !more.has(each.id) && ["fixed", "commented"].includes(each.news))) {
    try {
      more.set(note.id, await about(note, signal));
    } catch {
      if (signal?.aborted) return;
      continue;
    }
    const place = lineOf(note.id)?.querySelector(".about");
    place?.replaceChildren(...told(note));
  }
}

/** What a fix changed since I flagged it; what was said last. */
async function about(note, signal) {
  if (note.news === "fixed") return (await api(`notifications/${note.id}`, { signal })).changed;
  const { history } = await api(`cases/${encodeURIComponent(note.case.id)}`, { signal });
  return history.findLast((each) => each.action === "commented" && each.person_id !== signedIn()?.id) ?? null;
}

const lineOf = (id) => $("list").querySelector(`[data-id="${id}"]`);

function draw() {
  $("all-read").hidden = fresh.notes.every((each) => each.read_at);
  if (!fresh.notes.length && !old.notes.length) {
    return $("list").replaceChildren(el("div", { class: "state" }, el("h2", {}, t("notes.empty.title")), el("p", {}, t("notes.empty"))));
  }
  return $("list").replaceChildren(
    el("h2", {}, t("notes.new")),
    fresh.notes.length ? lines(fresh) : el("p", { class: "soft" }, t("notes.none_new")),
    ...further(true),
    ...(old.notes.length ? [el("h2", {}, t("notes.old")), lines(old), ...further(false)] : []),
  );
}

const lines = (from) => el("ul", { class: "notes" }, ...from.notes.map((each) => el("li", {}, line(each))));

const further = (unread) =>
  (unread ? fresh : old).next
    ? [el("button", { type: "button", class: "more", on: { click: () => showMore(unread) } }, t("results.more"))]
    : [];

function line(note) {
  if (note.article) return ending(note);
  const { id, case: about } = note;
  const title = about.cause === "nothing_answers" ? t("case.asked", { query: about.title }) : about.title;
  return el("article", { class: note.read_at ? "told" : "told unread", "data-id": id, "data-keys": "", tabIndex: -1, "aria-labelledby": `news-${id}` },
    el("h3", { id: `news-${id}` }, !note.read_at && el("span", { class: "mark-of fresh" }, t("notes.unread")), " ", t(`notes.news.${note.news}`)),
    el("p", {}, el("a", { href: caseAddress(about) }, `${causeOf(about)}: ${title}`)),
    about.quote && el("blockquote", { class: "quote" }, about.quote),
    note.news === "declined" && about.reason && el("p", { class: "said" }, about.reason),
    el("div", { class: "about" }, ...told(note)),
    el("p", { class: "facts" }, ...badges(about), when(note.at), about.number && el("a", { href: articleAddress(about.number) }, t("case.article", { number: about.number }))),
    el("div", { class: "row" }, ...answers(note)),
    el("div", { class: "answering" }, why.has(id) && whyForm(note)),
  );
}

/** An article of mine that ends, or has ended. */
function ending(note) {
  const { id, news, at, read_at, article } = note;
  return el("article", { class: read_at ? "told" : "told unread", "data-id": id, "data-keys": "", tabIndex: -1, "aria-labelledby": `news-${id}` },
    el("h3", { id: `news-${id}` }, !read_at && el("span", { class: "mark-of fresh" }, t("notes.unread")), " ", t(`notes.news.${news}`)),
    el("p", {}, el("a", { href: news === "changed" ? `${articleAddress(article.number)}&tab=history` : articleAddress(article.number) }, article.title)),
    el("p", { class: "facts" }, el("span", { class: "number" }, article.number), news !== "changed" && article.due && el("span", {}, t("notes.ends", { time: moment(article.due) })), when(at)),
    el("div", { class: "row" }, !read_at && keyed("m", t("notes.read"), () => read(note))),
  );
}

/** What is known of it beyond the list. */
function told(note) {
  const found = more.get(note.id);
  if (note.news === "fixed" && found) {
    return [el("h4", {}, t("case.proof.changed")), ...[found.title, found.body].filter(changed).map((steps) => changeBlock(steps))];
  }
  if (note.news === "commented" && found) return [el("p", { class: "said" }, el("b", {}, whoIs(found.person_id)), `: ${found.text}`)];
  if (note.news === "fixed" && note.read_at && !more.has(note.id)) {
    return [el("button", { type: "button", on: { click: async () => { await lookInto([note]); lineOf(note.id)?.focus(); } } }, t("case.proof.changed"))];
  }
  return [];
}

/** What can be answered, here and now: one press. */
function answers(note) {
  const mine = note.news === "fixed" || mayAnswer(note.case, []); // who is told of a fix has flagged it
  return [
    mine && note.case.state === "fixed" && keyed("y", t("case.accept"), () => accept(note), { class: "primary" }),
    mine && note.case.state === "fixed" && keyed("r", t("notes.reopen"), () => askWhy(note)),
    !note.read_at && keyed("m", t("notes.read"), () => read(note)),
  ].filter(Boolean);
}

const accept = (note) => answer(note, "accept");

function askWhy(note) {
  if (!why.has(note.id)) why.set(note.id, "");
  lineOf(note.id).querySelector(".answering").replaceChildren(whyForm(note));
  lineOf(note.id).querySelector("input").focus();
}

/** The reason, in place; what is typed outlives whatever is drawn anew. */
function whyForm(note) {
  const text = el("input", { type: "text", id: `why-${note.id}`, maxLength: 2000, autocomplete: "off", value: why.get(note.id), on: {
    input: () => why.set(note.id, text.value),
    keydown: (event) => { if (event.key === "Escape" && !event.isComposing) { why.delete(note.id); form.remove(); lineOf(note.id).focus(); } },
  } });
  const form = el("form", { class: "why-form", on: { submit: (event) => { event.preventDefault(); send(); } } },
    el("label", { htmlFor: text.id }, t("case.reopen.help")), el("div", { class: "row" }, text, el("button", { type: "submit", class: "primary" }, t("notes.reopen.send"))),
    el("p", { class: "mistake", role: "alert" }));
  const send = () => {
    const reason = text.value.trim();
    if (reason) return answer(note, "reopen", { reason });
    form.querySelector(".mistake").textContent = t("case.why.needed");
    return text.focus();
  };
  return form;
}

/** Say what I think of a fix. Whoever was told of it elsewhere as well sees it there too. */
async function answer(note, name, body) {
  notice("");
  try {
    const changedCase = await api(`cases/${encodeURIComponent(note.case.id)}/${name}`, { method: "POST", ...(body && { body }) });
    why.delete(note.id);
    for (const each of [...fresh.notes, ...old.notes]) if (each.case?.id === changedCase.id) each.case = changedCase;
    await read(note, t(name === "accept" ? "notes.accepted" : "notes.reopened"));
  } catch (error) {
    if (error.code === "conflict") { await load(); notice(t("notes.conflict")); } else notice(`${troubleInWords(error)}. ${error.message}`);
    (lineOf(note.id) ?? $("list")).focus();
  }
}

/** Mark one as read: it stays where it is until the page is opened again, so that nothing jumps under the eye. */
async function read(note, words = t("notes.marked")) {
  try {
    if (!note.read_at) await api("notifications/read", { method: "POST", body: { ids: [note.id] } });
    look();
  } catch (error) {
    return notice(`${troubleInWords(error)}. ${error.message}`);
  }
  note.read_at ??= new Date().toISOString();
  draw();
  say(words);
  return next(note);
}

/** To the first one after this that has not been read; else to this one. */
function next(note) {
  const all = [...$("list").querySelectorAll(".told")];
  const after = all.slice(all.indexOf(lineOf(note.id)) + 1).find((each) => each.classList.contains("unread"));
  (after ?? lineOf(note.id))?.focus();
}

/** All of them, also those that are not on the page; not what has come since. */
async function readAll() {
  const newest = fresh.notes[0]?.id ?? 0;
  try {
    for (;;) {
      const { notifications } = await api("notifications?unread=true&limit=200"); // as many as one call marks
      const ids = notifications.map((each) => each.id).filter((each) => each <= newest);
      if (!ids.length) break;
      await api("notifications/read", { method: "POST", body: { ids } });
    }
  } catch (error) {
    return notice(`${troubleInWords(error)}. ${error.message}`);
  }
  await load();
  look();
  say(t("notes.all_marked"));
  return $("list").focus();
}

async function showMore(unread) {
  const from = unread ? fresh : old;
  const found = await listOf(unread, from.next, request.signal);
  const grown = { notes: [...from.notes, ...found.notes], next: found.next };
  if (unread) fresh = grown; else old = grown;
  draw();
  lineOf(found.notes[0]?.id)?.focus();
  if (unread) await lookInto(found.notes, request.signal);
}

/** Up and down through the list. */
function move(by) {
  const all = [...$("list").querySelectorAll(".told")];
  const at = all.indexOf(document.activeElement?.closest(".told"));
  const to = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  to?.focus();
  to?.scrollIntoView({ block: "nearest" });
}

/** To the case of the one that has the focus. */
function open() {
  const inside = document.activeElement;
  if (inside?.matches("a, button")) inside.click(); else inside?.closest(".told")?.querySelector("a")?.click();
}

$("all-read").addEventListener("click", readAll);
addEventListener("online", () => load());
listenForKeys({ j: [() => move(1), "notes.key.next"], k: [() => move(-1), "notes.key.back"], Enter: [open, "notes.key.open"] });

startPage({
  load,
  clear: () => { // nothing of what the one before saw stays
    $("keys").close();
    forgetColleagues();
    more.clear();
    why.clear();
    [fresh, old] = [NONE, NONE];
    $("list").replaceChildren();
  },
});
