// Where we are, in the address: a link can be sent, and Back works.

/** What the address names. */
export const here = () => Object.fromEntries(new URLSearchParams(location.search));

/** Go to a place; what `place` does not name stays, what it names as "" goes. */
export function go(place, { replace = false } = {}) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(place)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  if (address.href === location.href) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
}

/** The address of one of the editor's pages, for links. */
export const editorPage = (name, place) => `/editor/${name}?${new URLSearchParams(place)}`;
