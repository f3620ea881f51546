// What one does with an article as a whole: say that it is still right, change its particulars, take it out of use.

import { api } from "./client.js";
import { askFor, askedWrong } from "./article-asking.js";
import { picker } from "./article-picker.js";
import { inWords } from "./article-words.js";
import { fixers, nameOfPerson } from "./colleagues.js";
import { $, el } from "./dom.js";
import { day, t } from "./i18n.js";

const AUDIENCES = ["public", "customer", "partner", "internal"];
const CONFIDENCES = ["work_in_progress", "not_validated", "validated"];

/** Say that the article is still right: its end moves by as long as it held before. */
export async function confirm({ path, article }, reload) {
  try {
    const done = await api(`${path}/confirm`, { method: "POST", body: { version: article.version } });
    const until = done.editing.valid_until;
    await reload(until ? t("art.confirmed.until", { date: day(until) }) : t("art.confirmed"));
  } catch (error) {
    await reload(inWords(error));
  }
}

/** Take the article out of use, with what takes its place; offered to be undone. */
export function archive({ path, article, number, may }, reload) {
  const chosen = el("p", { class: "soft", role: "status" });
  const list = el("div", { class: "picked" });
  const field = el("input", { id: "successor", type: "search", maxLength: 300, "aria-describedby": "successor-help" });
  const look = picker(field, list, {
    but: () => number,
    choose: (found, title) => { field.value = found; chosen.textContent = title; field.focus(); },
  });
  const find = el("button", { type: "button", id: "successor-find", on: { click: look } }, t("art.archive.find"));
  askFor({
    title: t("art.archive.title"),
    action: t("art.archive.do"),
    first: field,
    fields: [
      el("p", {}, t("art.archive.text")),
      el("label", { htmlFor: "successor" }, t("art.archive.successor")),
      el("div", { class: "row together" }, field, find),
      el("p", { id: "successor-help" }, t("art.archive.help")),
      chosen, list,
    ],
    submit: async () => {
      const body = { version: article.version, superseded_by: field.value.trim() || null };
      const done = await api(`${path}/archive`, { method: "POST", body });
      const before = { confidence: article.confidence, superseded_by: article.superseded_by, version: done.version };
      const act = async () => {
        await api(path, { method: "PATCH", body: before });
        await reload(t("art.archive.undone"));
      };
      return () => reload(t("art.archive.done"), { undo: may.change ? { words: t("art.undo"), act } : null });
    },
  });
}

const split = (text) => [...new Set(text.split(/[,，、\n]/).map((each) => each.trim()).filter(Boolean))];
const dayOf = (iso) => (iso ? new Date(iso).toLocaleDateString("sv") : ""); // 2026-03-14, in their own time zone
const momentOf = (text) => (text ? new Date(`${text}T00:00`).toISOString() : null);

/** The fields of the dialog: how each is shown, read and sent. */
function fieldsOf(article) {
  const { editing } = article;
  const owners = fixers().filter((each) => each.active).map((each) => [each.id, each.name]);
  if (editing.owner_id && !owners.some(([id]) => id === editing.owner_id)) owners.unshift([editing.owner_id, nameOfPerson(editing.owner_id)]);
  const words = (group, values) => values.map((each) => [each, t(`${group}.${each}`)]);
  const archived = article.confidence === "archived" ? ["archived"] : [];
  return [
    { name: "owner_id", is: editing.owner_id ?? "", options: [["", t("art.none")], ...owners], send: (v) => v || null },
    { name: "confidence", is: article.confidence, options: words("confidence", [...CONFIDENCES, ...archived]) },
    { name: "audience", is: article.audience, options: words("audience", AUDIENCES) },
    { name: "governance", is: article.governance, options: words("art.governance", ["experience", "compliance"]) },
    { name: "topic", is: article.topic, most: 200 },
    { name: "products", is: article.products.join(", "), send: split },
    { name: "tags", is: article.tags.join(", "), send: split },
    { name: "groups", is: editing.groups.join(", "), send: split },
    { name: "valid_from", is: dayOf(editing.valid_from), type: "date", send: momentOf },
    { name: "valid_until", is: dayOf(editing.valid_until), type: "date", send: momentOf },
  ];
}

function control({ name, is, options, type = "text", most = 2000 }) {
  const id = `set-${name}`;
  const input = options
    ? el("select", { id, "aria-describedby": "asking-error" }, ...options.map(([value, words]) => el("option", { value, selected: value === is }, words)))
    : el("input", { id, type, value: is, maxLength: type === "text" ? most : undefined, "aria-describedby": "asking-error" });
  return el("div", { class: "set" }, el("label", { htmlFor: id }, t(`art.set.${name}`)), input);
}

/**
 * Change owner, state, topic, audience, dates. Only what somebody has changed is sent; when a colleague was faster,
 * the dialog says what they changed and what is written here still counts.
 */
export function change({ path, article }, reload, first = "owner_id") {
  let base = article;
  const fields = fieldsOf(article);
  const mine = () => fields.filter(({ name, is }) => $(`set-${name}`).value !== is);
  const nodes = [
    el("div", { class: "settings" }, ...fields.map(control)),
    el("p", { class: "soft" }, t("art.set.lists")),
  ];
  askFor({
    title: t("art.change.title"),
    action: t("art.save"),
    fields: nodes,
    first: nodes[0].querySelector(`#set-${first}`),
    submit: async () => {
      const changed = mine();
      if (!changed.length) { askedWrong(t("art.set.nothing")); return null; }
      const body = { version: base.version };
      for (const { name, send = (value) => value } of changed) body[name] = send($(`set-${name}`).value.trim());
      try {
        await api(path, { method: "PATCH", body });
      } catch (error) {
        if (error.code !== "conflict") throw error;
        base = await faster(path, fields, base);
        return null;
      }
      return () => reload(t("art.saved"));
    },
  });
}

/** Tell what somebody else has changed meanwhile; saving again keeps that and what is written here. */
async function faster(path, fields, before) {
  const now = await api(path);
  const [were, are] = [fieldsOf(before), fieldsOf(now)];
  const said = ({ is, options }) => options?.find(([value]) => value === is)?.[1] || is || t("art.none");
  const theirs = are.filter((each, n) => each.is !== were[n].is);
  for (const each of theirs) {
    const [field, input] = [fields.find(({ name }) => name === each.name), $(`set-${each.name}`)];
    if (input.value === field.is) input.value = each.is; // not touched here: theirs is shown
    field.is = each.is;
  }
  const what = theirs.map((each) => `${t(`art.set.${each.name}`)}: ${said(each)}`).join(" · ");
  askedWrong(what ? t("art.conflict.fields", { what }) : t("art.conflict.else"));
  return now;
}
