// Who is signed in: the corner with their name, the dialog, and what happens when a session ends by itself.

import { closeAccount, onLeaveEverywhere, openAccount } from "./account.js";
import { onSurprise, signIn, signOut, whoIsHere } from "./client.js";
import { $, el } from "./dom.js";
import { duration, t } from "./i18n.js";
import { dropAll } from "./unsaved.js";

const LEFT = "place"; // where somebody was when they left for the provider's page, in this tab
let person = null;
let session = null; // its CSRF token: another one is another session
let login = null;
let provider = null;
let byKey = false;
let looking = null;
let changed = () => {};

/** Who is signed in, or null for the public. */
export const signedIn = () => person;

/** From now on `listener(message, { lasting })` is called after every change of who reads. */
export const onChange = (listener) => { changed = listener; };

/** Find out who is signed in. Returns what to tell them about it, or "". */
export async function begin() {
  let message = comeBack();
  try {
    take(await whoIsHere());
  } catch (error) {
    if (error.code === "not_signed_in") {
      message = t("signin.ended");
      await whoIsHere().then(take, () => {}); // nobody now; is there a provider?
    }
    // Else the service is away: the first search says so.
  }
  corner();
  return message;
}

/** Draw the corner with the sign-in button or the name. */
export function corner() {
  const place = $("person");
  for (const link of document.querySelectorAll("[data-right]")) link.hidden = !person?.rights.includes(link.dataset.right);
  // The public is not even sent the module.
  if (person?.rights.includes("flag")) import("./bell.js").then(({ ring }) => ring(person), () => {});
  if (!person) {
    place.replaceChildren(el("button", { type: "button", id: "open-sign-in", on: { click: () => ask() } }, t("signin.open")));
    return;
  }
  place.replaceChildren(
    el(
      "button",
      { type: "button", id: "open-account", class: "quiet person-name", title: t("account.open"), on: { click: () => openAccount(person, login) } },
      person.name,
    ),
    el("span", { class: "badge" }, t(`tier.${person.tier}`, {}, person.tier)),
    el("button", { type: "button", id: "sign-out", on: { click: () => leave() } }, t("signin.out")),
  );
}

function take(found) {
  session = found.csrf_token;
  person = session ? found.person : null;
  login = session ? found.login : null;
  provider = found.provider;
}

/** A request was refused because the page was wrong about who is signed in. Many may be under way: said once. */
onSurprise(() => {
  looking ??= lookAgain().finally(() => { looking = null; });
});

async function lookAgain() {
  const [before, visit] = [person, session];
  try {
    take(await whoIsHere());
  } catch (error) {
    if (error.code !== "not_signed_in") return;
    take({ csrf_token: null, provider });
  }
  if (session === visit) return; // the page was right: what was refused says why
  closeAccount();
  corner();
  if (person) {
    changed(t("signin.changed", { name: person.name }), { lasting: person.id !== before?.id });
  } else {
    changed(t("signin.ended"), { lasting: true });
    ask(t("signin.ended"));
  }
}

async function leave(everywhere = false) {
  closeAccount();
  try {
    await signOut(everywhere);
  } catch (error) {
    // A session that has ended by itself is what was wanted.
    if (error.code !== "not_signed_in") return changed(t("signin.still"), { lasting: true });
  }
  dropAll();
  take({ csrf_token: null, provider });
  corner();
  changed(t("signin.gone"));
  return $("open-sign-in").focus();
}

function ask(why = "") {
  const dialog = $("sign-in");
  if (dialog.open) return;
  $("sign-in-why").textContent = why;
  $("sign-in-why").hidden = !why;
  $("sign-in-error").textContent = "";
  $("provider").hidden = $("or").hidden = !provider;
  if (provider) {
    const here = new URLSearchParams({ next: location.pathname + location.search });
    $("provider").href = `${provider}?${here}`;
  }
  dialog.showModal();
  show(byKey);
}

/** The fields for a key, or those for a login and a password. */
function show(key) {
  byKey = key;
  $("by-key").hidden = !key;
  $("by-login").hidden = key;
  $("key").required = key;
  $("login").required = $("password").required = !key;
  $("other-way").textContent = t(key ? "signin.use_login" : "signin.use_key");
  $("sign-in-error").textContent = "";
  $(key ? "key" : "login").focus();
}

async function enter(dialog) {
  const submit = dialog.querySelector("[type=submit]");
  const how = byKey ? { key: $("key").value.trim() } : { login: $("login").value, password: $("password").value };
  submit.disabled = true;
  $("sign-in-error").textContent = "";
  try {
    take(await signIn(how));
  } catch (error) {
    $("sign-in-error").textContent = inWords(error);
    $(byKey ? "key" : "password").select();
    return;
  } finally {
    submit.disabled = false;
  }
  dialog.close();
  corner();
  ($("query") ?? $("open-account")).focus(); // not every page has something to search with
  changed(t("signin.done", { name: person.name }));
}

function inWords(error) {
  if (error.status === 401 || error.status === 422) return t(byKey ? "signin.refused_key" : "signin.refused");
  if (error.status === 429) return t("signin.wait", { time: duration(error.wait) });
  if (error.code === "not_allowed") return t("signin.insecure");
  return t(error.code === "offline" ? "offline.title" : `error.${error.code}`, {}, error.message || t("error.title"));
}

/** Back from the provider's page: to the place that was left, with what the address says of how it went. */
function comeBack() {
  const address = new URL(location.href);
  const how = address.searchParams.get("sign_in");
  address.searchParams.delete("sign_in");
  const left = sessionStorage.getItem(LEFT);
  sessionStorage.removeItem(LEFT);
  if (left && !address.hash) address.hash = left;
  if (address.href !== location.href) history.replaceState(history.state, "", address);
  return how ? t(`signin.${how}`, {}, t("signin.failed")) : "";
}

/** Draw the dialog's own words again after a change of language. */
export const dialogWords = () => { $("other-way").textContent = t(byKey ? "signin.use_login" : "signin.use_key"); };

onLeaveEverywhere(() => leave(true));

{
  const dialog = $("sign-in");
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    enter(dialog);
  });
  // Nothing that was typed here outlives the dialog.
  dialog.addEventListener("close", () => { for (const id of ["key", "password"]) $(id).value = ""; });
  $("sign-in-cancel").addEventListener("click", () => dialog.close());
  $("other-way").addEventListener("click", () => show(!byKey));
  $("provider").addEventListener("click", () => sessionStorage.setItem(LEFT, location.hash));
}
