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
const root = document.getElementById("lab");
if (root) PAGES[root.dataset.part ?? "lanes"](root);
