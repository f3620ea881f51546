// A plain textarea that knows a little Markdown. Whatever is put in goes through the browser's own editing, so that
// Ctrl+Z takes it back.

const ITEM = /^(\s*)(?:([-*+])|(\d{1,6})([.)]))([ \t]+)(\[[ xX]\][ \t]+)?/;
const QUOTE = /^\s*>[ \t]?/;
const ADDRESS = /^https?:\/\/\S+$/i;

/** Put a text in the place of what is selected, or of what stands from `from` to `to`. */
export function put(area, text, from = area.selectionStart, to = area.selectionEnd) {
  area.focus();
  area.setSelectionRange(from, to);
  const done = text ? document.execCommand("insertText", false, text) : from === to || document.execCommand("delete");
  if (done) return;
  area.setRangeText(text, from, to, "end"); // without undo, but nothing is lost
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

/** The lines that a selection touches: where they begin and end, and what they say. */
function touched(area, from = area.selectionStart, to = area.selectionEnd) {
  const start = area.value.lastIndexOf("\n", from - 1) + 1;
  const next = area.value.indexOf("\n", to > from && area.value[to - 1] === "\n" ? to - 1 : to);
  const end = next < 0 ? area.value.length : next;
  return { start, end, lines: area.value.slice(start, end).split("\n") };
}

/** Change the lines that are selected; they stay selected. */
function relined(area, change) {
  const { start, end, lines } = touched(area);
  const single = area.selectionStart === area.selectionEnd;
  const after = area.value.length - area.selectionEnd;
  const text = lines.map(change).join("\n");
  put(area, text, start, end);
  if (single) area.setSelectionRange(area.value.length - after, area.value.length - after);
  else area.setSelectionRange(start, start + text.length);
}

/** Put marks around what is selected, or take them away; between them one goes on writing. */
function around(area, left, right = left) {
  const [from, to] = [area.selectionStart, area.selectionEnd];
  const chosen = area.value.slice(from, to);
  const outside = area.value.slice(from - left.length, from) === left && area.value.slice(to, to + right.length) === right;
  if (outside) {
    put(area, chosen, from - left.length, to + right.length);
    area.setSelectionRange(from - left.length, to - left.length);
  } else {
    put(area, left + chosen + right, from, to);
    area.setSelectionRange(from + left.length, to + left.length);
  }
}

function link(area) {
  const from = area.selectionStart;
  const chosen = area.value.slice(from, area.selectionEnd);
  if (ADDRESS.test(chosen)) {
    put(area, `[](${chosen})`);
    area.setSelectionRange(from + 1, from + 1);
  } else {
    put(area, `[${chosen}](https://)`);
    const at = from + chosen.length + 3;
    if (chosen) area.setSelectionRange(at, at + "https://".length);
    else area.setSelectionRange(from + 1, from + 1);
  }
}

function block(area, opening, closing) {
  const { start, end, lines } = touched(area);
  const before = start > 0 && area.value[start - 2] !== "\n" ? "\n" : "";
  put(area, `${before}${opening}\n${lines.join("\n")}\n${closing}`, start, end);
  const at = start + before.length + opening.length + 1;
  area.setSelectionRange(at, at + lines.join("\n").length);
}

/** What the toolbar does, by name. */
export const COMMANDS = {
  bold: (area) => around(area, "**"),
  italic: (area) => around(area, "_"),
  link,
  bullets: (area) => relined(area, (line) => (/^\s*[-*+]\s/.test(line) ? line.replace(/[-*+]\s+/, "") : `- ${line}`)),
  numbers: (area) => relined(area, (line, at) => (/^\s*\d+[.)]\s/.test(line) ? line.replace(/\d+[.)]\s+/, "") : `${at + 1}. ${line}`)),
  code: (area) => (area.value.slice(area.selectionStart, area.selectionEnd).includes("\n") ? block(area, "```", "```") : around(area, "`")),
  internal: (area) => block(area, "::: internal", ":::"),
};
const KEYS = { b: "bold", i: "italic", k: "link" };

/** Enter goes on with a list or a quote; on an item that says nothing yet it ends it. */
function goOn(area) {
  const { start, end, lines: [line] } = touched(area);
  const item = ITEM.exec(line) ?? QUOTE.exec(line);
  if (!item || area.selectionStart !== area.selectionEnd || area.selectionStart < start + item[0].length) return false;
  if (!line.slice(item[0].length).trim()) {
    put(area, "", start, end);
    return true;
  }
  const [whole, indent, bullet, digits, dot, space, box] = item;
  const mark = digits ? `${Number(digits) + 1}${dot}` : bullet;
  put(area, `\n${mark ? indent + mark + space + (box ? "[ ] " : "") : whole}`);
  return true;
}

/** Tab and Shift+Tab move items of a list; anywhere else they move on as everywhere. */
function shifted(area, back) {
  const { lines } = touched(area);
  if (!lines.every((line) => ITEM.test(line)) || (back && !lines.some((line) => /^\s/.test(line)))) return false;
  const [, , bullet, digits] = ITEM.exec(lines[0]);
  const step = bullet ? 2 : digits.length + 2;
  relined(area, (line) => (back ? line.replace(new RegExp(`^\\s{1,${step}}`), "") : " ".repeat(step) + line));
  return true;
}

/** Teach a textarea. Escape lets the next Tab leave a list, so that nobody is caught in it. */
export function teach(area) {
  let released = false;
  area.addEventListener("blur", () => { released = false; });
  area.addEventListener("keydown", (event) => {
    const { key, shiftKey: shift, altKey: alt, isComposing } = event;
    const control = event.ctrlKey || event.metaKey;
    if (isComposing || key === "Shift") return; // the keys of an input method are its own
    const leaves = released;
    released = key === "Escape";
    let done = false;
    if (control && !alt && !shift && KEYS[key.toLowerCase()]) {
      COMMANDS[KEYS[key.toLowerCase()]](area);
      done = true;
    } else if (!control && !alt && !shift && key === "Enter") done = goOn(area);
    else if (!control && !alt && key === "Tab" && !leaves) done = shifted(area, shift);
    if (done) event.preventDefault();
  });
  area.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text/plain").trim() ?? "";
    const chosen = area.value.slice(area.selectionStart, area.selectionEnd);
    if (!chosen || chosen.includes("\n") || ADDRESS.test(chosen) || !ADDRESS.test(text)) return;
    event.preventDefault(); // an address over words makes them a link
    put(area, `[${chosen}](${text})`);
  });
}

/** Select a place and bring it into sight. */
export function jump(area, from, to = from) {
  area.focus({ preventScroll: true });
  area.setSelectionRange(from, to);
  const probe = area.cloneNode(); // as high as the text before that place
  probe.removeAttribute("id");
  probe.className = "probe";
  probe.setAttribute("aria-hidden", "true");
  probe.value = area.value.slice(0, from);
  area.after(probe);
  area.scrollTop = probe.scrollHeight - area.clientHeight / 3;
  probe.remove();
  area.scrollIntoView({ block: "nearest" });
}
