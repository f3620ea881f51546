// The form beside the text: what the state can be, what the edit is, which cases it fixes.

import { api, products } from "./client.js";
import { $, el } from "./dom.js";
import { current, LANGUAGES, nameOf, t } from "./i18n.js";
import { signedIn } from "./session.js";
import { tiers } from "./writing-aside.js";
import { doc, fixes, size, write } from "./writing-doc.js";

const CONFIDENCE = ["work_in_progress", "not_validated", "validated"];
const SIZES = ["typo", "content", "meaning"];
const NEEDS = { validated: "validate", compliance: "govern" };

let known = { topics: [], products: [] };

/** What topics and products there are, to be completed while typing. */
export async function learn() {
  const [topics, all] = await Promise.all([api("topics").catch(() => null), products().catch(() => null)]);
  known = {
    topics: (topics?.topics ?? []).map((each) => ({ value: each.path, names: each.names })),
    products: (all?.products ?? []).map((each) => ({ value: each.key, label: each.name })),
  };
}

function choices(name, values) {
  const rights = signedIn()?.rights ?? [];
  const kept = $(name).value || doc.base.state[name];
  const own = [kept, doc.base.state[name]].filter(Boolean); // what it is, whoever may choose it
  const empty = kept ? [] : [el("option", { value: "", disabled: true, selected: true }, t("write.choose"))];
  $(name).replaceChildren(...empty, ...[...new Set([...values, ...own])].map((value) =>
    el("option", { value, disabled: !own.includes(value) && NEEDS[value] !== undefined && !rights.includes(NEEDS[value]) }, t(`write.${name}.${value}`))));
  if (kept) $(name).value = kept;
}

/** Everything in the form that is not text, in the language of the interface. */
export function drawForm() {
  choices("confidence", CONFIDENCE);
  choices("audience", tiers());
  choices("governance", ["experience", "compliance"]);
  $("topics").replaceChildren(...known.topics.map(({ value, names }) => el("option", { value }, names[current()] ?? "")));
  complete();
  drawBeginning();
  drawEdit();
}

/** Suggestions for the last of several products. */
function complete() {
  const before = $("products").value.replace(/[^,，、]*$/, "").trim();
  const lead = before ? `${before} ` : "";
  $("known-products").replaceChildren(...known.products.map(({ value, label }) => el("option", { value: lead + value }, label)));
}

function drawBeginning() {
  $("beginning").hidden = Boolean(doc.number);
  $("language").replaceChildren(...LANGUAGES.map((each) => el("option", { value: each, lang: each }, nameOf(each))));
  $("language").value = doc.language;
  $("template").replaceChildren(
    ...(doc.templates ?? []).map((each) => el("option", { value: each.id }, each.names[current()])),
    el("option", { value: "" }, t("write.template.none")),
  );
  $("template").value = doc.template?.id ?? "";
}

function drawEdit() {
  const [chosen, ticked, first] = [size(), fixes(), !$("fixes").childElementCount];
  $("size-field").hidden = !doc.number;
  $("size").replaceChildren(...SIZES.map((each) => el("label", { class: "choice" },
    el("input", { type: "radio", name: "size", value: each, checked: each === chosen }),
    el("span", {}, el("strong", {}, t(`write.size.${each}`)), " ", el("span", { class: "soft small" }, t(`write.size.${each}.text`))))));
  $("translates-field").hidden = !doc.original;
  if (doc.original) $("translates-words").textContent = t("write.translates", { number: doc.original.number, n: doc.original.revision });
  $("fixes-field").hidden = !doc.cases.length;
  $("fixes").replaceChildren(...doc.cases.map((each) => el("label", { class: "choice" },
    el("input", { type: "checkbox", value: each.id, checked: first ? each.id === doc.case?.id : ticked.includes(each.id) }),
    el("span", {}, el("strong", {}, t(`case.cause.${each.cause}`)), " ", el("span", { lang: doc.language }, each.quote || each.title)))));
}

/** After a save: the note was for that one, and what it fixed is no more to do. */
export function afterPublish() {
  const fixed = new Set(fixes());
  doc.cases = doc.cases.filter((each) => !fixed.has(each.id));
  $("note").value = "";
  $("translates").checked = false;
  drawForm();
}

/** A text to begin with, in the template and language that are chosen; what a customer asked stands under the issue. */
export async function begun() {
  if (!doc.template) return "";
  const { body } = await api(`templates/${encodeURIComponent(doc.template.id)}/outline?${new URLSearchParams({ language: doc.language })}`);
  const asked = doc.case?.flags.map((each) => each.query).find(Boolean) ?? "";
  return asked ? body.replace(/^(## .*\n)/m, (heading) => `${heading}\n${asked.replace(/\s+/g, " ")}\n`) : body;
}

/** Another template or language: an outline in which nothing was written yet follows. */
async function beginAgain() {
  const untouched = $("body").value === doc.base.body;
  doc.language = $("language").value;
  doc.template = doc.templates.find((each) => each.id === $("template").value) ?? null;
  $("title").lang = $("body").lang = doc.language;
  if (!untouched) return;
  doc.base = { ...doc.base, body: await begun() };
  write({ body: doc.base.body });
}

/** `changed` is called after every change of the form but those of the text. */
export function watchForm(changed) {
  $("products").addEventListener("input", complete);
  for (const id of ["language", "template"]) $(id).addEventListener("change", () => beginAgain().then(changed, changed));
  $("state").addEventListener("input", changed);
}
