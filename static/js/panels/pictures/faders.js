// What the mixing board computes: one fader for each entry of each parameter, its reach, and the arrow of its gradient.

import { toNumber } from "../../format.js";

/** @import {ArrayData, Graph, Nodes} from "../../types.js" */

/** @typedef {{node: string, label: string, index: number[]}} Fader */

const RESTING = 2; // reach of a fader whose weights are small

/** @param {number[]} shape @returns {number[][]} */
const places = (shape) => shape.reduce((found, n) => found.flatMap((at) => Array.from({ length: n }, (_, i) => [...at, i])), /** @type {number[][]} */ ([[]]));

/** All faders of a model. @param {Graph} graph @returns {Fader[]} */
export const fadersOf = (graph) => graph.nodes.filter((n) => n.kind === "parameter").flatMap((n) => places(n.shape).map((index) => ({
  node: n.name, index, label: n.shape.every((size) => size === 1) ? n.label : `${n.label}[${index.join(", ")}]` })));

/** One entry of an array. @param {ArrayData | null | undefined} array @param {number[]} index */
export const entry = (array, index) => (array && array.data !== null ? toNumber(index.reduce((part, i) => part?.[i], array.data)) : NaN);

/** The same nested numbers with one changed. @param {any} data @param {number[]} index @param {number} value @returns {any} */
export const replaced = (data, index, value) => (index.length === 0 ? value : data.map((/** @type {any} */ part, /** @type {number} */ i) => (i === index[0] ? replaced(part, index.slice(1), value) : part)));

/** How far the faders reach to both sides: a round number with room above the largest weight, and never less than before. @param {number[]} values @param {number} before */
export function reachOf(values, before) {
  const most = values.filter(Number.isFinite).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  if (before >= most && before > 0) return before;
  const wanted = Math.max(RESTING, 1.5 * most);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((m) => m * power).find((size) => size >= wanted * 0.999) ?? 10 * power;
}

/**
 * The arrows: downhill, so against the gradient; the steepest is 1 long, the others by the root of their share, so that small
 * ones are still seen.
 * @param {number[]} grads @returns {(number | null)[]} from −1 to 1, upward positive; null where no gradient is known
 */
export function arrowsOf(grads) {
  const most = grads.filter(Number.isFinite).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  return grads.map((g) => (!Number.isFinite(g) ? null : most === 0 ? 0 : -Math.sign(g) * Math.sqrt(Math.abs(g) / most)));
}

/** Values and gradients of all faders. @param {Fader[]} faders @param {Nodes} nodes */
export const readings = (faders, nodes) => ({
  values: faders.map(({ node, index }) => entry(nodes[node]?.value, index)),
  grads: faders.map(({ node, index }) => entry(nodes[node]?.grad, index)),
});
