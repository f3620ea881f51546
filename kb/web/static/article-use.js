// Who used the article and where it was sent: counts by month, audience or role (KCS CH-02), and each time by itself
// with what it said then (KCS RE-07). Customers are never named, only channels.

import { api } from "./client.js";
import { editorPage, go, here } from "./article-place.js";
import { nameOfPerson } from "./colleagues.js";
import { $, el } from "./dom.js";
import { count, current, moment, number as figure, t } from "./i18n.js";

const PERIODS = ["30", "90", "365"];
const GROUPS = ["month", "audience", "role"];
const WAYS = ["viewed", "copied", "inserted", "resolution", "reference", "resolved", "not_helpful"];
const PAGE = 50;

export async function content(sheet, { signal, show }) {
  const days = PERIODS.includes(here().days) ? here().days : "90";
  const by = GROUPS.includes(here().by) ? here().by : "month";
  const asked = `?${new URLSearchParams({ days })}`;
  const [use, { users }] = await Promise.all([
    api(`${sheet.path}/use${asked}`, { signal }), api(`${sheet.path}/users${asked}`, { signal })]);
  const choose = (name, values, value) => {
    const id = `use-${name}`;
    const changed = async ({ target }) => { go({ [name]: target.value }); await show(); $(id).focus(); };
    return [el("label", { htmlFor: id }, t(`art.use.${name}`)), el("select", { id, on: { change: changed } },
      ...values.map((each) => el("option", { value: each, selected: each === value }, t(`art.use.${name}.${each}`))))];
  };
  return [
    el("p", {}, t("art.use.now", { resolution: figure(use.resolution), reference: figure(use.reference) })),
    el("div", { class: "row compare" }, ...choose("days", PERIODS, days), ...choose("by", GROUPS, by)),
    use.times.length ? table(use.times, by) : el("p", { class: "soft" }, t("art.use.nothing")),
    el("h3", {}, t("art.use.sent")),
    users.length ? sent(sheet, users) : el("p", { class: "soft" }, t("art.use.not_sent")),
  ];
}

const wayOf = (each) => (each.kind === "linked" ? each.type : each.kind);

function keyOf(each, by) {
  if (by === "month") return each.day.slice(0, 7);
  return each[by] ?? "";
}

function nameOf(key, by) {
  if (by === "month") return new Intl.DateTimeFormat(current(), { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${key}-01`));
  return key ? t(`art.${by}.${key}`) : t(`art.${by}.none`);
}

function table(times, by) {
  const ways = WAYS.filter((way) => times.some((each) => wayOf(each) === way));
  const groups = [...new Set(times.map((each) => keyOf(each, by)))].sort();
  const sum = (key, way) => times.filter((each) => keyOf(each, by) === key && wayOf(each) === way).reduce((n, each) => n + each.count, 0);
  const row = (key) => el("tr", {}, el("th", { scope: "row" }, nameOf(key, by)),
    ...ways.map((way) => el("td", {}, figure(sum(key, way)))));
  const frame = { class: "scroll", role: "group", tabIndex: 0, "aria-label": t("art.use.title") };
  return el("div", frame, el("table", { class: "figures" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t(`art.use.by.${by}`)), ...ways.map((way) => el("th", { scope: "col" }, t(`art.way.${way}`))))),
    el("tbody", {}, ...groups.map(row))));
}

/** Each time it was sent, the newest first, with the way to what has changed since. */
function sent({ number, article, revisions }, users) {
  const list = el("ul", { class: "plain sent" });
  const known = new Set(revisions.map((each) => each.number));
  const { published } = article.editing;
  const line = (each) => el("li", {},
    el("p", { class: "facts" }, el("strong", {}, nameOfPerson(each.person_id)), el("span", {}, t(`art.sent.${each.kind}`)),
      each.channel && el("span", { class: "badge" }, t(`case.channel.${each.channel}`)),
      el("time", { dateTime: each.at }, moment(each.at))),
    el("p", { class: "facts" },
      each.revision && el("span", {}, t("art.use.version", { n: each.revision })),
      each.revision === published && el("span", {}, t("art.use.current")),
      each.revision !== published && known.has(each.revision) && known.has(published) &&
        el("a", { href: editorPage("article", { number, tab: "history", from: each.revision, to: published }) }, t("art.use.since")),
      each.interaction_id && el("span", {}, t("art.use.interaction"), " ", el("code", {}, each.interaction_id))));
  const more = el("button", { type: "button", class: "more", on: { click: () => add() } }, t("results.more"));
  const add = () => {
    const from = list.childElementCount;
    list.append(...users.slice(from, from + PAGE).map(line));
    more.hidden = list.childElementCount >= users.length;
    if (from) { list.children[from].tabIndex = -1; list.children[from].focus(); }
  };
  add();
  return el("div", {}, el("p", { class: "soft small" }, count("art.use.count", users.length)), list, more);
}
