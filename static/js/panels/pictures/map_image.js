// One map: a plane of numbers as cells on the scale of signs, with the numbers written where there is room; many cells
// are pixels.

import { number } from "../../format.js";
import { attributes, h } from "../../h.js";
import { inkOn, sign, signColour } from "../../scale.js";

/** @import {Pair, Plane} from "./window.js" */

const CELLS = 256; // as elements; more are pixels

/** Two digits; what is 0 but for the last bits of its neighbours is written as such. @param {number} value @param {number} limit */
export const short = (value, limit) => (value !== 0 && Math.abs(value) < 1e-12 * limit ? "≈0" : number(value, 2));

/**
 * @param {Plane | null} plane
 * @param {{limit: number, cell: number, high?: number, written?: boolean, until?: number, marked?: (at: Pair) => string | null, like?: Pair}} ways
 *   `like`: the rows and columns of a map that is not there yet; `cell`: its ems, `high`: its height if it is no square; `until`: cells from there on are not there yet
 */
export function mapImage(plane, { limit, cell, high = cell, written = false, until = Infinity, marked, like = [1, 1] }) {
  if (!plane) return h("span", { class: "map-image is-empty", style: { width: `${cell * like[1]}em`, height: `${high * like[0]}em` } }, "?");
  const [rows, cols] = [plane.length, plane[0].length];
  const size = { width: `${cell * cols}em`, height: `${high * rows}em` };
  if (rows * cols > CELLS) {
    const canvas = h("canvas", { class: "map-image", width: cols, height: rows, style: size, "aria-hidden": "true" });
    const brush = canvas.getContext("2d");
    plane.forEach((row, r) =>
      row.forEach((value, c) => {
        if (!brush || r * cols + c >= until) return;
        brush.fillStyle = Number.isFinite(value) ? signColour(value, limit) : "#ffd400";
        brush.fillRect(c, r, 1, 1);
      }),
    );
    return canvas;
  }
  const grid = h("span", { class: `map-image${written ? " is-written" : ""}`, style: { ...size, "--cols": cols }, "aria-hidden": "true" });
  plane.forEach((row, r) =>
    row.forEach((value, c) => {
      const there = r * cols + c < until;
      const colour = sign(value, limit);
      const mark = marked?.([r, c]);
      const box = h("span", { class: `map-cell${there ? "" : " is-empty"}${mark ? ` is-${mark}` : ""}`, title: there && !written ? number(value) : null }, written && (there ? short(value, limit) : "?"));
      if (there) attributes(box, { style: { background: Number.isFinite(value) ? `rgb(${colour.join(" ")})` : "var(--nonfinite)", color: inkOn(colour) } });
      grid.append(box);
    }),
  );
  return grid;
}
