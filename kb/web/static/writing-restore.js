// Text that was not saved, from before a crash or a reload: offered again, with what it changes.

import { changeBlock, changed } from "./changes.js";
import { api } from "./client.js";
import { el } from "./dom.js";
import { moment, t } from "./i18n.js";
import { signedIn } from "./session.js";
import { drop, kept } from "./unsaved.js";
import { ask } from "./writing-dialog.js";
import { changedState, doc, place, write } from "./writing-doc.js";

/** Offer what was kept, if it is another text than the one that was opened. Returns whether it was taken. */
export async function restore() {
  const [person, where] = [signedIn(), place()];
  const found = kept(person, where);
  if (!found) return false;
  const state = changedState(found.state, found.was);
  const same = found.title === doc.base.title && found.body === doc.base.body && !Object.keys(changedState({ ...doc.base.state, ...state })).length;
  if (same) {
    drop(person, where);
    return false;
  }
  const answer = await ask({
    title: t("write.restore.title"),
    wide: true,
    must: true,
    content: [el("p", {}, t("write.restore.text", { at: moment(found.at) })), await shown(found)],
    answers: [
      { value: "take", words: t("write.restore.take"), primary: true },
      { value: "drop", words: t("write.restore.drop") },
    ],
  });
  if (person !== signedIn()) return false;
  if (answer !== "take") {
    if (answer === "drop") drop(person, where);
    return false;
  }
  // What somebody else has saved since is merged when this is saved.
  doc.version = found.version ?? doc.version;
  write({ title: found.title, body: found.body, state: { ...doc.base.state, ...state } });
  return true;
}

async function shown({ title, body }) {
  const frame = (...parts) => el("div", { class: "kept", lang: doc.language, tabIndex: 0, role: "group", "aria-label": t("write.restore.shown") }, ...parts);
  const plain = () => frame(el("div", { class: "changes" }, `${title}\n\n${body}`));
  if (!doc.number) return plain();
  try {
    const found = await api("drafts/compare", { method: "POST", body: { number: doc.number, revision: doc.latest, title, body } });
    return frame(...[found.title, found.body].filter((steps, at) => at || changed(steps)).map((steps) => changeBlock(steps, doc.language)));
  } catch {
    return plain(); // it is still theirs to take
  }
}
