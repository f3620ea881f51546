// Pictures and files that are pasted, dropped or chosen: sent, and named in the text where one was writing.

import { upload } from "./client.js";
import { $, el } from "./dom.js";
import { number, t } from "./i18n.js";
import { say } from "./page.js";
import { doc } from "./writing-doc.js";
import { put } from "./writing-text.js";

const TAKEN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "application/pdf"]);
const REASONS = { too_large: "write.file.too_large", invalid: "write.file.refused", not_allowed: "write.file.not_allowed", offline: "offline.title" };

let ready = async () => true;

/** From now on `make()` sees to it that the article has a number, and says whether it has: files belong to one. */
export const beforeFiles = (make) => { ready = make; };

/** Send files one after the other; each is put into the text as soon as it is there. */
export async function send(files) {
  if (!files.length || !(await ready())) return;
  for (const file of files) await sendOne(file);
}

async function sendOne(file) {
  const area = $("body");
  const at = area.selectionStart;
  const name = file.name || "picture.png";
  const bar = el("progress", { max: 1, value: 0, "aria-label": t("write.file.sending", { name }) });
  const line = el("li", {}, el("span", {}, t("write.file.sending", { name })), bar);
  $("files").append(line);
  say(t("write.file.sending", { name }));
  try {
    if (!TAKEN.has(file.type)) throw Object.assign(new Error(), { code: "kind" });
    const path = `articles/${doc.number}/files?${new URLSearchParams({ name })}`;
    const added = await upload(path, file, (share) => { bar.value = share; });
    line.remove();
    nameIt(area, added.markdown, area.selectionStart === at);
    say(t("write.file.added", { name }));
  } catch (error) {
    refused(line, name, error, file);
  }
}

/** Name a file in the text; what a picture shows is for its writer to say, so these words are selected. */
function nameIt(area, markdown, still) {
  const picture = /^!\[(?:[^\]\\]|\\.)*\]/.exec(markdown);
  const words = t("write.file.alt");
  const from = area.selectionEnd;
  put(area, picture ? `![${words}]${markdown.slice(picture[0].length)}` : markdown, from, from);
  if (picture && still) area.setSelectionRange(from + 2, from + 2 + words.length);
}

function refused(line, name, error, file) {
  const words = error.code === "kind"
    ? t("write.file.kind", { name })
    : t(REASONS[error.code] ?? "write.file.failed", { name, size: number(file.size / 1e6, 1) });
  const away = el("button", { type: "button", on: { click: () => { line.remove(); $("body").focus(); } } }, t("write.file.dismiss"));
  line.className = "mistake";
  line.replaceChildren(el("span", {}, words, error.message && el("span", { class: "small", lang: "en" }, ` ${error.message}`)), away);
  say(words);
}

const carried = (transfer) => [...(transfer?.files ?? [])];

/** Teach the textarea to take files. */
export function takeFiles(area) {
  area.addEventListener("paste", (event) => {
    const files = carried(event.clipboardData);
    if (!files.length || event.clipboardData.getData("text/plain")) return; // a table of a spreadsheet comes as both
    event.preventDefault();
    send(files);
  });
  // Anywhere on the page: beside the text a browser would leave the page and show the picture instead.
  const over = (is) => area.classList.toggle("over", is);
  const withFiles = (event) => event.dataTransfer?.types.includes("Files") && area.checkVisibility();
  addEventListener("dragover", (event) => {
    if (!withFiles(event)) return;
    event.preventDefault();
    over(true);
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  addEventListener("drop", (event) => {
    over(false);
    if (!withFiles(event)) return;
    event.preventDefault();
    send(carried(event.dataTransfer));
  });
  $("choose").addEventListener("change", () => {
    const files = [...$("choose").files];
    $("choose").value = "";
    send(files);
  });
}
