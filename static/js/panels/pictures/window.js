// The arithmetic of a sliding window: which cells it covers, the products of a convolution, the cell that a max-pool
// takes, and the kernel's gradient as the same windows gather it. Sequences count as images of one row.

import { toNumber } from "../../format.js";

/** @import {ArrayData, GraphNode, Num} from "../../types.js" */
/** @typedef {[number, number]} Pair  row and column */
/** @typedef {{size: Pair, stride: Pair, padding: Pair}} Window */
/** @typedef {{tap: Pair, at: Pair, inside: boolean}} Covered */
/** @typedef {number[][]} Plane */

export const SLIDING = new Set("conv1d conv2d max_pool1d max_pool2d avg_pool1d avg_pool2d".split(" "));

/** The window of an op; one that is not sliding works cell by cell. @param {GraphNode} node @param {GraphNode | undefined} weight @returns {Window} */
export function windowOf(node, weight) {
  const flat = node.op.endsWith("1d");
  /** @param {number | Pair} n @param {number} rest @returns {Pair} */
  const pair = (n, rest) => (Array.isArray(n) ? n : flat ? [rest, n] : [n, n]);
  if (!SLIDING.has(node.op)) return { size: [1, 1], stride: [1, 1], padding: [0, 0] };
  const { kernel_size, stride, padding = 0 } = node.attrs ?? {};
  if (!node.op.startsWith("conv")) return { size: pair(kernel_size, 1), stride: pair(stride ?? kernel_size, 1), padding: pair(padding, 0) };
  const shape = weight?.shape.slice(2) ?? [1, 1];
  return { size: flat ? [1, shape[0]] : [shape[0], shape[1]], stride: pair(stride ?? 1, 1), padding: pair(padding, 0) };
}

/** The cells under the window at a place of the output, row by row. @param {Pair} place @param {Window} window @param {Pair} image  its rows and columns @returns {Covered[]} */
export function covered([row, col], { size, stride, padding }, [rows, cols]) {
  /** @type {Covered[]} */
  const found = [];
  for (let i = 0; i < size[0]; i++) {
    for (let j = 0; j < size[1]; j++) {
      /** @type {Pair} */
      const at = [row * stride[0] - padding[0] + i, col * stride[1] - padding[1] + j];
      found.push({ tap: [i, j], at, inside: at[0] >= 0 && at[0] < rows && at[1] >= 0 && at[1] < cols });
    }
  }
  return found;
}

/** One channel of one sample as rows of numbers. @param {ArrayData | null | undefined} array @param {number[]} lead @returns {Plane | null} */
export function planeOf(array, lead) {
  if (!array?.data) return null;
  const part = lead.reduce((inner, i) => inner?.[i], array.data);
  if (!Array.isArray(part)) return null;
  const rows = Array.isArray(part[0]) ? part : [part];
  return rows.map((/** @type {Num[]} */ row) => row.map(toNumber));
}

/** @param {Plane} image @param {Covered} cell  0 outside: the padding */
export const under = (image, { at, inside }) => (inside ? image[at[0]][at[1]] : 0);

/** The products of one window. @param {Plane} image @param {Plane} kernel @param {Covered[]} cells */
export function products(image, kernel, cells) {
  const terms = cells.map((cell) => ({ x: under(image, cell), w: kernel[cell.tap[0]][cell.tap[1]] }));
  return { terms, sum: terms.reduce((sum, { x, w }) => sum + x * w, 0) };
}

/** The first of the largest cells; the padding never counts. @param {Plane} image @param {Covered[]} cells @returns {Covered | null} */
export function largest(image, cells) {
  return cells.reduce((/** @type {Covered | null} */ best, cell) => (cell.inside && (best === null || under(image, cell) > under(image, best)) ? cell : best), null);
}

/**
 * The kernel's gradient when the windows up to place `until` of the last image have been gathered: Σ g · window.
 * @param {Plane[]} images @param {Plane[]} upstream  one of each a sample @param {Window} window @param {number} until  how many places of the last
 * @returns {Plane}
 */
export function gathered(images, upstream, window, until) {
  const sum = Array.from({ length: window.size[0] }, () => Array(window.size[1]).fill(0));
  images.forEach((image, n) => {
    const cols = upstream[n][0].length;
    const places = n === images.length - 1 ? until : upstream[n].length * cols;
    for (let p = 0; p < places; p++) {
      /** @type {Pair} */
      const place = [Math.floor(p / cols), p % cols];
      for (const cell of covered(place, window, [image.length, image[0].length])) {
        sum[cell.tap[0]][cell.tap[1]] += upstream[n][place[0]][place[1]] * under(image, cell);
      }
    }
  });
  return sum;
}

/** The place whose window lies best under a point of the image, in cells. @param {Pair} point @param {Window} window @param {Pair} places @returns {Pair} */
export function nearest(point, { size, stride, padding }, places) {
  const along = (/** @type {0 | 1} */ axis) =>
    Math.max(0, Math.min(places[axis] - 1, Math.round((point[axis] + padding[axis] - size[axis] / 2) / stride[axis])));
  return [along(0), along(1)];
}
