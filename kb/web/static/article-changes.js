// Everything that was changed, when and by whom (KCS CH-01): created, modified, confidence, audience, governance.

import { api } from "./client.js";
import { nameOfPerson } from "./colleagues.js";
import { el } from "./dom.js";
import { moment, nameOf, t } from "./i18n.js";

const HIDDEN = new Set(["id", "number", "version", "modified_at", "created_at", "source_hash", "source_key", "published_at", "translates", "latest"]);
const PEOPLE = new Set(["owner_id"]);

export async function content({ path, article }, { signal }) {
  const { changes } = await api(`${path}/audit`, { signal });
  return [el("ol", { class: "plain audit", reversed: true }, ...changes.toReversed().map((each) => line(each, article)))];
}

function line({ at, person_id: who, action, before, after }, article) {
  const fields = Object.keys(after).filter((name) => !HIDDEN.has(name) && !same(before[name], after[name]));
  const all = action !== "create" || fields.length < 4 ? fields : fields.filter((name) => !empty(after[name]));
  return el("li", {},
    el("p", { class: "facts" }, el("strong", {}, t(`art.did.${action}`, {}, action)),
      after.latest && el("span", {}, t("art.revision", { n: after.latest })), el("span", {}, nameOfPerson(who)),
      el("time", { dateTime: at }, moment(at))),
    el("ul", { class: "plain small" }, ...all.map((name) => el("li", {}, `${t(`art.field.${name}`, {}, name)}: `,
      name in before && !empty(before[name]) && el("del", {}, value(name, before[name], article)), " ",
      el("ins", {}, value(name, after[name], article))))));
}

const empty = (value) => value === null || value === "" || value === false || (Array.isArray(value) && !value.length);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b) || (a === undefined && empty(b));

/** A field of the record as people say it. */
function value(name, raw, article) {
  if (empty(raw)) return t("art.none");
  if (PEOPLE.has(name)) return nameOfPerson(raw);
  if (name === "published") return t("art.revision", { n: raw });
  if (name === "confidence" || name === "audience") return t(`${name}.${raw}`, {}, String(raw));
  if (name === "governance") return t(`art.governance.${raw}`, {}, String(raw));
  if (name === "language") return nameOf(raw);
  if (name === "superseded_by") return article.superseded_by ?? t("art.another");
  if (name === "translation_of") return article.translation_of ?? t("art.another");
  if (/_at$|^valid_/.test(name)) return moment(raw);
  return Array.isArray(raw) ? raw.join(t("art.and")) : String(raw);
}
