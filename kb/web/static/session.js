// Signing in for the demo: a key in memory, a name in the corner, and the way out.

import { dropKey, holdKey, whoIs } from "./client.js";
import { $, el } from "./dom.js";
import { t } from "./i18n.js";

let person = null;
let changed = () => {};

/** Who is signed in, or null for the public. */
export const signedIn = () => person;

/** From now on `listener(message)` is called after every change of who reads. */
export const onChange = (listener) => { changed = listener; };

/** Draw the corner with the sign-in button or the name. */
export function corner() {
  const place = $("person");
  if (!person) {
    place.replaceChildren(el("button", { type: "button", id: "open-sign-in", on: { click: ask } }, t("signin.open")));
    return;
  }
  place.replaceChildren(
    el("span", { class: "person-name", title: person.name }, person.name),
    el("span", { class: "badge" }, t(`tier.${person.tier}`, {}, person.tier)),
    el("button", { type: "button", id: "sign-out", on: { click: leave } }, t("signin.out")),
  );
}

/** Forget the key and who it stood for. */
export function signOut(message) {
  dropKey();
  person = null;
  corner();
  changed(message);
}

function leave() {
  signOut(t("signin.gone"));
  $("open-sign-in").focus();
}

function ask() {
  const dialog = $("sign-in");
  const form = dialog.querySelector("form");
  const field = $("key");
  $("sign-in-error").textContent = "";
  form.onsubmit = (event) => {
    event.preventDefault();
    enter(field.value.trim(), dialog);
  };
  $("sign-in-cancel").onclick = () => dialog.close();
  dialog.onclose = () => { field.value = ""; };
  dialog.showModal();
  field.focus();
}

async function enter(secret, dialog) {
  const submit = dialog.querySelector("[type=submit]");
  submit.disabled = true;
  try {
    person = await whoIs(secret);
    holdKey(secret);
  } catch (error) {
    const refused = error.status === 401 || error.status === 422;
    $("sign-in-error").textContent = refused ? t("signin.refused") : t(`error.${error.code}`, {}, error.message || t("error.title"));
    $("key").select();
    return;
  } finally {
    submit.disabled = false;
  }
  dialog.close();
  corner();
  $("query").focus();
  changed(t("signin.done", { name: person.name }));
}
