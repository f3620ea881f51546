// What a case looks like: each function draws one part of the page from what the API says.

import { articleAddress, badges, causeOf, fromNow, gathered, searchAddress, took, when, whoIs } from "./case-words.js";
import { changeBlock, changed } from "./changes.js";
import { el } from "./dom.js";
import { count, moment, number, t } from "./i18n.js";
import { prose } from "./prose.js";

const NUMBER = /\d{3}-\d{4}/; // of an article, as the history names it

/** The article that it is about; of a gap the one that fills it. */
const articleOf = (found) => found.number ?? (found.item_id && found.history.findLast((each) => each.action === "fixed")?.text.match(NUMBER)?.[0]);

/** What is wrong, with which article, and how it stands. */
export const head = (found) => [
  el("p", { class: "eyebrow" }, causeOf(found), " ", ...badges(found)),
  el("h1", {}, found.cause === "nothing_answers" ? t("case.asked", { query: found.title }) : found.title || t("case.untitled")),
  articleOf(found) && el("p", { class: "soft" },
    el("a", { href: articleAddress(articleOf(found)) }, t("case.article", { number: articleOf(found) })),
    found.heading.length > 0 && ` · ${found.heading.join(" › ")}`),
  found.state === "declined" && el("p", { class: "note" }, t("case.reason", { reason: found.reason })),
].filter(Boolean);

/** Who has it and what it weighs. */
export function facts(found) {
  const rows = [
    found.closed_at
      ? ["case.closed", when(found.closed_at)]
      : found.state !== "fixed" && ["case.due", el("time", { dateTime: found.due_at, title: moment(found.due_at), class: found.overdue ? "unsure" : "" }, fromNow(found.due_at))],
    found.turn_around_s !== null && ["case.turn_around", took(found.turn_around_s)],
    ["case.severity", t(`case.severity.${found.severity}`)],
    ["case.assignee", found.assignee_id ? whoIs(found.assignee_id) : t("case.nobody")],
    ["case.owner", found.owner_id ? whoIs(found.owner_id) : t("case.nobody")],
    ["case.count", count("case.people", found.count)],
    ["case.reuse", count("case.contacts", found.reuse)],
    ["case.opened", when(found.opened_at)],
  ];
  return el("dl", { class: "case-facts" }, ...rows.filter(Boolean).map(([key, value]) => el("div", {}, el("dt", {}, t(key)), el("dd", {}, value))));
}

/** The quote in its passage, as it was flagged and as it is today: side by side where they differ. */
export function wrong(found) {
  const { then, now, changes } = found.quoted;
  const quote = found.quote && el("blockquote", { class: "quote" }, found.quote);
  if (found.cause === "nothing_answers") {
    return [el("p", {}, t("case.gap"), " ", el("a", { href: searchAddress(found.title) }, t("case.search_again")))];
  }
  if (!then) return [quote, el("p", { class: "soft" }, t(found.quote ? "case.passage.unseen" : "case.passage.whole"))].filter(Boolean);
  const text = el("div", { class: "prose" }, prose((now ?? then).html, { deeper: 2 }));
  const marked = mark(text, found.quote);
  if (now && !changed(changes)) {
    return [!marked && quote, passage(t("case.passage.still"), text, now.revision)].filter(Boolean);
  }
  return [
    !(marked && !now) && quote,
    el("div", { class: "beside" },
      passage(t("case.passage.then"), now ? sided(changes, "delete") : text, then.revision),
      now ? passage(t("case.passage.now"), sided(changes, "insert"), now.revision) : el("div", { class: "side" }, el("h3", {}, t("case.passage.now")), el("p", {}, t("case.passage.gone")))),
  ].filter(Boolean);
}

/** Mark a quote where it stands, also across bold words and links; says whether it does. */
function mark(root, quote) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  const words = quote.split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  const match = words.length ? new RegExp(words.join("\\s*"), "iu").exec(nodes.map((each) => each.data).join("")) : null;
  if (!match) return false;
  let at = 0;
  for (const node of nodes) {
    const [from, to] = [Math.max(match.index - at, 0), Math.min(match.index + match[0].length - at, node.data.length)];
    at += node.data.length;
    if (from >= to || !node.data.trim()) continue;
    const piece = from ? node.splitText(from) : node;
    piece.splitText(to - from);
    piece.replaceWith(el("mark", {}, piece.data));
  }
  return true;
}

const passage = (title, body, revision) =>
  el("div", { class: "side" }, el("h3", {}, title, " ", el("span", { class: "soft" }, t("case.revision", { n: number(revision) }))), body);

/** One side of a difference: what is the same, and what only this side says. */
const sided = (steps, kind) =>
  el("div", { class: "changes" }, ...steps.filter((each) => ["equal", kind].includes(each.change)).map((each) =>
    each.change === "equal" ? each.text : el(kind === "delete" ? "del" : "ins", {}, each.text)));

/** What the fix changed, and what the flagged queries find since; nothing before there is one. */
export function proof(found) {
  if (!found.fixed_revision) return [];
  const round = Math.max(...found.proofs.map((each) => each.round), 0);
  return [
    el("h2", { id: "proof-title" }, t("case.proof")),
    found.changed && el("h3", {}, t("case.proof.changed")),
    found.changed && changed(found.changed.title) && changeBlock(found.changed.title),
    found.changed && changeBlock(found.changed.body),
    found.proof === "waiting" && el("p", { class: "note waiting" }, t("case.proof.waiting")),
    found.proof === "done" && !found.proofs.length && el("p", { class: "soft" }, t("case.proof.none")),
    ...found.proofs.filter((each) => each.round === round && found.proof === "done").map(replayed),
  ].filter(Boolean);
}

const replayed = (each) =>
  el("article", { class: "replayed" },
    el("h3", {}, t("case.proof.query", { query: each.query || "…" }), " ", each.query && el("a", { class: "small", href: searchAddress(each.query) }, t("case.search_again"))),
    el("div", { class: "beside" }, place(t("case.proof.before"), each.before, "case.proof.unknown"), place(t("case.proof.after"), each.after, "case.proof.not_found")));

const place = (title, found, none) =>
  el("div", { class: "side" },
    el("h4", {}, title, " ", el("span", { class: "soft" }, found.rank === null ? t(none) : t("case.proof.rank", { n: number(found.rank) }))),
    found.text && el("p", { class: "found" }, found.text));

/** What readers said who were asked whether it helped, the latest first. */
export function readers({ ratings }) {
  if (!ratings) return [];
  const { helpful, not_helpful, comments } = ratings;
  return [
    el("h2", {}, t("case.readers")),
    el("p", {}, `${count("case.readers.not_helped", not_helpful)} · ${count("case.readers.helped", helpful)}`),
    el("ul", { class: "flags" }, ...comments.map((each) =>
      el("li", {}, el("p", { class: "said" }, each.text), el("p", { class: "facts" },
        el("span", {}, t(each.helped ? "case.readers.yes" : "case.readers.no")), el("span", {}, t("case.revision", { n: each.revision })), when(each.at))))),
  ];
}

/** Who flagged it, in their words. */
export const flags = (found) =>
  found.flags.length
    ? [el("ul", { class: "flags" }, ...found.flags.map((each) =>
        el("li", {},
          el("p", { class: "small soft" }, el("b", {}, each.said_by || whoIs(each.person_id)), each.said_in && ` (${each.said_in})`, " · ", when(each.changed_at),
            each.item_id && each.item_id !== found.item_id ? ` · ${t("case.flag.elsewhere")}` : each.revision && ` · ${t("case.revision", { n: number(each.revision) })}`,
            each.interaction_id && ` · ${t("case.flag.contact")}`,
            each.severe && " ", each.severe && el("span", { class: "mark-of severe" }, t("case.flag.severe"))),
          each.note && el("p", { class: "said" }, each.note),
          each.quote && !found.quote.includes(each.quote) && el("blockquote", { class: "quote" }, each.quote),
          each.query && el("p", { class: "small" }, t("case.flag.query"), " ", el("a", { href: searchAddress(each.query) }, each.query)))))]
    : [el("p", { class: "soft" }, t("case.flags.none"))];

/** What happened, the last at the end. */
export const history = (found) =>
  gathered(found.history).map(([step, words]) =>
    el("li", { class: step.action === "commented" ? "step comment" : "step" },
      el("p", {}, words, " ", el("span", { class: "soft small" }, when(step.at))),
      ["commented", "declined", "reopened"].includes(step.action) && step.text && el("p", { class: "said" }, step.text)));

/** Who received what was wrong. */
export function recall(id, found, more) {
  const rows = found.received.map((each) =>
    el("tr", {}, el("td", {}, moment(each.at)), el("td", {}, whoIs(each.agent_id)), el("td", {}, t(`case.how.${each.how}`, {}, each.how)),
      el("td", {}, each.channel ? t(`case.channel.${each.channel}`, {}, each.channel) : "–"), el("td", {}, each.external_id || each.interaction_id?.slice(0, 8) || "–"),
      el("td", {}, each.subject || "–"), el("td", {}, number(each.revision))));
  const columns = ["at", "agent", "how", "channel", "contact", "subject", "revision"];
  const file = (type) => el("a", { class: "button", href: `/api/v1/cases/${encodeURIComponent(id)}/recall.${type}`, download: "" }, t(`case.recall.${type}`));
  return [
    el("h2", { id: "recall-title" }, t("case.recall")),
    el("p", { class: "soft" }, t(rows.length ? "case.recall.lead" : "case.recall.none")),
    rows.length > 0 && el("div", { class: "scroll", tabIndex: 0, role: "group", "aria-labelledby": "recall-title" },
      el("table", {}, el("thead", {}, el("tr", {}, ...columns.map((each) => el("th", { scope: "col" }, t(`case.recall.${each}`))))), el("tbody", {}, ...rows))),
    rows.length > 0 && el("div", { class: "row" }, found.next && el("button", { type: "button", on: { click: more } }, t("results.more")), file("csv"), file("jsonl")),
  ].filter(Boolean);
}
