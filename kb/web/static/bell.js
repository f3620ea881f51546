// The bell beside the link to the editor: how many notifications somebody has not read. Only those are asked who may
// flag something, and so be told something.

import { api } from "./client.js";
import { $, el, icon } from "./dom.js";
import { count, t } from "./i18n.js";
import { signedIn } from "./session.js";

const MOST = 99; // what fits
const SELDOM = 60_000; // ms between two looks when somebody comes back to the page

let unread = 0;
let whose = null;
let looked = 0;

/** Draw the bell for somebody, and ask for whom it was not asked yet. */
export function ring(person) {
  if (whose === person.id) return draw();
  [whose, unread] = [person.id, 0];
  draw();
  return look();
}

/** Ask anew, for instance after some were read. */
export async function look() {
  const asked = whose;
  looked = Date.now();
  try {
    const found = await api(`notifications?unread=true&limit=${MOST + 1}`, { quiet: true });
    if (asked !== signedIn()?.id) return;
    unread = found.notifications.length;
    draw();
  } catch {
    // Nobody asked for this: no dialog comes up because of it, and the next look tries again.
  }
}

function draw() {
  const words = unread ? count("bell.unread", unread) : t("bell.none");
  const shown = unread > MOST ? `${MOST}+` : String(unread);
  $("bell").setAttribute("aria-label", words);
  $("bell").title = words;
  $("bell").replaceChildren(icon("bell"), unread ? el("span", { class: "amount" }, shown) : "");
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && signedIn()?.id === whose && Date.now() - looked > SELDOM) look();
});
