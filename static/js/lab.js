/**
 * The lab: which page of it this is stands in its element.
 */

import { lanesPage } from "./lab/page.js";
import { themeButton } from "./theme.js";

const theme = document.querySelector('[data-do="theme"]');
if (theme) themeButton(theme);
const root = document.getElementById("lab");
if (root) lanesPage(root);
