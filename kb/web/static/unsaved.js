// Text that its writer has not saved yet, kept in this browser for them alone until it is saved or they sign out.
// The only thing of a person that outlives a page here.

const PREFIX = "kb.unsaved/";

const keyOf = (person, place) => `${PREFIX}${person.id}/${place}`;

/** Keep `{ title, body, ... }` of a person at a place. Returns whether the browser does. */
export function keep(person, place, text) {
  try {
    localStorage.setItem(keyOf(person, place), JSON.stringify({ ...text, at: new Date().toISOString() }));
    return true;
  } catch {
    return false; // no room, or none allowed
  }
}

/** What was kept there last, with the moment `at`, or null. */
export function kept(person, place) {
  try {
    return JSON.parse(localStorage.getItem(keyOf(person, place)));
  } catch {
    return null;
  }
}

/** Keep it no longer. */
export function drop(person, place) {
  try {
    localStorage.removeItem(keyOf(person, place));
  } catch {
    // There is nothing then.
  }
}

/** Keep nothing of anybody: this browser may be a shared one. */
export function dropAll() {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch {
    // There is nothing then.
  }
}
