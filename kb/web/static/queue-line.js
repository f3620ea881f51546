// One line of the queue: what, where, how many, how pressing, whose.

import { nameOfPerson } from "./colleagues.js";
import { el } from "./dom.js";
import { count, day, nameOf, number, span, t } from "./i18n.js";
import { signedIn } from "./session.js";

const SOON = 24 * 3600; // seconds: what is due sooner is marked

/** Where a line leads: `open` to what it is about, `write` to the editor; null where there is no such place. */
export function waysOf(line) {
  const article = line.number && `/editor/article?${new URLSearchParams({ number: line.number })}`;
  const write = (given) => `/editor/write?${new URLSearchParams(given)}`;
  switch (line.kind) {
    case "case":
    case "gap": {
      const about = line.kind === "case" && line.number ? { number: line.number } : { title: line.title };
      const id = line.case.id;
      return { open: `/editor/case?${new URLSearchParams({ id })}`, write: write({ ...about, case: id }) };
    }
    case "search":
      return { open: `/#${new URLSearchParams({ q: line.search.query })}`, write: write({ title: line.search.query }) };
    case "duplicate":
      return {
        open: `/editor/merge?${new URLSearchParams({ number: line.pair.number, other: line.pair.other })}`,
        write: write({ number: line.pair.number }),
      };
    case "community":
      return { open: /^https?:\/\//.test(line.post.url ?? "") ? line.post.url : null, write: write({ title: line.title }) };
    default:
      return { open: article, write: article && write({ number: line.number }) };
  }
}

/** A line as a list item. `picked` says whether it is selected, `past` that it is in this view no longer. */
export function lineItem(line, { mayFix, mayWrite, picked, past }) {
  const { open, write } = waysOf(line);
  const away = line.kind === "community" && { target: "_blank", rel: "noopener noreferrer ugc nofollow" };
  const box = mayFix && el("label", { class: "pick" },
    el("input", { type: "checkbox", checked: picked, tabIndex: -1, "aria-label": t("queue.pick", { title: line.title }) }));
  // Whoever hears the page hears with the title what others see beside it.
  const beside = { "aria-describedby": ["marks", "many", "due", "whose"].map((part) => `${line.key}-${part}`).join(" ") };
  const title = open
    ? el("a", { class: "goes", href: open, tabIndex: -1, ...away, ...beside }, line.title)
    : el("span", { class: "goes", tabIndex: -1 }, line.title);
  return el(
    "li",
    { class: ["line", line.case?.severity === "severe" && "severe", picked && "picked", past && "past"].filter(Boolean).join(" "), "data-key": line.key },
    box,
    el("div", { class: "what" },
      el("p", { class: "marks", id: `${line.key}-marks` }, ...marks(line, past)),
      el("h2", { lang: line.language }, title, away && el("span", { class: "unseen" }, ` (${t("hit.opens_elsewhere")})`)),
      ...details(line),
      el("p", { class: "facts" }, ...facts(line))),
    el("p", { class: "many", id: `${line.key}-many` }, ...many(line)),
    el("p", { class: "due", id: `${line.key}-due` }, due(line)),
    el("p", { class: "whose", id: `${line.key}-whose` }, ...whose(line)),
    mayWrite && write && el("a", { class: "button write", href: write, tabIndex: -1, "aria-label": t("queue.write.label", { title: line.title }) },
      t(line.number ? "queue.write" : "queue.write.new")),
  );
}

function marks(line, past) {
  const { severity, cause, state } = line.case ?? {};
  return [
    el("span", { class: `kind ${line.kind}` }, t(`queue.kind.${line.kind}`)),
    line.kind === "case" && el("span", {}, t(`queue.cause.${cause}`)),
    severity && severity !== "normal" && el("span", { class: `severity ${severity}` }, t(`case.severity.${severity}`)),
    state && state !== "open" && el("span", { class: "state-of" }, t(`queue.state.${state}`)),
    past && el("span", { class: "state-of" }, t("queue.past")),
  ];
}

/** What the title alone does not say. */
function details(line) {
  const { case: about, pair } = line;
  if (line.kind === "case" && about.quote) return [el("p", { class: "quote", lang: line.language }, t("queue.quote", { text: about.quote }))];
  if (pair) {
    const likeness = t("queue.likeness", { percent: number(pair.likeness * 100) });
    return [el("p", { class: "quote" }, el("span", { lang: line.language }, pair.other_title), " ", el("span", { class: "soft" }, `${pair.other} · ${likeness}`))];
  }
  return [];
}

function facts(line) {
  const { post, search } = line;
  return [
    line.number && el("span", { class: "number", "aria-label": t("hit.number", { number: line.number }), role: "img" }, line.number),
    line.topic && el("span", {}, line.topic),
    line.language && el("span", { lang: line.language }, nameOf(line.language)),
    post?.accepted && el("span", { class: "validated" }, `✓ ${t("queue.accepted")}`),
    post?.author && el("span", {}, t("hit.by", { author: post.author })),
    post?.source && el("span", {}, post.source),
    search && el("span", {}, t("queue.last", { date: day(search.last_at) })),
    el("span", {}, t("queue.demand", { n: number(line.demand) })),
  ];
}

/** How many people it has met: the number first, its words below. */
function many({ case: about, search, post }) {
  if (about) return [el("b", {}, count("queue.people", about.count)), about.reuse > 0 && el("span", {}, count("queue.uses", about.reuse))];
  if (search) return [el("b", {}, count("queue.people", search.people)), el("span", {}, count("queue.searches", search.count))];
  return post ? [el("b", {}, count("queue.votes", post.score))] : [];
}

/** When it is due, in words. An article that nobody has confirmed is late by how long it has not been. */
function due(line) {
  const at = line.due_at ?? line.article?.due;
  if (!at) return null;
  const left = (new Date(at) - Date.now()) / 1000;
  const key = { expiring: "queue.ends", stale: "queue.stale" }[line.kind] ?? "queue.due";
  const words = t(left < 0 ? `${key}.late` : `${key}.in`, { time: span(Math.abs(left)) });
  const how = left < 0 ? "late" : left < SOON ? "soon" : "";
  return el("time", { class: how, dateTime: at, title: day(at) }, words);
}

function whose({ kind, assignee_id: assignee, owner_id: owner }) {
  const name = (id) => (id === signedIn()?.id ? t("queue.you") : nameOfPerson(id));
  const taken = kind === "case" || kind === "gap";
  return [
    taken && el("b", { class: assignee ? "" : "nobody" }, assignee ? name(assignee) : t("queue.nobody")),
    owner && el("span", {}, t("queue.owner", { name: name(owner) })),
  ];
}
