// What somebody may do with an article, by the rules that the service holds them to: what it would refuse is not offered.

const OUTSIDE = ["customer", "public"];

/** By person and article: `edit`, `confirm`, `change`, `archive`, `publish`, `merge`, `useTrail`, `cases`, `coach`. */
export function rightsIn(person, article) {
  const has = (right) => person.rights.includes(right);
  const { published, owner_id: owner } = article.editing;
  const archived = article.confidence === "archived";
  const edit = has("draft") && (article.governance !== "compliance" || has("govern"));
  const shown = published !== null;
  const outside = OUTSIDE.includes(article.audience);
  const toReaders = outside ? has("publish") : has("validate"); // what changes for them
  const change = edit && (!shown || (archived ? has("validate") : toReaders));
  const archive = edit && !archived && (!shown || has("validate"));
  return {
    edit: edit && !archived,
    confirm: edit && !archived && shown && (owner === person.id || has("validate")),
    change,
    archive,
    publish: edit && !archived && (outside || shown ? toReaders : true),
    merge: change && archive,
    useTrail: has("trail"),
    cases: has("flag"),
    coach: has("coach"),
    checklists: (author) => author === person.id || has("coach") || has("administer"),
  };
}
