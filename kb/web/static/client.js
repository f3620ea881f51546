// The public API, as any client uses it. The key lives in this module's memory and nowhere else.

const PATIENCE = 15_000; // ms
let key = "";

/** What went wrong: `code` for the page, `message` for people, `reference` for support. */
export class Refused extends Error {
  constructor(code, message = "", reference = "", status = 0) {
    super(message);
    Object.assign(this, { code, reference, status });
  }
}

export const holdKey = (secret) => { key = secret; };
export const dropKey = () => { key = ""; };

export const search = (request, signal) => call("search", { method: "POST", body: request, signal });
export const suggest = (text, signal) => call(`suggest?q=${encodeURIComponent(text)}`, { signal });
export const article = (number, signal) => call(`articles/${encodeURIComponent(number)}`, { signal });
export const products = () => call("products", {});
/** Who a key stands for; asks with that key, without holding it. */
export const whoIs = (secret) => call("me", { secret });

async function call(path, { method = "GET", body, signal, secret = key }) {
  const headers = { Accept: "application/json" };
  if (secret) headers.Authorization = `Bearer ${secret}`;
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
      credentials: "omit",
    });
    if (response.ok) return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error; // somebody typed on: nobody waits for this one
    if (error.name === "TimeoutError") throw new Refused("slow");
    if (response) throw new Refused("unreadable");
    throw new Refused(navigator.onLine ? "unreachable" : "offline");
  }
  throw await refusal(response);
}

async function refusal(response) {
  const problem = await response.json().then((body) => body.error, () => null);
  return new Refused(
    problem?.code ?? "unreadable",
    problem?.message ?? "",
    problem?.request_id ?? response.headers.get("X-Request-ID") ?? "",
    response.status,
  );
}
