// A few sequences in place of the plane: at each step the token that came, the target, and what the network says, with a
// mark that tells right from wrong.

import { number, toNumber } from "../format.js";
import { fill, h } from "../h.js";
import { inkOn, sign } from "../scale.js";

/** @import {Num} from "../types.js" */
/** @import {Scene} from "./live.js" */
/** @typedef {{said?: number[][] | null, answers?: Num[][]}} Said */

/**
 * What stands in a cell of the answer. A class is right or wrong; a number that is to be hit is neither.
 * @param {number} target @param {number | null} said @param {Num} answer  the share of class 1 of two, of the said one of more, or the number
 * @param {number} classes
 */
export function verdict(target, said, answer, classes) {
  if (said === null) return { text: number(answer, 2), right: null, tint: 0, title: number(answer) };
  if (said < 0) return { text: "?", right: false, tint: 0, title: "no number" };
  const right = said === target;
  const tint = classes === 2 ? 2 * toNumber(answer) - 1 : toNumber(answer);
  const title = `${right ? "right" : "wrong"}: ${classes === 2 ? "probability of 1" : `probability of ${said}`} ${number(answer)}`;
  return { text: `${said}${right ? "✓" : "✗"}`, right, tint, title };
}

/** @param {HTMLElement} root */
export function mountRecital(root) {
  const table = h("table", { class: "recital", hidden: true });
  root.append(table);
  /** @type {HTMLElement[][]} the cells that change, [sequence][step] */
  let cells = [];
  /** @type {Scene | null} */
  let scene = null;

  return {
    /** Hidden while one unit is looked at, whose map lies under it. @param {boolean} on */
    shown(on) {
      table.hidden = !on || !scene?.sequences;
    },

    /** @param {Scene} next */
    build(next) {
      scene = next;
      cells = [];
      table.hidden = !next.sequences;
      if (!next.sequences) return fill(table);
      const { inputs, targets, part } = next.sequences;
      const steps = inputs[0].length;
      const before = steps - targets[0].length; // one answer for all of a sequence stands under its last token
      table.setAttribute("aria-label", `Sequences ${part === "train" ? "trained on" : "held back"}: token, target and prediction at each step`);
      fill(table,
        inputs.map((tokens, i) => {
          const answers = targets[i].map(() => h("td", { class: "recital-said" }));
          cells.push(answers);
          const blank = () => Array.from({ length: before }, () => h("td", { class: "recital-none" }));
          return h("tbody", null,
            h("tr", { class: "recital-tokens" }, h("th", { scope: "row" }, "token"), tokens.map((token) => h("td", null, number(token, 2)))),
            h("tr", null, h("th", { scope: "row" }, "target"), blank(), targets[i].map((target) => h("td", null, number(target, 2)))),
            h("tr", null, h("th", { scope: "row" }, "said"), blank(), answers));
        }));
    },

    /** @param {Said} told */
    show({ said, answers }) {
      const { sequences, classes } = scene ?? {};
      if (!sequences || !answers || answers.length !== cells.length) return;
      cells.forEach((row, i) => row.forEach((cell, t) => {
        const { text, right, tint, title } = verdict(toNumber(sequences.targets[i][t]), said ? said[i][t] : null, answers[i][t], classes ?? 0);
        if (cell.title === title && cell.textContent === text) return;
        const colour = sign(tint, 1);
        cell.textContent = text;
        cell.title = title;
        cell.classList.toggle("is-wrong", right === false);
        cell.style.setProperty("background", `rgb(${colour.join(" ")})`);
        cell.style.setProperty("color", inkOn(colour));
      }));
    },
  };
}
