// What is said to be wrong with the article, and what was: its revision cases.

import { api } from "./client.js";
import { editorPage } from "./article-place.js";
import { nameOfPerson } from "./colleagues.js";
import { el } from "./dom.js";
import { count, day, t } from "./i18n.js";

const MOST = 100;

export async function content({ number }, { signal }) {
  const { cases, next } = await api(`cases?${new URLSearchParams({ number, limit: MOST })}`, { signal });
  const done = (each) => ["closed", "declined"].includes(each.state);
  const open = cases.filter((each) => !done(each));
  const closed = cases.filter(done);
  const group = (key, found) => [el("h3", {}, t(`art.cases.${key}`)),
    found.length ? el("ul", { class: "plain cases" }, ...found.map(line)) : el("p", { class: "soft" }, t(`art.cases.${key}.none`))];
  return [...group("open", open), ...group("done", closed), next && el("p", { class: "soft" }, t("art.cases.more", { n: MOST }))];
}

function line(each) {
  const who = each.assignee_id ?? each.owner_id;
  return el("li", {},
    el("p", {}, el("a", { href: editorPage("case", { id: each.id }) }, t(`case.cause.${each.cause}`))),
    each.quote && el("blockquote", {}, each.quote),
    el("p", { class: "facts" },
      el("span", { class: each.severity === "severe" ? "badge stop" : "badge" }, t(`case.severity.${each.severity}`)),
      el("span", {}, t(`case.state.${each.state}`)),
      el("span", {}, count("art.cases.voices", each.count)),
      each.state === "closed" || each.state === "declined" ? each.closed_at && el("time", { dateTime: each.closed_at }, day(each.closed_at))
        : each.state !== "fixed" && el("span", { class: each.overdue ? "late" : "" }, t(each.overdue ? "art.cases.overdue" : "art.cases.due", { date: day(each.due_at) })),
      who && el("span", {}, nameOfPerson(who))));
}
