// The search page: the address says where we are, `arrive` draws that place, everything else leads to a place.

import { addressOf, adopt, go, here } from "./address.js";
import * as client from "./client.js";
import { Combobox } from "./combobox.js";
import { $ } from "./dom.js";
import { filters } from "./filters.js";
import { forgetRatings } from "./helped.js";
import { answers, corrected, degraded, howMany } from "./hits.js";
import { count, current, speak, t } from "./i18n.js";
import { article as articleView, backTo } from "./reading.js";
import { begin, corner, dialogWords, onChange, signedIn } from "./session.js";
import { nothing, start, trouble, troubleInWords, waiting } from "./states.js";
import { themeButton } from "./theme.js";

const PAGE = 10;
const MOST = 50; // what the API gives at once
const SOON = 250; // ms: an answer that comes sooner needs no outline

const input = $("query");
const results = $("results");
const reader = $("article");
let products = [];
let asked = ""; // the search whose answer is shown, or ""
let answer = null;
let limit = PAGE;
let opened = null; // the article that is shown
let failed = null; // what to try again when the connection is back
let desk = null; // the tools of staff
let ready = null; // when they are there
const underWay = {};

/** The signal for a new request of a kind; the one before it is no longer waited for. */
function only(kind) {
  underWay[kind]?.abort();
  underWay[kind] = new AbortController();
  return underWay[kind].signal;
}

const say = (text) => { $("status").textContent = text; };
const titled = (text) => { document.title = text ? `${text} · ${t("page.title")}` : t("page.title"); };

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}
const isFiltered = (place) => Boolean(place.kind || place.language || place.product);
const searchOf = (place) => JSON.stringify([place.q, place.kind, place.language, place.product, place.exact]);

function ask(text) {
  const q = text.trim();
  if (!q) return input.focus();
  // The same question again is a wish for a fresh answer.
  asked = "";
  notice("");
  go({ ...here(), q, exact: "", article: "" });
  return arrive();
}

function narrow(name, value) {
  go({ ...here(), [name]: value, article: "" });
  arrive();
}

/** Draw the place the address names. */
async function arrive() {
  const place = here();
  if (place.q !== input.value.trim() && (place.q || !place.article)) input.value = place.q;
  $("clear").hidden = !input.value;
  titled(place.q);
  filters(place, products, narrow);
  reader.hidden = !place.article;
  results.hidden = Boolean(place.article);
  await (place.article ? read(place) : list(place));
}

/** The same place once more; what was typed meanwhile stays in the box. */
function arriveAgain() {
  const typed = input.value;
  const arrived = arrive();
  input.value = typed;
  $("clear").hidden = !typed;
  return arrived;
}

async function list(place) {
  underWay.article?.abort();
  opened = null;
  reader.replaceChildren();
  if (!place.q) {
    underWay.search?.abort();
    [asked, answer, failed] = ["", null, null];
    results.classList.remove("busy");
    results.removeAttribute("aria-busy");
    results.replaceChildren(start(ask));
    say("");
    return;
  }
  if (searchOf(place) === asked) return;
  limit = PAGE;
  await find(place);
}

/** Ask the service and draw what it answers. What is on the page stays there, dimmed, until then. */
async function find(place) {
  const signal = only("search");
  const outline = setTimeout(() => {
    results.classList.add("busy");
    if (!answer) results.replaceChildren(waiting());
    say(t("loading"));
  }, SOON);
  results.setAttribute("aria-busy", "true");
  try {
    const [found] = await Promise.all([client.search(request(place), signal), ready]);
    if (signal.aborted) return;
    [answer, asked, failed] = [found, searchOf(place), null];
    drawAnswer(place);
    const { to, applied } = found.corrected ?? {};
    const told = found.hits.length ? howMany(found.hits.length, canShowMore()) : t("nothing.title", { query: place.q });
    say(to ? `${t(applied ? "corrected.showing" : "corrected.meant", { to })} ${told}` : told);
  } catch (error) {
    if (signal.aborted) return;
    [answer, asked] = [null, ""];
    fail(error, results, () => find(place));
  } finally {
    clearTimeout(outline);
    if (!signal.aborted) {
      results.classList.remove("busy");
      results.removeAttribute("aria-busy");
    }
  }
}

function request(place) {
  const some = (value) => (value ? [value] : []);
  const chosen = { kinds: some(place.kind), languages: some(place.language), products: some(place.product) };
  const filters = Object.fromEntries(Object.entries(chosen).filter(([, values]) => values.length));
  // Somebody who reads Traditional Chinese and asks in Chinese wants that script first. An English page says nothing
  // about a Chinese question.
  const chinese = /\p{Script=Han}/u.test(place.q);
  const context = chinese === current().startsWith("zh") ? { language: current() } : {};
  if (place.interaction && signedIn()?.rights.includes("trail")) context.interaction_id = place.interaction;
  return { query: place.q, limit, exact: Boolean(place.exact), filters, context };
}

const canShowMore = () => answer.hits.length >= limit && limit < MOST;

/** The line about the spelling, if there is something to say. */
function spelling(place) {
  const exact = { ...place, exact: "1" };
  const meant = { ...place, q: answer.corrected?.to };
  const to = (next) => () => { go(next); arrive(); input.focus(); };
  const hrefs = { exactly: addressOf(exact), meant: addressOf(meant) };
  return corrected(answer.corrected, { hrefs, exactly: to(exact), meant: to(meant) });
}

function drawAnswer(place) {
  if (!answer.hits.length) {
    const state = { filtered: isFiltered(place), unfilter: () => { go({ q: place.q }); arrive(); }, signedIn: signedIn(),
      foot: desk?.foot({ query: place.q, search_id: answer.search_id }) };
    results.replaceChildren(...spelling(place), ...degraded(answer.degraded), nothing(place.q, state));
    return;
  }
  const more = canShowMore() && (() => showMore(place));
  const hrefOf = (hit) => addressOf({ ...place, article: hit.number });
  const open = (hit) => { go({ ...place, article: hit.number }, "results"); scrollTo(0, 0); arrive(); };
  const searched = answer.corrected?.applied ? answer.corrected.to : place.q;
  results.replaceChildren(...spelling(place), ...answers(answer, searched, { hrefOf, open, more, asked: place.q, desk }));
}

async function showMore(place) {
  const before = answer.hits.length;
  limit = Math.min(MOST, limit + 20);
  await find(place);
  // The button is gone: the keyboard goes on with the first answer that is new.
  results.querySelectorAll(".hit")[before]?.querySelector("a")?.focus();
}

async function read(place) {
  if (opened?.number === place.article) return;
  const signal = only("article");
  const wait = setTimeout(() => {
    reader.classList.add("busy");
    reader.replaceChildren(back(place), waiting());
    say(t("article.loading"));
  }, SOON);
  try {
    const [found] = await Promise.all([client.article(place.article, signal), ready]);
    if (signal.aborted) return;
    [opened, failed] = [{ ...found, number: found.number ?? place.article }, null];
    drawArticle(place);
    $("article-title").focus({ preventScroll: true });
    say(found.title);
  } catch (error) {
    if (signal.aborted) return;
    opened = null;
    fail(error, reader, () => read(place));
    reader.prepend(back(place));
  } finally {
    clearTimeout(wait);
    if (!signal.aborted) reader.classList.remove("busy");
  }
}

function drawArticle(place) {
  titled(opened.title);
  reader.replaceChildren(...articleView(opened, back(place), { led: ledTo(opened.id), desk }));
}

/** The search that led to an item, and its place there. */
function ledTo(id) {
  const at = answer?.hits.findIndex((hit) => hit.id === id) ?? -1;
  return at < 0 ? {} : { query: here().q, search_id: answer.search_id, position: at + 1 };
}

const back = (place) => backTo(t(place.q ? "article.back" : "article.to_search"), leave);

/** From an article to where it was opened from. */
async function leave() {
  const number = here().article;
  if (history.state?.from === "results") return history.back();
  go({ ...here(), article: "" });
  await arrive();
  return returnTo(number);
}

/** The focus goes back to the answer that was opened, so that the keyboard goes on from there. */
function returnTo(number) {
  (results.querySelector(`[data-number="${CSS.escape(number)}"]`) ?? input).focus();
}

function fail(error, place, retry) {
  failed = retry;
  place.replaceChildren(trouble(error, retry));
  return say(troubleInWords(error));
}

/**
 * Somebody else reads now: nothing that the one before saw may stay, on the page or in what it remembers. What was
 * typed stays: it is theirs who type.
 */
function readerChanged(message, { lasting = false } = {}) {
  for (const request of Object.values(underWay)) request.abort();
  combobox.close();
  desk?.end();
  prepare();
  notice("");
  $("suggestions").replaceChildren();
  [asked, answer, opened, failed] = ["", null, null, null];
  results.replaceChildren();
  reader.replaceChildren();
  loadProducts();
  arriveAgain().then(() => say(message));
  if (lasting) notice(message);
}

/** Staff have their tools together with what they ask for; nobody else loads them, and without them one can read. */
function prepare() {
  forgetRatings();
  const person = signedIn();
  [desk, ready] = [null, null];
  if (!person?.roles.length) return;
  ready = import("./desk.js").then((found) => { if (signedIn() === person) desk = found; }, () => {});
}

async function loadProducts() {
  try {
    const found = await client.products();
    products = found.products ?? found;
  } catch {
    products = []; // a filter less; searching works
  }
  filters(here(), products, narrow);
}

async function changeLanguage(next) {
  try {
    await speak(next);
  } catch {
    $("interface-language").value = current();
    return say(t("error.title"));
  }
  themeButton();
  corner();
  dialogWords();
  const place = here();
  filters(place, products, narrow);
  if (opened) drawArticle(place);
  // Which script comes first depends on the language: asked anew.
  asked = "";
  if (!place.article) await list(place);
  return undefined;
}

const combobox = new Combobox(input, $("suggestions"), {
  ask: async (text, signal) => {
    const found = await client.suggest(text, signal);
    return (found.suggestions ?? found).map((each) => ({
      text: each.title,
      lang: each.language,
      note: [each.open_case && `⚠ ${t("open_case.short")}`, each.kind === "post" && t("hit.community")].filter(Boolean).join(" · "),
    }));
  },
  submit: ask,
  announce: (n) => { if (n) say(count("suggestions.count", n)); },
  cleared: () => { go({ ...here(), q: "", exact: "", article: "" }); arrive(); },
});

input.addEventListener("input", () => { $("clear").hidden = !input.value; });
$("search").addEventListener("submit", (event) => { event.preventDefault(); combobox.close(); ask(input.value); });
$("clear").addEventListener("click", () => { input.focus(); combobox.close(); combobox.escape(); });
$("home").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go({});
  arrive();
  input.focus();
});
$("interface-language").addEventListener("change", (event) => changeLanguage(event.target.value));
addEventListener("popstate", async () => {
  const left = opened?.number;
  await arrive();
  if (left && !here().article) returnTo(left);
});
addEventListener("online", () => failed?.());
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  if (event.key === "/" && !event.target.closest("input, select, textarea")) {
    event.preventDefault();
    input.focus();
    input.select();
  } else if (event.key === "Escape" && here().article && event.target !== input) {
    leave();
  }
});

themeButton();
onChange(readerChanged);
adopt();
input.value = here().q;
if (!here().q && !here().article) arrive(); // nothing to ask for yet
const told = await begin();
prepare();
notice(told);
loadProducts();
arriveAgain().then(() => { if (told) say(told); });
