// How an array's nested lists are read: as a plane of rows and columns, by index, and how far its numbers reach.

import { toNumber } from "../format.js";

/** @import {ArrayData} from "../types.js" */

const WRAP = 32; // numbers of a vector in one row

/**
 * The last two axes as a plane; vectors become one row, long ones wrap.
 * @param {number[]} shape
 * @returns {{rows: number, cols: number, count: number, leading: number[], wraps: boolean}}
 */
export function plane(shape) {
  const leading = shape.slice(0, -2);
  if (shape.length === 1) {
    const count = shape[0];
    const wraps = count > WRAP;
    return { rows: wraps ? Math.ceil(count / WRAP) : 1, cols: wraps ? WRAP : count, count, leading, wraps };
  }
  const [rows, cols] = shape.slice(-2);
  return { rows, cols, count: rows * cols, leading, wraps: false };
}

/**
 * The index in the array of a cell of the plane; null in the empty rest of a wrapped vector.
 * @param {number[]} shape @param {number[]} fixed  the leading axes @param {number} row @param {number} col
 * @returns {number[] | null}
 */
export function indexOf(shape, fixed, row, col) {
  const { cols, count } = plane(shape);
  if (row * cols + col >= count) return null;
  return shape.length === 1 ? [row * cols + col] : [...fixed, row, col];
}

/** @param {any} data nested lists @param {number[]} index */
export const at = (data, index) => index.reduce((part, i) => part?.[i], data);

/** The colour scale's reach: the largest finite size. @param {Pick<ArrayData, "min" | "max">} array */
export function reach(array) {
  const sizes = [toNumber(array.min), toNumber(array.max)].map(Math.abs).filter(Number.isFinite);
  return sizes.length ? Math.max(...sizes) : 0;
}
