// A small array as a picture: the shared sign scale with a true zero, one cell a number; used by nodes and packets.

import { toNumber } from "../format.js";
import { h, svg } from "../h.js";
import { signColour } from "../scale.js";
import { at, indexOf, plane, reach } from "./arrays.js";

/** @import {ArrayData, Num} from "../types.js" */

const DRAWN = 300; // cells as elements; more are pixels
const GAP = 1;
const BROAD = 16; // px to each side, if there is room

/** The one number of an array that has only one. @param {ArrayData | null} array @returns {Num | null} */
export function only(array) {
  if (!array || array.shape.some((n) => n !== 1)) return null;
  let data = array.data;
  while (Array.isArray(data)) data = data[0];
  return data;
}

/** The size of the largest entry. @param {ArrayData | null} array */
export function largest(array) {
  if (!array) return 0;
  return array.nonfinite ? Infinity : reach(array);
}

/**
 * Cells of the last two axes; further axes stand side by side.
 * @param {ArrayData} array
 * @returns {{rows: number, cols: number, tiles: number[][]}}
 */
export function tiling(array) {
  const size = plane(array.shape);
  let tiles = [/** @type {number[]} */ ([])];
  for (const n of size.leading) tiles = tiles.flatMap((t) => Array.from({ length: Math.min(n, 8) }, (_, i) => [...t, i]));
  return { rows: size.rows, cols: size.cols, tiles: tiles.slice(0, 8) };
}

/**
 * @param {ArrayData} array @param {{width: number, height: number, most?: number, limit?: number}} room  `limit`: the reach of a scale shared with others
 * @returns {{element: Element}}
 */
export function heat(array, { width, height, most = 22, limit = reach(array) }) {
  const { rows, cols, tiles } = tiling(array);
  const wide = tiles.length * cols + (tiles.length - 1) * 0.6;
  const cell = Math.max(0.5, Math.min(most, width / wide, height / rows));
  // a long row or column is no hairline
  const across = wide * cell < BROAD ? Math.max(cell, Math.min(width, BROAD, most * wide) / wide) : cell;
  const down = rows * cell < BROAD ? Math.max(cell, Math.min(height, BROAD, most * rows) / rows) : cell;
  const gap = cell > 5 ? GAP : 0;
  const [w, tall] = [wide * across, rows * down];
  /** @param {number[]} tile @param {number} row @param {number} col @returns {Num | null} */
  const value = (tile, row, col) => {
    const index = indexOf(array.shape, tile, row, col);
    return index === null || array.data === null ? null : at(array.data, index);
  };
  if (array.data === null) {
    return { element: h("span", { class: "heat-large" }, array.shape.join("×")) };
  }
  const many = rows * cols * tiles.length > DRAWN;
  return { element: many ? pixels() : cells() };

  function cells() {
    const picture = svg("svg", { class: "heat", viewBox: `0 0 ${w} ${tall}`, width: w, height: tall, "aria-hidden": "true" });
    tiles.forEach((tile, t) => {
      for (let row = 0; row < rows; row++) {
        for (let col = 0; col < cols; col++) {
          const entry = value(tile, row, col);
          if (entry === null) continue;
          const x = (t * (cols + 0.6) + col) * across;
          const fillColour = Number.isFinite(toNumber(entry)) ? signColour(toNumber(entry), limit) : "var(--nonfinite)";
          picture.append(
            svg("rect", { x: x + gap / 2, y: row * down + gap / 2, width: across - gap, height: down - gap, style: { fill: fillColour } }),
          );
        }
      }
    });
    return picture;
  }

  function pixels() {
    const across = tiles.length * cols + (tiles.length - 1);
    const canvas = h("canvas", { class: "heat", width: across, height: rows, style: { width: `${w}px`, height: `${tall}px` }, "aria-hidden": "true" });
    const brush = canvas.getContext("2d");
    tiles.forEach((tile, t) => {
      for (let row = 0; row < rows; row++) {
        for (let col = 0; col < cols; col++) {
          const entry = value(tile, row, col);
          if (entry === null || !brush) continue;
          brush.fillStyle = Number.isFinite(toNumber(entry)) ? signColour(toNumber(entry), limit) : "#ffd400";
          brush.fillRect(t * (cols + 1) + col, row, 1, 1);
        }
      }
    });
    return canvas;
  }
}
