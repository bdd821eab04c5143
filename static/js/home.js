/** The home page: a neuron that walks by itself, the shelf of lessons, a place for one's own formula. */

import * as api from "./api.js";
import { fill } from "./h.js";
import { mountHero } from "./home_hero.js";
import { mountProgram } from "./home_program.js";
import { mountShelf } from "./home_shelf.js";
import { bowlView } from "./lab_bowl.js";
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

/** Three balls in the bowl, from a real sweep, once the visitor has come so far down. */
async function tasteOfTheLab() {
  const rates = [0.05, 0.9, 1.05];
  const spec = { program: "L = x**2", values: { x: 3 } };
  const { lanes } = await api.sweep({ spec, lanes: rates.map((lr) => ({ lr })), iterations: 8 });
  fill(place("taste"), lanes.map((/** @type {any} */ lane, /** @type {number} */ i) => {
    const bowl = bowlView(i);
    bowl.update(lane.path, 5);
    return bowl.element;
  }));
}
new IntersectionObserver((entries, watch) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  watch.disconnect();
  tasteOfTheLab().catch(() => {}); // a picture less
}, { rootMargin: "300px" }).observe(place("taste"));
