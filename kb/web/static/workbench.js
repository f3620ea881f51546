// The workbench: its tabs, who may use it, and the language of the page. Each tab is a module of its own.

import * as compare from "./bench-compare.js";
import * as explain from "./bench-explain.js";
import * as sets from "./bench-sets.js";
import { go, here, load, loadSets } from "./bench-shared.js";
import { $ } from "./dom.js";
import { t } from "./i18n.js";
import { say, shut, startPage } from "./page.js";
import { signedIn } from "./session.js";
import { trouble, troubleInWords, waiting } from "./states.js";

const TABS = { explain, compare, sets };
let ready = false;

const tabOf = (place) => (place.tab in TABS ? place.tab : "explain");

/** Draw the place the address names. */
async function arrive({ moved = false } = {}) {
  if (!ready) return;
  const tab = tabOf(here());
  for (const name of Object.keys(TABS)) {
    const button = $(`tab-${name}`);
    button.setAttribute("aria-selected", String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
    $(`panel-${name}`).hidden = name !== tab;
    if (moved && name === tab) button.focus();
  }
  document.title = `${t(`bench.${tab}`)} · ${t("bench.title")}`;
  if (tab === "explain") return explain.arrive();
  try {
    await loadSets(); // somebody may have judged meanwhile
  } catch (error) {
    return say(troubleInWords(error));
  }
  return TABS[tab].draw();
}

/** Whether this person may be here, and what they are told if not. */
async function enter() {
  const person = signedIn();
  ready = false;
  $("desk").hidden = true;
  for (const each of Object.values(TABS)) each.forget();
  if (!person?.rights.includes("tune")) return $("gate").replaceChildren(shut(person, "bench"));
  $("gate").replaceChildren(waiting());
  try {
    await load(person);
  } catch (error) {
    say(troubleInWords(error));
    return $("gate").replaceChildren(trouble(error, enter));
  }
  if (person !== signedIn()) return undefined;
  $("gate").replaceChildren();
  $("desk").hidden = false;
  ready = true;
  return arrive();
}

for (const name of Object.keys(TABS)) {
  $(`tab-${name}`).addEventListener("click", () => { go({ tab: name === "explain" ? "" : name }); arrive(); });
}
document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  const names = Object.keys(TABS);
  const at = names.indexOf(tabOf(here()));
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
  if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const name = names[(to + names.length) % names.length];
  go({ tab: name === "explain" ? "" : name });
  arrive({ moved: true });
});
addEventListener("popstate", () => { arrive(); });

startPage({
  load: enter,
  redraw: () => {
    if (!ready) return enter();
    for (const each of Object.values(TABS)) each.draw();
    return arrive();
  },
});
