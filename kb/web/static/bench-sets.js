// Sets: what was judged, from where it can be changed, measured elsewhere, and filled from a table.

import { audience, go, known, loadSets, title } from "./bench-shared.js";
import { bench } from "./client.js";
import { $, el } from "./dom.js";
import { count, t } from "./i18n.js";
import { say } from "./page.js";
import { trouble, troubleInWords, waiting } from "./states.js";

let opened = null; // a set with its queries
let naming = null; // what the dialog is for

export function forget() {
  opened = null;
  for (const id of ["table", "naming"]) if ($(id).open) $(id).close();
}

/** Draw the list, or the set that is open. */
export function draw() {
  if (!known.mayJudge) return $("sets").replaceChildren(el("div", { class: "state" }, el("p", {}, t("bench.sets.internal"))));
  return opened ? drawSet() : drawList();
}

function drawList() {
  $("sets").replaceChildren(
    el("div", { class: "row" },
      el("button", { type: "button", class: "primary", on: { click: () => name("new") } }, t("bench.set.new")),
      el("button", { type: "button", on: { click: () => openTable() } }, t("bench.table.open"))),
    known.sets.length
      ? el("ul", { class: "sets" }, ...known.sets.map(oneSet))
      : el("div", { class: "state" }, el("h2", {}, t("bench.sets.none")), el("p", {}, t("bench.sets.none.text"))),
  );
}

function oneSet(set) {
  return el("li", {},
    el("div", {},
      el("button", { type: "button", class: "link", "data-set": set.id, on: { click: () => open(set) } }, set.name),
      el("p", { class: "soft small" }, `${count("bench.queries", set.queries)} · ${count("bench.judgements", set.judgements)}`)),
    el("div", { class: "row" },
      el("button", { type: "button", class: "quiet", "aria-label": `${t("bench.set.rename")}: ${set.name}`, on: { click: () => name("rename", set) } }, t("bench.set.rename")),
      el("button", { type: "button", class: "quiet", "aria-label": `${t("bench.set.delete")}: ${set.name}`, on: { click: () => name("delete", set) } }, t("bench.set.delete"))));
}

async function open(set) {
  $("sets").replaceChildren(waiting());
  try {
    opened = await bench(`sets/${encodeURIComponent(set.id)}`);
    drawSet();
    $("set-title").focus();
  } catch (error) {
    $("sets").replaceChildren(back(), trouble(error, () => open(set)));
    say(troubleInWords(error));
  }
}

const back = () => el("button", { type: "button", class: "quiet back", on: { click: close } }, t("bench.set.back"));

async function close() {
  const { id } = opened ?? {};
  opened = null;
  await refresh();
  (document.querySelector(`[data-set="${CSS.escape(id ?? "")}"]`) ?? $("tab-sets")).focus();
}

function drawSet() {
  $("sets").replaceChildren(
    back(),
    el("h2", { id: "set-title", tabIndex: -1 }, opened.name),
    el("p", { class: "soft" }, t("bench.set.eval"), " ", el("code", {}, `kb eval --set "${opened.name}"`)),
    opened.queries.length
      ? el("ul", { class: "judged" }, ...opened.queries.map(oneQuery))
      : el("div", { class: "state" }, el("p", {}, t("bench.set.empty"))),
  );
}

function oneQuery(query) {
  return el("li", {},
    el("p", {},
      el("button", { type: "button", class: "link", on: { click: () => explain(query) } }, query.text), " ",
      el("span", { class: `badge ${query.audience}` }, audience(query.audience))),
    el("ul", {}, ...query.judgements.map((each) => judgement(query, each))));
}

function judgement(query, { item, grade }) {
  const undo = t("bench.take_back");
  return el("li", {},
    el("span", { class: `grade g${grade}` }, t(`bench.grade.${grade}`)), title(item),
    item.number && el("span", { class: "number soft small" }, item.number),
    el("button", { type: "button", class: "quiet small", "aria-label": `${undo}: ${item.title}`, on: { click: () => takeBack(query, item) } }, undo));
}

async function takeBack(query, { kind, id }) {
  const body = { query: query.text, audience: query.audience, item: { kind, id }, grade: null };
  try {
    await bench(`sets/${encodeURIComponent(opened.id)}/judgements`, { method: "PUT", body });
    opened = await bench(`sets/${encodeURIComponent(opened.id)}`);
    drawSet();
    $("set-title").focus();
    say(t("bench.taken_back"));
  } catch (error) {
    say(`${troubleInWords(error)}. ${error.message}`);
  }
}

function explain(query) {
  go({ tab: "", q: query.text, as: query.audience === "internal" ? "" : query.audience, set: opened.id });
  dispatchEvent(new PopStateEvent("popstate"));
}

async function refresh() {
  try {
    await loadSets();
    draw();
  } catch (error) {
    $("sets").replaceChildren(trouble(error, refresh));
    say(troubleInWords(error));
  }
}

/** Ask for a name, or whether to delete. */
function name(what, set = null) {
  naming = { what, set };
  $("naming-title").textContent = t(`bench.set.${what}`);
  $("naming-do").textContent = t(`bench.set.${what}.do`);
  $("naming-text").hidden = what !== "delete";
  $("naming-text").textContent = set ? t("bench.set.delete.text", { name: set.name }) : "";
  $("naming-field").hidden = what === "delete";
  $("set-name").required = what !== "delete";
  $("set-name").value = what === "rename" ? set.name : "";
  $("naming-error").textContent = "";
  $("naming").showModal();
  (what === "delete" ? $("naming-cancel") : $("set-name")).focus();
}

const STEPS = {
  new: () => bench("sets", { method: "POST", body: { name: $("set-name").value } }),
  rename: () => bench(`sets/${encodeURIComponent(naming.set.id)}`, { method: "PUT", body: { name: $("set-name").value } }),
  delete: () => bench(`sets/${encodeURIComponent(naming.set.id)}`, { method: "DELETE" }),
};

function openTable() {
  $("table-form").reset();
  $("table-error").textContent = "";
  $("table").showModal();
  $("table-name").focus();
}

const inWords = (error) => (error.code === "conflict" ? t("bench.set.taken") : error.message || troubleInWords(error));

$("naming-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("naming-do").disabled = true;
  try {
    await STEPS[naming.what]();
    $("naming").close();
    await refresh();
    say(t(`bench.set.${naming.what}.done`));
  } catch (error) {
    $("naming-error").textContent = inWords(error);
  } finally {
    $("naming-do").disabled = false;
  }
});
$("naming-cancel").addEventListener("click", () => $("naming").close());

$("table-file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  $("table-text").value = await file.text();
  if (!$("table-name").value) $("table-name").value = file.name.replace(/\.\w+$/, "");
});
$("table-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("table-error").textContent = "";
  try {
    const read = await bench("sets/table", { method: "POST", body: { name: $("table-name").value, tsv: $("table-text").value } });
    $("table").close();
    await refresh();
    say(t("bench.table.done", { n: read.judgements }));
  } catch (error) {
    $("table-error").textContent = inWords(error);
    $("table-text").focus();
  }
});
$("table-cancel").addEventListener("click", () => $("table").close());
