/**
 * The lab: which page of it this is stands in its element.
 */

import { landscapePage } from "./lab/landscape.js";
import { lanesPage } from "./lab/page.js";
import { sharpnessPage } from "./lab/sharpness.js";
import { themeButton } from "./theme.js";

/** @type {Record<string, (root: HTMLElement) => void>} */
const PAGES = { lanes: lanesPage, sharpness: sharpnessPage, landscape: landscapePage };

const theme = document.querySelector('[data-do="theme"]');
if (theme) themeButton(theme);

const hall = document.querySelector('[data-do="projection"]');

/** Large type for a hall. @param {boolean} on */
const project = (on) => {
  document.documentElement.toggleAttribute("data-projection", on);
  hall?.setAttribute("aria-pressed", String(on));
  dispatchEvent(new Event("resize"));
};
const turn = () => project(!document.documentElement.hasAttribute("data-projection"));
project(new URLSearchParams(location.search).has("projection"));
hall?.addEventListener("click", turn);
addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (!/^p$/i.test(event.key) || event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, dialog")) return;
  turn();
});

const root = document.getElementById("lab");
if (root) PAGES[root.dataset.part ?? "lanes"](root);
