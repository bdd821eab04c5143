// Maps as they come from the server become pictures in the shared sign scale. Of a plane a byte from −127 to 127 holds the
// root of the value, of a curve the value itself; −128 is no number.

import { sign } from "../scale.js";

/** @import {Scene} from "./live.js" */
/** @import {Brush, Place} from "./painter.js" */

const NO_NUMBER = [255, 212, 0]; // --nonfinite
const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** From the root, with its sign. @param {number} root */
const squared = (root) => root * Math.abs(root);

/** One packed pixel for each byte. */
const COLOURS = Uint32Array.from({ length: 256 }, (_, byte) => {
  const value = byte > 127 ? byte - 256 : byte;
  const [r, g, b] = value === -128 ? NO_NUMBER : sign(squared(value), 127 * 127);
  return (LITTLE_ENDIAN ? (255 << 24) | (b << 16) | (g << 8) | r : (r << 24) | (g << 16) | (b << 8) | 255) >>> 0;
});

/** @param {string} base64 @returns {Int8Array} */
export function bytesOf(base64) {
  const letters = atob(base64);
  const bytes = new Int8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/**
 * Where each neuron's map stands in the bytes: [column][unit]; a column without maps has none.
 * @param {Pick<Scene, "columns" | "shapes">} scene @returns {Place[][]}
 */
export function placesOf({ columns, shapes }) {
  let start = 0;
  return columns.map(({ units }, k) => {
    const shape = shapes[k];
    if (!shape) return [];
    const [rows, cols] = shape;
    return Array.from({ length: units }, (_, u) => ({ start: start + u * rows * cols, rows, columns: cols }))
      .map((place, u) => {
        if (u === units - 1) start = place.start + rows * cols;
        return place;
      });
  });
}

/**
 * Paints a map into a canvas of its own size.
 * @param {Brush} brush @param {Int8Array} bytes @param {Place} place
 */
export function paint(brush, bytes, { start, rows, columns }) {
  const { canvas } = brush;
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const image = brush.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = COLOURS[bytes[start + i] & 255];
  brush.putImageData(image, 0, 0);
}

/**
 * Where a map crosses zero, or, with rivals, where it is as large as the largest of them: by marching squares with straight
 * cuts, [x0, y0, x1, y1] in cells, one after the other.
 * @param {Int8Array} bytes @param {Place} place @param {Place[]} [rivals] @returns {number[]}
 */
export function boundary(bytes, { start, rows, columns }, rivals = []) {
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < values.length; i += 1) {
    values[i] = squared(bytes[start + i]) + 0.5;
    if (rivals.length) values[i] -= Math.max(...rivals.map((rival) => squared(bytes[rival.start + i])));
  }
  /** @type {number[]} */
  const found = [];
  for (let y = 0; y + 1 < rows; y += 1) {
    for (let x = 0; x + 1 < columns; x += 1) {
      const at = y * columns + x;
      const [a, b, c, d] = [values[at], values[at + 1], values[at + columns + 1], values[at + columns]];
      const above = (a > 0 ? 1 : 0) + (b > 0 ? 2 : 0) + (c > 0 ? 4 : 0) + (d > 0 ? 8 : 0);
      if (above === 0 || above === 15) continue;
      const cuts = [];
      if (a > 0 !== b > 0) cuts.push([x + a / (a - b), y]);
      if (b > 0 !== c > 0) cuts.push([x + 1, y + b / (b - c)]);
      if (d > 0 !== c > 0) cuts.push([x + d / (d - c), y + 1]);
      if (a > 0 !== d > 0) cuts.push([x, y + a / (a - d)]);
      for (let k = 0; k + 1 < cuts.length; k += 2) found.push(...cuts[k], ...cuts[k + 1]);
    }
  }
  return found;
}

/**
 * A map, scaled to a square of the picture: smoothly, or pixel by pixel.
 * @param {Brush} brush @param {Brush} small @param {Int8Array} bytes @param {Place} place @param {number} x @param {number} y @param {number} side @param {boolean} [smooth]
 */
export function stamp(brush, small, bytes, place, x, y, side, smooth = true) {
  paint(small, bytes, place);
  brush.imageSmoothingEnabled = smooth;
  // the outer points of a grid lie on the edge of the plane: half a cell is left out all around
  const out = smooth ? 0.5 : 0;
  brush.drawImage(small.canvas, out, out, place.columns - 2 * out, place.rows - 2 * out, x, y, side, side);
}
