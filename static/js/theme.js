// Light, dark or as the system has it; remembered on this device.

import { fill, icon } from "./h.js";

/** @typedef {"auto" | "light" | "dark"} Theme */

const KEY = "backstep-theme"; // a cookie, so that the page comes in its theme and never flashes in the other one
const A_YEAR = 31_536_000; // s
const NAMES = { auto: "follows the system", light: "light", dark: "dark" };
const ICONS = { auto: "auto", light: "sun", dark: "moon" };

/** What the page shows: the server has read the cookie. @returns {Theme} */
function shownTheme() {
  const shown = document.documentElement.dataset.theme;
  return shown === "light" || shown === "dark" ? shown : "auto";
}

/** What was chosen last, maybe after this page was kept by the browser. Reading a cookie takes a while. @returns {Theme} */
export function rememberedTheme() {
  const chosen = /(?:^|;\s*)backstep-theme=(light|dark)(?:;|$)/.exec(document.cookie)?.[1];
  return chosen === "light" || chosen === "dark" ? chosen : "auto";
}

/** @param {Theme} theme */
export function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  if (theme === rememberedTheme()) return;
  document.cookie = `${KEY}=${theme}; path=/; samesite=lax; max-age=${theme === "auto" ? 0 : A_YEAR}`;
}

/** Shows the theme on its button. @param {Element} button @param {Theme} theme */
export function labelThemeButton(button, theme) {
  fill(button, icon(ICONS[theme]));
  button.setAttribute("aria-label", `Theme: ${NAMES[theme]}. Press for the next.`);
  button.setAttribute("title", `Theme ${NAMES[theme]}`);
}

/** The theme button of a page that has no store. @param {Element} button */
export function themeButton(button) {
  let theme = shownTheme();
  /** @param {Theme} chosen */
  const choose = (chosen) => {
    theme = chosen;
    applyTheme(theme);
    labelThemeButton(button, theme);
  };
  labelThemeButton(button, theme);
  button.addEventListener("click", () => choose(theme === "auto" ? "dark" : theme === "dark" ? "light" : "auto"));
  setTimeout(() => choose(rememberedTheme()));
}
