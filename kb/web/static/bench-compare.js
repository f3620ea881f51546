// Compare: two settings over a set of judged queries, in portions, with wins and losses by query.

import { audience, change, field, fill, go, known, score, why } from "./bench-shared.js";
import { bench } from "./client.js";
import { $, el } from "./dom.js";
import { count, number, t } from "./i18n.js";
import { say } from "./page.js";
import { trouble, troubleInWords } from "./states.js";

const TIE = 0.001; // as the service counts
const SURE = 0.05;
const ORDERS = {
  losses: (x, y) => delta(x) - delta(y),
  wins: (x, y) => delta(y) - delta(x),
  query: (x, y) => x.text.localeCompare(y.text),
};

const setting = () => ({ changed: false, weights: null, priors: {} });
const chosen = { set: "", a: setting(), b: setting() };
let run = null; // { queries, total, difference, failed, controller }
let order = "losses";

const delta = (query) => query.b.ndcg - query.a.ndcg;
const mean = (values) => values.reduce((sum, each) => sum + each, 0) / values.length;

export function forget() {
  run?.controller.abort();
  run = null;
  Object.assign(chosen, { set: "", a: setting(), b: setting() });
}

/** Draw the form and the results. */
export function draw() {
  const form = $("compare");
  if (!known.mayJudge) return form.replaceChildren(el("div", { class: "state" }, el("p", {}, t("bench.sets.internal"))));
  if (!known.sets.length) {
    return form.replaceChildren(el("div", { class: "state" }, el("h2", {}, t("bench.sets.none")), el("p", {}, t("bench.sets.none.text"))));
  }
  const select = el("select", { id: "compare-set" });
  fill(select, known.sets.map((each) => [each.id, `${each.name} (${count("bench.queries", each.queries)})`]), chosen.set);
  chosen.set = select.value;
  select.addEventListener("change", () => { chosen.set = select.value; });
  form.replaceChildren(
    el("p", { class: "soft" }, t("bench.compare.text")),
    field(t("bench.set"), select),
    el("div", { class: "sides" }, side("a"), side("b")),
    el("div", { class: "row" },
      el("button", { type: "submit", class: "primary", id: "run" }, t("bench.compare.do")),
      el("button", { type: "button", id: "stop", hidden: true, on: { click: () => run.controller.abort() } }, t("bench.compare.stop"))),
  );
  return show();
}

function side(name) {
  const mine = chosen[name];
  const how = el("select", { id: `${name}-how` });
  fill(how, [["", t("bench.as_it_is")], ["changed", t("bench.changed")]], mine.changed ? "changed" : "");
  how.addEventListener("change", () => {
    mine.changed = how.value === "changed";
    mine.weights ??= null;
    draw();
    $(`${name}-how`).focus();
  });
  return el("fieldset", { class: "side" }, el("legend", {}, t(`bench.side.${name}`)), field(t("bench.how"), how), ...(mine.changed ? knobs(name, mine) : []));
}

function knobs(name, mine) {
  const own = el("input", { type: "checkbox", id: `${name}-own`, checked: Boolean(mine.weights) });
  own.addEventListener("change", () => { mine.weights = own.checked ? { ...known.settings.weights } : null; draw(); $(`${name}-own`).focus(); });
  const weights = mine.weights && Object.keys(known.settings.weights).map((each) =>
    knob(`${name}-${each}`, t(`bench.weight.${each}`), mine.weights[each], { min: each === "slope" ? -2 : each === "base" ? -1 : 0, max: each === "slope" ? 2 : 1, step: 0.05 },
      (value) => { mine.weights[each] = value; }));
  const priors = known.settings.priors.map((each) =>
    knob(`${name}-prior-${each}`, why(each), mine.priors[each] ?? 1, { min: 0, max: 5, step: 0.5 }, (value) => {
      if (value === 1) delete mine.priors[each];
      else mine.priors[each] = value;
    }));
  return [
    el("label", { class: "choice" }, own, el("span", {}, t("bench.weights.own"))),
    weights && el("div", { class: "knobs" }, ...weights),
    el("p", { class: "small soft" }, t("bench.priors.text")),
    el("div", { class: "knobs" }, ...priors),
  ];
}

function knob(id, label, value, range, changed) {
  const input = el("input", { id, type: "number", required: true, ...range, value });
  input.step = "any";
  input.addEventListener("change", () => { if (input.checkValidity()) changed(Number(input.value)); });
  return field(label, input);
}

const trial = ({ changed, weights, priors }) => (changed ? { ...(weights && { weights }), priors } : {});

async function compare() {
  run?.controller.abort();
  const mine = { queries: [], total: 0, difference: null, failed: null, controller: new AbortController() };
  run = mine;
  const { signal } = mine.controller;
  const asked = { set_id: chosen.set, a: trial(chosen.a), b: trial(chosen.b) };
  $("stop").hidden = false;
  $("compared").replaceChildren(progress());
  try {
    for (let after = null; ;) {
      const part = await bench("compare", { method: "POST", body: { ...asked, after }, signal });
      mine.queries.push(...part.queries);
      mine.total = part.total;
      after = part.next;
      show();
      if (!after) break;
    }
    await weigh(mine, signal);
  } catch (error) {
    if (run !== mine) return;
    if (!signal.aborted) mine.failed = error;
    else if (mine.queries.length) await weigh(mine).catch((problem) => { mine.failed = problem; });
  }
  if (run !== mine) return;
  mine.done = true;
  show();
  say(mine.failed ? troubleInWords(mine.failed) : verdict(mine));
}

async function weigh(mine, signal) {
  if (!mine.queries.length) return;
  const pairs = { a: mine.queries.map((each) => each.a.ndcg), b: mine.queries.map((each) => each.b.ndcg) };
  mine.difference = await bench("significance", { method: "POST", body: pairs, signal });
}

const progress = () =>
  el("div", { class: "progress" },
    el("progress", { max: run.total || 1, value: run.queries.length, "aria-label": t("bench.progress.label") }),
    el("span", { class: "small soft" }, t("bench.progress", { n: number(run.queries.length), of: number(run.total) })));

function show() {
  if ($("stop")) $("stop").hidden = !run || Boolean(run.done);
  if (!run) return $("compared").replaceChildren();
  const { queries, failed } = run;
  if (run.done && !failed && !queries.length) {
    return $("compared").replaceChildren(el("div", { class: "state" }, el("h2", {}, t("bench.compare.empty")), el("p", {}, t("bench.compare.empty.text"))));
  }
  return $("compared").replaceChildren(
    ...[
      !run.done && progress(),
      failed && trouble(failed, compare),
      run.difference && card(run),
      queries.length > 0 && results(queries),
    ].filter(Boolean));
}

function verdict({ difference }) {
  if (!difference) return "";
  if (difference.wins + difference.losses === 0) return t("bench.verdict.same");
  if (difference.p >= SURE) return t("bench.verdict.luck");
  return t(difference.mean > 0 ? "bench.verdict.better" : "bench.verdict.worse");
}

function card(mine) {
  const { difference, queries } = mine;
  const missing = queries.some((each) => each.a.degraded.length || each.b.degraded.length);
  const figures = [
    [t("bench.mean.a"), score(mean(queries.map((each) => each.a.ndcg)))],
    [t("bench.mean.b"), score(mean(queries.map((each) => each.b.ndcg)))],
    [t("bench.difference"), t("bench.interval", { mean: change(difference.mean), low: change(difference.low), high: change(difference.high) })],
    ["p", difference.p < 0.001 ? "< 0.001" : score(difference.p)],
    [t("bench.outcome"), t("bench.outcome.text", { wins: number(difference.wins), losses: number(difference.losses), ties: number(difference.ties) })],
  ];
  return el("div", { class: "verdict" },
    el("p", { class: "lead" }, verdict(mine)),
    missing && el("p", { class: "note" }, t("bench.compare.degraded")),
    mine.queries.length < mine.total && el("p", { class: "note" }, t("bench.compare.stopped", { n: number(queries.length), of: number(mine.total) })),
    el("dl", {}, ...figures.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    el("p", { class: "small soft" }, t("bench.measure")));
}

function results(queries) {
  const select = el("select", { id: "compare-order" });
  fill(select, Object.keys(ORDERS).map((each) => [each, t(`bench.order.${each}`)]), order);
  select.addEventListener("change", () => { order = select.value; show(); $("compare-order").focus(); });
  const sorted = [...queries].sort(ORDERS[order]);
  return el("section", {},
    field(t("bench.order"), select),
    el("div", { class: "scroll", role: "region", "aria-label": t("bench.result"), tabIndex: 0 },
      el("table", { class: "compared" },
        el("thead", {}, el("tr", {}, ...["query", "as", "a", "b", "change", "unjudged"].map((name) => el("th", { scope: "col" }, t(`bench.column.${name}`))))),
        el("tbody", {}, ...sorted.map(line)))));
}

function line(query) {
  const by = delta(query);
  const how = by >= TIE ? "win" : by <= -TIE ? "loss" : "tie";
  const open = el("button", { type: "button", class: "link", on: { click: () => explain(query) } }, query.text);
  return el("tr", { class: how },
    el("th", { scope: "row" }, open),
    el("td", {}, audience(query.audience)),
    el("td", {}, score(query.a.ndcg)),
    el("td", {}, score(query.b.ndcg)),
    el("td", { class: "change" }, el("span", {}, t(`bench.${how}`)), " ", how === "tie" ? "" : change(by)),
    el("td", {}, `${number(query.a.unjudged)} / ${number(query.b.unjudged)}`));
}

function explain(query) {
  go({ tab: "", q: query.text, as: query.audience === "internal" ? "" : query.audience, set: chosen.set });
  dispatchEvent(new PopStateEvent("popstate"));
}

$("compare").addEventListener("submit", (event) => { event.preventDefault(); compare(); });
