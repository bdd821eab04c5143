// Some samples in place of the plane, a row for each class, with a mark on those that are taken for something else; or, where a
// number is to be hit, from the lowest target to the highest, each with what is said of it.

import { number, toNumber } from "../format.js";
import { fill, h } from "../h.js";
import { inkOn, sign, signColour } from "../scale.js";
import { verdict } from "./recital.js";

/** @import {Scene} from "./live.js" */
/** @import {Said} from "./recital.js" */

/** One sample as it is drawn. @param {number[]} pixels @param {number[]} size  rows and columns */
function drawn(pixels, [rows, columns]) {
  const canvas = h("canvas", { width: columns, height: rows, "aria-hidden": "true" });
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pixels.forEach((grey, i) => {
    brush.fillStyle = signColour(grey, 1);
    brush.fillRect(i % columns, Math.floor(i / columns), 1, 1);
  });
  return canvas;
}

/** @param {HTMLElement} root */
export function mountGallery(root) {
  const table = h("table", { class: "gallery", hidden: true });
  root.append(table);
  /** @type {HTMLElement[][]} what is said, [row][column] */
  let said = [];
  /** @type {Scene | null} */
  let scene = null;

  return {
    /** Hidden while one unit is looked at, whose map lies under it. @param {boolean} on */
    shown(on) {
      table.hidden = !on || !scene?.gallery;
    },

    /** @param {Scene} next */
    build(next) {
      scene = next;
      said = [];
      table.hidden = !next.gallery;
      if (!next.gallery) return fill(table);
      const { classes, inputs, targets, part } = next.gallery;
      const { picture } = next;
      const seen = picture.length === 2 && picture[1] > 1;
      table.classList.toggle("has-pictures", seen);
      table.setAttribute("aria-label", `Samples ${part === "train" ? "trained on" : "held back"}: ${classes ? "a row for each class, and what each is taken for" : "target, and what is said"}`);
      fill(table, h("tbody", null, targets.map((row, r) => {
        const cells = row.map(() => h("span", { class: "gallery-said" }));
        said.push(cells);
        return h("tr", null,
          classes && h("th", { scope: "row" }, next.labels?.[classes[r]]?.slice(0, 1) ?? String(classes[r])),
          cells.map((cell, c) => h("td", null, seen ? drawn(inputs[r][c], picture) : classes ? null : h("span", { class: "gallery-target" }, number(row[c])), cell)));
      })));
    },

    /** @param {Said} told */
    show({ said: classes, answers }) {
      const { gallery, picture, classes: many = 0 } = scene ?? {};
      if (!gallery || !answers || answers.length !== said.length) return;
      said.forEach((row, r) => row.forEach((cell, c) => {
        const target = toNumber(gallery.targets[r][c]);
        const { text, right, tint, title } = verdict(target, classes ? classes[r][c] : null, answers[r][c], many);
        if (cell.title === title) return;
        cell.title = title;
        const box = /** @type {HTMLElement} */ (cell.parentElement);
        box.classList.toggle("is-wrong", right === false);
        const seen = table.classList.contains("has-pictures");
        cell.textContent = seen && right ? "" : text;
        if (seen || right === null || !picture) return;
        const colour = sign(tint, 1);
        box.style.setProperty("background", `rgb(${colour.join(" ")})`);
        box.style.setProperty("color", inkOn(colour));
      }));
    },
  };
}
