// Where we are, in the part of the address after `#`: it makes Back work and never reaches a server or its logs.

const FIELDS = ["q", "kind", "language", "product", "exact", "article", "interaction"];

/** The place the address names; what it does not name is "". */
export function here() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(FIELDS.map((name) => [name, given.get(name) ?? ""]));
}

/** Other pages lead to an article as `/?article=482-9175`: from here on it is a place like any other. */
export function adopt() {
  const address = new URL(location.href);
  const article = address.searchParams.get("article");
  if (!article) return;
  address.searchParams.delete("article");
  if (!address.hash) address.hash = addressOf({ article });
  history.replaceState(history.state, "", address);
}

/** Go to a place; `from` is remembered with it ("results"). */
export function go(place, from = "") {
  const kept = addressOf(place);
  const hash = kept === "#" ? "" : kept;
  if (hash !== location.hash) history.pushState({ from }, "", location.pathname + location.search + hash);
}

/** The address of a place, for links that people may open in a new tab. The interaction goes along everywhere. */
export function addressOf(place) {
  const whole = { interaction: here().interaction, ...place };
  return `#${new URLSearchParams(FIELDS.filter((name) => whole[name]).map((name) => [name, whole[name]]))}`;
}
