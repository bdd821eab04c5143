// Four ways to keep weights small, side by side: what one and the same update makes of a weight under each of them.

import { number } from "../format.js";
import { h } from "../h.js";

/** @import {Num} from "../types.js" */
/** @typedef {{node: string, label: string, index: number[], before: Num, after: Num, decay: Num}} Row */
/** @typedef {{way: string, says: string, parameters: Row[]}} Way */
/** @typedef {{iteration: number, rate: Num, lr: Num, rows: Way[]}} Decay */

const NAMES = { none: "no decay", l1: "L1 penalty", l2: "L2 penalty", coupled: "coupled decay", decoupled: "decoupled decay" };

/** The parameter whose largest entry is largest. @param {Way[]} rows */
function shownOf(rows) {
  const sizes = rows[0].parameters.map((it) => Math.abs(Number(it.before)));
  return sizes.indexOf(Math.max(...sizes));
}

/** @param {Decay} told */
export function decayView({ rate, lr, rows }) {
  const at = Math.max(0, shownOf(rows));
  const { label, index, before } = rows[0].parameters[at];
  const name = index.length ? `${label}[${index.join(", ")}]` : label;
  return h("details", { class: "plans-part plans-fold" },
    h("summary", {}, "Ways to keep weights small ", h("span", { class: "plans-line" }, `λ = ${number(rate)}, η = ${number(lr)}`)),
    h("p", { class: "plans-key" }, `${name} = ${number(before)}; after this iteration's update:`),
    h("table", { class: "plans-decay" },
      h("tbody", {}, rows.map(({ way, says, parameters }) => h("tr", { title: says },
        h("th", { scope: "row" }, NAMES[/** @type {keyof typeof NAMES} */ (way)]),
        h("td", {}, h("b", {}, number(parameters[at].after))),
        h("td", {}, way === "none" ? "" : `Δ ${number(-Number(parameters[at].decay))}`))))),
    rows.slice(1).map(({ says }) => h("p", { class: "plans-key" }, says)));
}
