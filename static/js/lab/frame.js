/**
 * What the lab's pages share: the way from one to another, the choice of a problem, labelled selects.
 */

import * as api from "../api.js";
import { fill, h } from "../h.js";
import { FORMULAS, lessonProblem, networks } from "./problems.js";

/** @import {Problem} from "./problems.js" */
/** @typedef {"lanes" | "sharpness" | "landscape"} Part */

/** @type {Record<Part, {title: string, path: string}>} */
const PARTS = {
  lanes: { title: "Lanes", path: "/lab/learning-rate" },
  sharpness: { title: "Limits", path: "/lab/sharpness" },
  landscape: { title: "Landscape", path: "/lab/landscape" },
};

/** Links between the pages of the lab; the problem goes along. @param {Part} part @param {() => string} query */
export function ways(part, query) {
  const links = Object.entries(PARTS).map(([name, { title, path }]) =>
    h("a", { href: path, "aria-current": name === part ? "page" : undefined, on: {
      click: (/** @type {Event} */ event) => { /** @type {HTMLAnchorElement} */ (event.currentTarget).href = path + query(); },
    } }, title));
  return h("nav", { class: "lab-nav", "aria-label": "The lab" }, links);
}

/** @param {string} label @param {HTMLElement} control */
export const pick = (label, control) => h("span", { class: "lab-pick" }, h("label", { for: control.id }, label), control);

/** @param {HTMLSelectElement} select @param {Problem[]} known @param {Problem} on */
export function offer(select, known, on) {
  const all = known.some(({ id }) => id === on.id) ? known : [...known, on];
  fill(select, [...new Set(all.map(({ group }) => group))].map((name) => h("optgroup", { label: name },
    all.filter(({ group }) => group === name).map(({ id, title }) => h("option", { value: id, selected: id === on.id }, title)))));
}

/** All problems that this server knows. @param {Problem} on @returns {Promise<Problem[]>} */
export async function problems(on) {
  const [shelf, tables] = await Promise.all([api.lessons(), api.datasets()]);
  return [...FORMULAS, ...networks(tables.datasets), ...shelf.lessons.map(lessonProblem), ...(on.id === "own" ? [on] : [])];
}

/** A rate that suits a problem: a lesson brings its own. @param {Problem} problem @returns {Promise<number>} */
export async function rateOf({ lesson, lr }) {
  if (!lesson) return lr;
  return api.lesson(lesson).then((found) => found.spec?.optimizer?.lr ?? lr).catch(() => lr);
}

/** How a problem stands in a query. @param {Problem} on */
export const queryOf = (on) => (on.id === "own" ? "" : on.lesson ? `?lesson=${on.lesson}` : `?on=${on.id}`);
