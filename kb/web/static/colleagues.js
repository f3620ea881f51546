// Who works here: names for the ids that cases and histories hold.

import { api } from "./client.js";
import { t } from "./i18n.js";

let known = new Map();

/** Everybody with a role, by id; asked for anew by every page. Somebody who is not staff knows nobody. */
export async function meet() {
  const found = await api("colleagues").catch(() => ({ colleagues: [] }));
  known = new Map(found.colleagues.map((each) => [each.id, each]));
}

/** Nobody is known any more: somebody else is here. */
export const forgetColleagues = () => { known = new Map(); };

/** What to call somebody. */
export const nameOfPerson = (id) => (id === "system" ? t("people.system") : (known.get(id)?.name ?? t("people.somebody")));

/** Those who can be given a case, by name. */
export const fixers = () => [...known.values()].filter((each) => each.may_fix);
