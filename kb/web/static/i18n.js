// The interface's own words in three languages. The server wrote the first catalogue into the page.

import { $ } from "./dom.js";

export const LANGUAGES = ["en", "zh-Hans", "zh-Hant"];

let messages = JSON.parse($("messages").textContent);
let language = document.documentElement.lang;

/** The language of the interface. */
export const current = () => language;

/** The message for a key, with `{name}` filled in; `fallback` or the key itself where there is none. */
export function t(key, values = {}, fallback = key) {
  return (messages[key] ?? fallback).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** The message for an amount: `key.one`, `key.other`, with `{name}` filled in as well. */
export function count(key, n, values = {}) {
  const form = new Intl.PluralRules(language).select(n);
  return t(`${key}.${form}` in messages ? `${key}.${form}` : `${key}.other`, { ...values, n: number(n) });
}

/** How this language writes numbers and dates: English as the browser's owner does, 21 Nov or Nov 21. */
const locale = () => (language === "en" ? navigator.languages.find((tag) => tag.startsWith("en-")) : null) ?? language;

export const number = (value, digits = 0) => new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);

export const signed = (value) =>
  new Intl.NumberFormat(locale(), { minimumFractionDigits: 2, maximumFractionDigits: 3, signDisplay: "always" }).format(value);

/** A day as people write it, in their own time zone. */
export const day = (iso) => new Intl.DateTimeFormat(locale(), { dateStyle: "medium" }).format(new Date(iso));

/** A day and the time of day, in their own time zone. */
export const moment = (iso) => new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));

/** A time to wait: "12 seconds", from two minutes on in minutes. */
export const duration = (seconds) => {
  const [value, unit] = seconds < 120 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(value);
};

/** How long something is, in its largest whole unit: "40 minutes", "3 hours", from two days on "2 days". */
export const span = (seconds) => {
  const [size, unit] = [[86_400, "day"], [3_600, "hour"], [60, "minute"]].find(([size, unit]) =>
    seconds >= size * (unit === "day" ? 2 : 1)) ?? [60, "minute"];
  const value = Math.max(1, Math.floor(seconds / size));
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(value);
};

/** A language's own name. */
export const nameOf = (tag) => ({ en: "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文" })[tag] ?? tag;

/** Change the language of the interface; the address keeps it, so that a reload does too. */
export async function speak(next) {
  const response = await fetch(new URL(`messages/${next}.json`, import.meta.url), { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`no messages for ${next}`);
  messages = await response.json();
  language = next;
  document.documentElement.lang = next;
  document.title = t(document.body.dataset.title);
  const address = new URL(location.href);
  address.searchParams.set("lang", next);
  history.replaceState(history.state, "", address);
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
}
