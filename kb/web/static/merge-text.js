// Paragraphs of Markdown, and how one text takes them from another. Pure: strings in, strings out.

const FENCE = /^\s{0,3}(`{3,}|~{3,})/;
const NARROWED = /^:::/;

/** The paragraphs of a text: cut at empty lines, but never inside code or a `:::` block. */
export function paragraphs(text) {
  const found = [];
  let lines = [];
  let fence = "";
  let narrowed = false;
  const cut = () => { if (lines.length) found.push(lines.join("\n")); lines = []; };
  for (const line of text.split("\n")) {
    const mark = FENCE.exec(line)?.[1];
    if (fence) {
      if (mark?.startsWith(fence)) fence = "";
    } else if (mark) {
      fence = mark;
    } else if (NARROWED.test(line)) {
      narrowed = line.slice(3).trim() !== "";
    } else if (!line.trim() && !narrowed) {
      cut();
      continue;
    }
    lines.push(line.trimEnd());
  }
  cut();
  return found;
}

/** What makes two paragraphs the same: their words, whatever the spaces. */
export const said = (paragraph) => paragraph.split(/\s+/).filter(Boolean).join(" ");

const segmenter = new Intl.Segmenter(undefined, { granularity: "word" }); // knows Chinese words too

/** The words of a text. */
export const wordsOf = (text) =>
  new Set([...segmenter.segment(text)].filter((each) => each.isWordLike).map((each) => each.segment.toLowerCase()));

/**
 * A text in stretches, `{ text, own }`: own are words that the others, a set, do not have. Where most are, the text is
 * another one and no word of it stands out.
 */
export function ownWords(text, others) {
  const found = [];
  const words = [...wordsOf(text)];
  if (words.filter((each) => !others.has(each)).length > words.length / 2) return [{ text, own: false }];
  for (const { segment, isWordLike } of segmenter.segment(text)) {
    const own = Boolean(isWordLike) && !others.has(segment.toLowerCase());
    if (found.at(-1)?.own === own) found.at(-1).text += segment;
    else found.push({ text: segment, own });
  }
  return found;
}

/** Whether a text has a paragraph. */
export const has = (text, paragraph) => paragraphs(text).some((each) => said(each) === said(paragraph));

/**
 * `text` with a paragraph of `source`, in the same place: behind the nearest one before it there that the text has and
 * what the text says of its own behind that; else before the nearest one after it; else at the end.
 */
export function taken(text, paragraph, source) {
  const [own, theirs] = [paragraphs(text), paragraphs(source).map(said)];
  const place = theirs.indexOf(said(paragraph));
  const at = (words) => own.findIndex((each) => said(each) === words);
  const found = (words) => words.map(at).find((n) => n >= 0);
  let to = found(theirs.slice(0, Math.max(place, 0)).reverse());
  if (to === undefined) to = found(theirs.slice(place + 1)) ?? own.length;
  else do to += 1; while (to < own.length && !theirs.includes(said(own[to])));
  own.splice(to, 0, paragraph);
  return `${own.join("\n\n")}\n`;
}

/** `text` without a paragraph. */
export function leftOut(text, paragraph) {
  return `${paragraphs(text).filter((each) => said(each) !== said(paragraph)).join("\n\n")}\n`;
}
