// One's own account: changing the password, seeing where one is signed in, and ending it there.

import { changePassword, endSession, sessions } from "./client.js";
import { $, el } from "./dom.js";
import { duration, moment, t } from "./i18n.js";

let leave = () => {};

/** From now on `listener()` is called when somebody wants to sign out everywhere. */
export const onLeaveEverywhere = (listener) => { leave = listener; };

/** Show somebody's account; with their login, if they have a password. */
export function openAccount(person, login) {
  $("account-title").replaceChildren(person.name, " ", el("span", { class: "badge" }, t(`tier.${person.tier}`, {}, person.tier)));
  $("change").hidden = !login;
  $("account-login").value = login ?? "";
  show(false);
  tell("");
  $("change-error").textContent = "";
  $("sessions").replaceChildren();
  $("account").showModal();
  list();
}

/** Close it, whatever is going on in it. */
export const closeAccount = () => $("account").close();

const tell = (text) => { $("account-status").textContent = text; };

function show(plain) {
  $("show-password").checked = plain;
  for (const id of ["current-password", "new-password"]) $(id).type = plain ? "text" : "password";
}

async function list() {
  try {
    const found = await sessions();
    $("sessions").replaceChildren(...found.sessions.map(line));
  } catch (error) {
    tell(inWords(error));
  }
}

function line(session) {
  const began = t("account.began", { time: moment(session.began_at) });
  const end = el("button", { type: "button", "aria-label": `${t("account.end")}: ${began}`, on: { click: () => endOne(session.id) } }, t("account.end"));
  const seen = t("account.seen", { time: moment(session.seen_at) });
  return el("li", {}, el("span", {}, began, el("br"), el("span", { class: "soft" }, session.present ? t("account.here") : seen)), !session.present && end);
}

async function endOne(id) {
  tell("");
  try {
    await endSession(id);
  } catch (error) {
    if (error.code !== "not_found") return tell(inWords(error)); // else it has ended by itself
  }
  await list();
  tell(t("account.ended"));
  return ($("sessions").querySelector("button") ?? $("account-close")).focus(); // the one that was pressed is gone
}

async function change(form) {
  const submit = form.querySelector("[type=submit]");
  submit.disabled = true;
  $("change-error").textContent = "";
  tell("");
  try {
    await changePassword($("current-password").value, $("new-password").value);
  } catch (error) {
    $("change-error").textContent = inWords(error);
    $(error.field === "new" ? "new-password" : "current-password").select();
    return;
  } finally {
    submit.disabled = false;
  }
  empty();
  tell(t("account.changed"));
  await list();
  $("account-close").focus();
}

function inWords(error) {
  if (error.field === "current") return t("account.wrong");
  if (error.field === "new") return t("account.weak");
  if (error.status === 429) return t("signin.wait", { time: duration(error.wait) });
  return t(error.code === "offline" ? "offline.title" : `error.${error.code}`, {}, error.message || t("error.title"));
}

/** Nothing that was typed here outlives the dialog. */
function empty() {
  for (const id of ["current-password", "new-password"]) $(id).value = "";
  show(false);
}

$("change").addEventListener("submit", (event) => {
  event.preventDefault();
  change(event.target);
});
$("account").addEventListener("close", empty);
$("account-close").addEventListener("click", closeAccount);
$("show-password").addEventListener("change", (event) => show(event.target.checked));
$("leave-everywhere").addEventListener("click", () => leave());
