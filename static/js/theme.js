// Light, dark or as the system has it; remembered on this device. theme_first.js applies it before the first paint.

import { fill, icon } from "./h.js";

/** @typedef {"auto" | "light" | "dark"} Theme */

const KEY = "backstep-theme";
const NAMES = { auto: "follows the system", light: "light", dark: "dark" };
const ICONS = { auto: "auto", light: "sun", dark: "moon" };

/** @returns {Theme} */
export function rememberedTheme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "auto";
}

/** @param {Theme} theme */
export function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // not remembered, where storage is forbidden
  }
}

/** Shows the theme on its button. @param {Element} button @param {Theme} theme */
export function labelThemeButton(button, theme) {
  fill(button, icon(ICONS[theme]));
  button.setAttribute("aria-label", `Theme: ${NAMES[theme]}. Press for the next.`);
  button.setAttribute("title", `Theme ${NAMES[theme]}`);
}

/** The theme button of a page that has no store. @param {Element} button */
export function themeButton(button) {
  let theme = rememberedTheme();
  labelThemeButton(button, theme);
  button.addEventListener("click", () => {
    theme = theme === "auto" ? "dark" : theme === "dark" ? "light" : "auto";
    applyTheme(theme);
    labelThemeButton(button, theme);
  });
}
