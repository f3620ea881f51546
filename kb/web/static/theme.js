// Light or dark: the system's choice until the button is pressed, then the button's, for as long as the page is open.

import { $, icon } from "./dom.js";
import { t } from "./i18n.js";

const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

/** Draw the button for the present theme and language. */
export function themeButton() {
  const button = $("theme");
  const label = t(isDark() ? "theme.to_light" : "theme.to_dark");
  button.setAttribute("aria-label", label);
  button.title = label;
  button.replaceChildren(icon(isDark() ? "sun" : "moon"));
}

$("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  themeButton();
});
system.addEventListener("change", themeButton);
