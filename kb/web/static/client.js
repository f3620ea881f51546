// The public API, as any client uses it. The browser holds the session where no script can read it; what this module
// remembers only shows the service that a request comes from this page.

const PATIENCE = 15_000; // ms
let proof = "";
let surprised = () => {};

/**
 * What went wrong: `code` for the page, `message` for people, `reference` for support, `wait` in seconds, `field` of the
 * request, `conflict` where somebody else has changed the same text.
 */
export class Refused extends Error {
  constructor(code, message = "", reference = "", status = 0, wait = 0, field = "", conflict = null) {
    super(message);
    Object.assign(this, { code, reference, status, wait, field, conflict });
  }
}

/** From now on `listener()` is called when somebody else than the page thought, or nobody, seems to be signed in. */
export const onSurprise = (listener) => { surprised = listener; };

export const search = (request, signal) => call("search", { method: "POST", body: request, signal });
export const suggest = (text, signal) => call(`suggest?q=${encodeURIComponent(text)}`, { signal });
export const article = (number, signal) => call(`articles/${encodeURIComponent(number)}`, { signal });
export const products = () => call("products", {});

/** Who is signed in in this browser. */
export const whoIsHere = () => enter({});
/** Sign in with `{ key }` or `{ login, password }`. */
export const signIn = (body) => enter({ method: "POST", body });
/** Sign out here, or everywhere. */
export const signOut = (everywhere = false) =>
  call(everywhere ? "session?everywhere=true" : "session", { method: "DELETE" }).finally(() => { proof = ""; });

/** Entries of the dictionary; `where` as the query parameters of the API. */
export const entries = (where, signal) => call(`dictionary?${new URLSearchParams(where)}`, { signal });
export const addEntry = (body) => call("dictionary", { method: "POST", body });
export const changeEntry = (id, body) => call(`dictionary/${encodeURIComponent(id)}`, { method: "PUT", body });
export const removeEntry = ({ id, changed_at }) =>
  call(`dictionary/${encodeURIComponent(id)}?${new URLSearchParams({ changed_at })}`, { method: "DELETE" });
export const previewEntry = (body, signal) => call("dictionary/preview", { method: "POST", body, signal });
export const importEntries = (body) => call("dictionary/import", { method: "POST", body });

/** The workbench: a path below it, and how to ask. */
export const bench = (path, how = {}) => call(`workbench/${path}`, how);

/** Any other path of the API, and how to ask: `{ method, body, signal, quiet }`; what is `quiet` surprises nobody. */
export const api = (path, how = {}) => call(path, how);

/** Send a file as the bytes that it is; `progress(share)` is told how much of it has left, from 0 to 1. */
export function upload(path, file, progress) {
  const request = new XMLHttpRequest(); // `fetch` does not say how far it is
  request.open("POST", `/api/v1/${path}`);
  if (proof) request.setRequestHeader("X-CSRF-Token", proof);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
  return new Promise((resolve, reject) => {
    request.addEventListener("error", () => reject(new Refused(navigator.onLine ? "unreachable" : "offline")));
    request.addEventListener("load", async () => {
      const response = new Response(request.response, { status: request.status });
      if (response.ok) return resolve(await response.json());
      const error = await refusal(response);
      if (["not_signed_in", "foreign"].includes(error.code)) surprised();
      return reject(error);
    });
    request.send(file);
  });
}

export const sessions = () => call("sessions", {});
export const endSession = (id) => call(`sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
export const changePassword = (present, next) =>
  call("session/password", { method: "PUT", body: { current: present, new: next } });

async function enter(how) {
  proof = "";
  const found = await call("session", how);
  proof = found.csrf_token ?? "";
  return found;
}

async function call(path, { method = "GET", body, signal, quiet = false }) {
  const headers = { Accept: "application/json" };
  if (proof) headers["X-CSRF-Token"] = proof;
  if (body) headers["Content-Type"] = "application/json";
  const patience = AbortSignal.timeout(PATIENCE);
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
      cache: "no-store",
      credentials: "same-origin",
    });
    if (response.status === 204) return null;
    if (response.ok) return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error; // somebody typed on: nobody waits for this one
    if (error.name === "TimeoutError") throw new Refused("slow");
    if (response) throw new Refused("unreadable");
    throw new Refused(navigator.onLine ? "unreachable" : "offline");
  }
  const error = await refusal(response);
  if (!quiet && path.split("?")[0] !== "session" && ["not_signed_in", "foreign"].includes(error.code)) surprised();
  throw error;
}

async function refusal(response) {
  const problem = await response.json().then((body) => body.error, () => null);
  return new Refused(
    problem?.code ?? "unreadable",
    problem?.message ?? "",
    problem?.request_id ?? response.headers.get("X-Request-ID") ?? "",
    response.status,
    Number(response.headers.get("Retry-After")) || 0,
    problem?.field ?? "",
    problem?.conflict ?? null,
  );
}
