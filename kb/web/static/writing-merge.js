// Somebody else was faster: theirs, mine, and the text that both make, with each clash to choose from. It goes back into
// the form, and is saved when somebody has looked at it.

import { api } from "./client.js";
import { nameOfPerson } from "./colleagues.js";
import { $, el } from "./dom.js";
import { t } from "./i18n.js";
import { doc, now, stateOf } from "./writing-doc.js";
import { ask } from "./writing-dialog.js";

const SIDES = ["theirs", "yours", "both"];
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** What a piece of a text becomes; null while nobody has chosen. */
function textOf(piece) {
  if (piece.side !== "conflict") return piece.side === "theirs" ? piece.theirs : piece.yours;
  if (piece.chosen === "both") return piece.theirs + (/\s$/.test(piece.theirs) || !piece.theirs ? "" : " ") + piece.yours;
  return piece.chosen ? piece[piece.chosen] : null;
}

const joined = (pieces) => pieces.map((each) => textOf(each) ?? "").join("");

/** One clash: both sides in their words, to choose from. */
function clash(piece, name, n, chosen, both = true) {
  const shown = { theirs: piece.theirs, yours: piece.yours, both: "" };
  return el("fieldset", { class: "clash" },
    el("legend", {}, t("write.merge.clash", { n, what: name })),
    piece.base && el("p", { class: "small soft" }, t("write.merge.before"), " ", el("del", {}, piece.base)),
    ...SIDES.slice(0, both ? 3 : 2).map((side) => el("label", { class: "choice" },
      el("input", { type: "radio", name: `clash-${n}`, value: side, on: { change: () => chosen(side) } }),
      el("span", {}, el("strong", {}, t(`write.merge.${side}`)), " ",
        el("span", { class: "side-text", lang: doc.language }, side === "both" ? "" : shown[side] || t("write.merge.nothing"))))));
}

/** The merged text, each stretch with whose it is. */
function drawn(pieces) {
  return pieces.map((piece) => {
    const text = textOf(piece);
    if (text === null) return el("strong", { class: "open" }, `[${t("write.merge.open")}] `);
    const whose = piece.side === "conflict" ? piece.chosen : piece.side;
    if (!["theirs", "yours"].includes(whose) || (!text && !piece.base)) return text;
    if (!text) return el("del", { title: t(`write.merge.${whose}`) }, piece.base);
    return el("ins", { class: whose, title: t(`write.merge.${whose}`) }, text);
  });
}

/** How the state of two people goes together: fields that only one changed, and those that both did. */
function states(base, theirs, mine) {
  const merged = {};
  const clashes = [];
  for (const name of Object.keys(mine)) {
    const [was, his, own] = [base[name], theirs[name], mine[name]];
    merged[name] = same(own, was) ? his : own;
    if (!same(own, was) && !same(his, was) && !same(own, his)) clashes.push(name);
  }
  return { merged, clashes };
}

const worded = (value) => (Array.isArray(value) ? value.join(", ") : String(value ?? "")) || t("write.merge.nothing");

/**
 * Show what happened and return `{ article, title, body, state }` to go on with, or null if the writer went back.
 * `conflict` is that of the refusal; without one only the state has changed.
 */
export async function merge(conflict) {
  const article = await api(`articles/${doc.number}`);
  const mine = now();
  const { merged, clashes } = states(doc.base.state, stateOf(article), mine.state);
  const texts = conflict && conflict.base !== conflict.theirs ? conflict : null;
  const pieces = { title: (texts?.title.pieces ?? []).map((each) => ({ ...each })), body: (texts?.body.pieces ?? []).map((each) => ({ ...each })) };
  const open = [...pieces.title, ...pieces.body].filter((each) => each.side === "conflict");
  const undecided = new Set([...open, ...clashes]);
  const result = el("div", { class: "changes merged", lang: doc.language, tabIndex: 0, role: "group", "aria-label": t("write.merge.result") });
  const draw = () => {
    result.replaceChildren(el("p", {}, el("strong", {}, ...drawn(pieces.title))), ...drawn(pieces.body));
    const take = $("ask-answers").querySelector("[value=take]");
    if (take) take.disabled = undecided.size > 0;
    $("merge-left").textContent = undecided.size ? t("write.merge.left", { n: undecided.size }) : t("write.merge.ready");
  };
  const choose = (piece) => (side) => { piece.chosen = side; undecided.delete(piece); draw(); };
  let n = 0;
  const rows = [
    ...["title", "body"].flatMap((name) => pieces[name].filter((each) => each.side === "conflict").map((each) =>
      clash(each, t(`write.${name === "title" ? "title" : "text"}.label`), ++n, choose(each)))),
    ...clashes.map((name) => clash({ base: worded(doc.base.state[name]), theirs: worded(stateOf(article)[name]), yours: worded(mine.state[name]) },
      t(`write.${name}.label`), ++n, (side) => {
        merged[name] = side === "theirs" ? stateOf(article)[name] : mine.state[name];
        undecided.delete(name);
        draw();
      }, false)),
  ];
  const left = el("p", { id: "merge-left", class: "small", role: "status" });
  const asking = ask({
    title: t("write.merge.title"),
    wide: true,
    content: [
      el("p", {}, texts ? t("write.merge.text", { name: nameOfPerson(texts.their_author_id) }) : t("write.merge.state")),
      ...rows,
      ...(texts ? [el("h3", {}, t("write.merge.result")), el("p", { class: "small soft" }, t("write.merge.marks")), result] : []),
      left,
    ],
    answers: [
      { value: "take", words: t("write.merge.take"), primary: true, disabled: undecided.size > 0 },
      { value: "", words: t("write.merge.back") },
    ],
  });
  draw();
  $("ask-content").querySelector("input")?.focus();
  if ((await asking) !== "take") return null;
  return { article, title: texts ? joined(pieces.title) : mine.title, body: texts ? joined(pieces.body) : mine.body, state: merged };
}
