// Where we are, in the part of the address after `#`: it makes Back work and never reaches a server or its logs.

const FIELDS = ["q", "kind", "language", "product", "exact", "article"];

/** The place the address names; what it does not name is "". */
export function here() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(FIELDS.map((name) => [name, given.get(name) ?? ""]));
}

/** Go to a place; `from` is remembered with it ("results"). */
export function go(place, from = "") {
  const kept = new URLSearchParams(FIELDS.filter((name) => place[name]).map((name) => [name, place[name]]));
  const hash = kept.size ? `#${kept}` : "";
  if (hash !== location.hash) history.pushState({ from }, "", location.pathname + location.search + hash);
}

/** The address of a place, for links that people may open in a new tab. */
export const addressOf = (place) => `#${new URLSearchParams(FIELDS.filter((n) => place[n]).map((n) => [n, place[n]]))}`;
