// Where an editor is in the queue: a view and its filters, in the part of the address after `#`. A link reproduces it,
// Back works, and the words never reach a server's logs.

export const VIEWS = ["", "mine", "unassigned", "overdue"];
export const KINDS = ["case", "gap", "search", "stale", "expiring", "duplicate", "community"];
export const SEVERITIES = ["severe", "normal", "low"];
export const CAUSES = ["wrong_fact", "wrong_article", "hard_to_use", "internal_shown", "better_way", "duplicate", "not_helpful", "nothing_answers"];

const KNOWN = { view: VIEWS, kind: KINDS, severity: SEVERITIES, cause: CAUSES };
const FIELDS = ["view", "kind", "severity", "cause", "topic", "owner", "q"];

/** The place that the address names; what it does not name, or nobody knows, is "". */
export function here() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(FIELDS.map((name) => {
    const value = given.get(name) ?? "";
    return [name, KNOWN[name] && !KNOWN[name].includes(value) ? "" : value];
  }));
}

/** The address of a place, for links. */
export const addressOf = (place) => `#${new URLSearchParams(FIELDS.filter((n) => place[n]).map((n) => [n, place[n]]))}`;

/** Put a place into the address: as one more step that Back takes, or instead of the present one. */
export function go(place, { instead = false } = {}) {
  history[instead ? "replaceState" : "pushState"](null, "", addressOf(place));
}

/** Whether anything narrows what a view shows. */
export const isFiltered = (place) => FIELDS.some((name) => name !== "view" && place[name]);

/** What to ask the API for. */
export function askFor({ view, ...filters }) {
  const views = { mine: { mine: true }, unassigned: { assignee: "none" }, overdue: { overdue: true } };
  const given = { ...filters, ...views[view] };
  return new URLSearchParams(Object.entries(given).filter(([, value]) => value));
}
