/** The home page: a neuron that walks by itself, the shelf of lessons, a place for one's own formula. */

import * as api from "./api.js";
import { mountHero } from "./home_hero.js";
import { mountProgram } from "./home_program.js";
import { mountShelf } from "./home_shelf.js";
import { themeButton } from "./theme.js";

/** @param {string} id */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const theme = document.querySelector('[data-do="theme"]');
if (theme) themeButton(theme);
mountProgram(place("own"));
mountHero(place("hero"));
api.lessons().then((table) => mountShelf(place("shelf"), table)).catch((error) => {
  place("shelf").textContent = error.message;
});
