// What the page shows when there are no answers to show: at the start, while waiting, for nothing, for trouble.

import { el } from "./dom.js";
import { t } from "./i18n.js";

/** Before the first search: a few plain examples. */
export function start(ask) {
  const examples = t("start.examples").split("|");
  return el(
    "div",
    { class: "state" },
    el("h2", {}, t("start.title")),
    el("p", {}, t("start.text")),
    el("ul", { class: "examples" }, ...examples.map((each) =>
      el("li", {}, el("button", { type: "button", on: { click: () => ask(each) } }, each)))),
    el("p", { class: "keys small" },
      el("span", {}, el("kbd", {}, "/"), ` ${t("start.keys.focus")}`),
      el("span", {}, el("kbd", {}, "Esc"), ` ${t("start.keys.clear")}`)),
  );
}

/** The first answers are on their way: their outline, so that nothing jumps when they come. */
export function waiting() {
  const bars = () => el("div", { class: "skeleton" }, el("i"), el("i"), el("i"), el("i"));
  return el("div", { "aria-hidden": "true" }, bars(), bars(), bars());
}

/** Nothing found, and what may help. */
export function nothing(query, { filtered, unfilter, signedIn, foot }) {
  const hints = ["nothing.spelling", "nothing.words", !signedIn && "nothing.sign_in"].filter(Boolean);
  return el(
    "div",
    { class: "state" },
    el("h2", {}, t("nothing.title", { query })),
    filtered && el("p", {}, t("nothing.filters")),
    el("ul", {}, ...hints.map((hint) => el("li", {}, t(hint)))),
    filtered && el("div", { class: "row" },
      el("button", { type: "button", class: "primary", on: { click: unfilter } }, t("filter.clear"))),
    foot,
  );
}

const OWN_WORDS = {
  slow: "error.slow",
  unreadable: "error.unreadable",
  unreachable: "error.unreachable",
  unavailable: "error.unavailable",
  not_found: "error.not_found",
};

/** Something failed: what, and a way on. The server's own message is English and says so. */
export function trouble(error, retry) {
  if (error.code === "offline") {
    return el("div", { class: "state" }, el("h2", {}, t("offline.title")), el("p", {}, t("offline.text")));
  }
  const own = OWN_WORDS[error.code];
  return el(
    "div",
    { class: "state" },
    el("h2", {}, t("error.title")),
    own && el("p", {}, t(own)),
    error.code !== "not_found" && el("p", { class: own ? "small" : "", lang: "en" }, error.message),
    error.reference && el("p", { class: "small" }, t("error.reference", { id: error.reference })),
    retry && el("div", { class: "row" }, el("button", { type: "button", class: "primary", on: { click: retry } }, t("error.retry"))),
  );
}

/** The same in a few words, for those who listen. */
export const troubleInWords = (error) => t(error.code === "offline" ? "offline.title" : "error.title");
