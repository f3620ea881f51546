// How what was written gets to the service: one request each, so that readers never see the half of it.

import { api } from "./client.js";
import { $ } from "./dom.js";
import { changedState, doc, fixes, now, size, stateOf, textChanged } from "./writing-doc.js";

const post = (path, body) => api(path, { method: "POST", body });
const any = (fields) => Object.keys(fields).length > 0;

/** Whether the changed state has to wait: what stands in a draft is nobody's yet, the state is everybody's at once. */
export const stateWaits = () => doc.published !== null && any(changedState());

/**
 * Save a draft, or publish. Returns the article and what was there before, for undo: `{ article, before }`, or null
 * where nothing was to be done. Rejects with what was refused; nothing has changed then.
 */
export async function store({ publish }) {
  const text = now();
  const before = { published: doc.published, state: doc.base.state };
  const article = doc.number ? await change(text, publish) : await create(text, publish);
  if (!article) return null;
  adopt(article, text);
  return { article, before };
}

const create = ({ title, body, state }, publish) => post("articles", {
  title, body, ...state, language: doc.language, template: doc.template?.id ?? "", note: $("note").value, publish, fixes: publish ? fixes() : [],
});

/** Of a translation: the revision of its original that it says now. */
const follows = () => (doc.original && $("translates").checked ? { translates: doc.original.revision } : {});

function change({ title, body, state }, publish) {
  const path = `articles/${doc.number}`;
  const changed = publish || doc.published === null ? changedState(state) : {};
  const together = { version: doc.version, ...(any(changed) && { state: changed }) };
  const fixed = publish ? { fixes: fixes(), changes_meaning: fixes().length > 0 && size() === "meaning" } : {};
  if (textChanged()) return post(`${path}/revisions`, { title, body, note: $("note").value, size: size(), publish, ...together, ...fixed, ...follows() });
  if (publish && (doc.latest !== doc.published || fixed.fixes.length)) return post(`${path}/publish`, { revision: doc.latest, ...together, ...fixed });
  return any(changed) ? api(path, { method: "PATCH", body: { ...changed, version: doc.version } }) : null;
}

/** Take back what `store` published: the revision and the state before, in one step. */
export async function takeBack({ published, state }) {
  const path = `articles/${doc.number}`;
  const version = doc.version;
  const back = changedState(state, doc.base.state);
  let article;
  if (published === null) article = await post(`${path}/unpublish`, { version });
  else if (published !== doc.published) article = await post(`${path}/publish`, { revision: published, version, ...(any(back) && { state: back }) });
  else article = await api(path, { method: "PATCH", body: { ...back, version } });
  adopt(article, { title: doc.base.title, body: doc.base.body });
  return article;
}

/** Whether there is something to take back. */
export const canTakeBack = ({ published, state }) => published !== doc.published || any(changedState(state, doc.base.state));

/** What was saved is what changes are counted from. */
export function adopt(article, { title, body }) {
  Object.assign(doc, {
    number: article.number, version: article.version, latest: article.editing.latest, published: article.editing.published,
    base: { title, body, state: stateOf(article) },
  });
}
