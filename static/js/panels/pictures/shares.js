// The arithmetic of paths and distributions: what came back along each path of a residual, and where values lie before
// and after a norm.

import { toNumber } from "../../format.js";

/** @import {ArrayData, Nodes} from "../../types.js" */

/** All numbers of an array in one row. @param {ArrayData | null | undefined} array @returns {number[] | null} */
export function flat(array) {
  if (!array || array.data === null) return null;
  return [array.data].flat(Infinity).map(toNumber);
}

/**
 * A block y = x + f(x): the way around passes ∂y on as it is; what else stands in ∂x came through f.
 * @param {Nodes} nodes @param {{sum: string, from: string}} block @param {boolean} whole  both ways have been gone
 */
export function sharesOf(nodes, { sum, from }, whole) {
  const around = flat(nodes[sum]?.grad);
  const total = flat(nodes[from]?.grad);
  if (!around) return { around: null, through: null, total: null, share: null };
  const [a] = [Math.hypot(...around)];
  if (!whole || !total || total.length !== around.length) return { around: a, through: null, total: null, share: null };
  const b = Math.hypot(...total.map((t, i) => t - around[i]));
  return { around: a, through: b, total: Math.hypot(...total), share: a + b > 0 ? a / (a + b) : null };
}

/** @param {number[]} values */
export function moments(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  return { mean, deviation };
}

/**
 * The values that a norm takes together: those that share all indices but the axes that it averages over.
 * @param {ArrayData | null | undefined} array @param {number[]} axes @param {number} group  which of them
 * @returns {number[] | null}
 */
export function groupOf(array, axes, group) {
  const values = flat(array);
  if (!values || !array) return null;
  const rank = array.shape.length;
  const averaged = new Set(axes.map((axis) => (axis + rank) % rank));
  return values.filter((_, i) => {
    let rest = i;
    let own = 0;
    let weight = 1;
    for (let axis = rank - 1; axis >= 0; axis--) {
      const index = rest % array.shape[axis];
      rest = Math.floor(rest / array.shape[axis]);
      if (averaged.has(axis)) continue;
      own += index * weight;
      weight *= array.shape[axis];
    }
    return own === group;
  });
}

/** How many groups there are. @param {number[]} shape @param {number[]} axes */
export function groups(shape, axes) {
  const averaged = new Set(axes.map((axis) => (axis + shape.length) % shape.length));
  return shape.reduce((count, n, axis) => (averaged.has(axis) ? count : count * n), 1);
}

/** How many values lie in each of so many equal bins. @param {number[]} values @param {number} low @param {number} high @param {number} bins */
export function histogram(values, low, high, bins) {
  const counts = Array(bins).fill(0);
  for (const v of values) {
    if (!Number.isFinite(v)) continue;
    counts[Math.max(0, Math.min(bins - 1, Math.floor(((v - low) / (high - low || 1)) * bins)))] += 1;
  }
  return counts;
}
