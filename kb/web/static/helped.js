// "Did this help?": a quiet question, for everybody. What an answer leads to is loaded when somebody answers.

import { el } from "./dom.js";
import { t } from "./i18n.js";

const rated = new Set(); // what has been rated on this page: it is not asked again

/** Somebody else reads now, who has rated nothing. */
export const forgetRatings = () => rated.clear();

/** The question about an item; `no()` is what a No leads to where it is more than a rating. */
export function helped(item, no = null) {
  const place = el("div", { class: "helped", role: "group", "aria-label": t("helped.question") });
  const key = `${item.kind}/${item.id}`;
  if (rated.has(key)) place.append(el("p", {}, t("helped.thanks")));
  else ask(place, () => answer(place, item, "helpful", key), no ?? (() => answer(place, item, "not_helpful", key)));
  return place;
}

function ask(place, yes, no) {
  place.replaceChildren(
    el("span", { "aria-hidden": "true" }, t("helped.question")),
    el("button", { type: "button", on: { click: yes } }, t("helped.yes")),
    el("button", { type: "button", on: { click: no } }, t("helped.no")),
    el("p", { class: "mistake", role: "alert" }),
  );
}

async function answer(place, item, kind, key) {
  if (place.dataset.sending) return;
  place.dataset.sending = "yes";
  try {
    const { rate, thank, whatWasMissing } = await import("./rating.js");
    await rate(item, kind);
    rated.add(key);
    if (kind === "helpful") thank(place);
    else whatWasMissing(place, item);
  } catch {
    place.querySelector(".mistake").textContent = t("helped.failed");
  } finally {
    delete place.dataset.sending;
  }
}
