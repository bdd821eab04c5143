// What the Health picture computes: the ladder of gradients, the steps' sizes against their guide line, and histograms
// over time as shares.

import { number, toNumber } from "../../format.js";
import { logarithmic } from "../../scale.js";

/** @import {Num} from "../../types.js" */

/** @typedef {{low: Num, high: Num, counts: number[]}} Histogram */
/**
 * @typedef {object} Look
 * @property {Num} weight
 * @property {Num | null} gradient
 * @property {Num | null} delta  the size of the gradient that reaches the layer
 * @property {Num | null} update_ratio
 * @property {number | null} step
 * @property {Histogram | null} outputs
 * @property {Histogram | null} sizes
 */
/** @typedef {{node: string, label: string, layer: string | null, output: {node: string, label: string} | null, looks: Look[]}} Layer */
/** @typedef {{iterations: number[], usual_step: number, usual_step_source: string, weights: number, layers: Layer[]}} Vitals */

const ROOM = 0.1; // decades below the smallest number, so that it still has a height

/** The look nearest to an iteration. @param {number[]} iterations @param {number} iteration */
export const nearestLook = (iterations, iteration) =>
  iterations.reduce((best, at, i) => (Math.abs(at - iteration) < Math.abs(iterations[best] - iteration) ? i : best), 0);

/** Whole powers of ten around numbers, at least one wide; null where none is above 0. @param {number[]} values @returns {[number, number] | null} */
export function decadesAround(values) {
  const known = values.filter((v) => Number.isFinite(v) && v > 0);
  if (known.length === 0) return null;
  const low = Math.floor(Math.log10(known.reduce((a, b) => Math.min(a, b))) - ROOM);
  const high = Math.ceil(Math.log10(known.reduce((a, b) => Math.max(a, b))) - 1e-9);
  return [10 ** low, 10 ** Math.max(high, low + 1)];
}

/**
 * How large the gradient is that reaches each layer, from the first to the last, and what one layer does to it.
 * @param {Layer[]} layers @param {number} look
 */
export function ladderOf(layers, look) {
  const rungs = layers.map((layer) => ({ node: layer.node, label: layer.label, step: layer.looks[look]?.step ?? null, delta: toNumber(layer.looks[look]?.delta) }));
  const span = decadesAround(rungs.map(({ delta }) => delta));
  const share = span ? logarithmic(span[0], span[1], 0, 1) : () => 0;
  const [first, last] = [rungs[0]?.delta ?? NaN, rungs.at(-1)?.delta ?? NaN];
  const ratio = rungs.length > 1 && last > 0 && Number.isFinite(first) ? first / last : NaN;
  return {
    span,
    rungs: rungs.map((rung) => ({ ...rung, share: rung.delta > 0 && Number.isFinite(rung.delta) ? share(rung.delta) : null })),
    ratio,
    factor: ratio > 0 ? ratio ** (1 / (rungs.length - 1)) : NaN,
  };
}

/** The ladder in a sentence. @param {ReturnType<typeof ladderOf>} ladder */
export function ladderSays({ rungs, ratio, factor }) {
  if (!rungs.some(({ delta }) => delta > 0)) return "No gradient has reached a layer yet.";
  if (!Number.isFinite(ratio)) return "One layer: there is nothing to compare it with.";
  if (ratio === 0) return "Nothing of the gradient arrives at the first layer.";
  return `Each layer multiplies the gradient by about ${number(factor)}; ${number(ratio)} of the last layer's arrives at the first.`;
}

/** update : weight of each layer at every look. @param {Layer[]} layers @param {number} usual */
export function ratiosOf(layers, usual) {
  const lines = layers.map((layer) => ({ label: layer.label, values: layer.looks.map((look) => toNumber(look.update_ratio)) }));
  const span = decadesAround([usual, ...lines.flatMap(({ values }) => values)]);
  return { lines, span, moving: lines.some(({ values }) => values.some((v) => v > 0)) };
}

/**
 * A kind of histogram at all looks, as columns of shares: the fullest bin of a column is 1.
 * @param {Layer} layer @param {"outputs" | "sizes"} kind
 */
export function overTime(layer, kind) {
  const histograms = layer.looks.map((look) => look[kind]);
  const known = histograms.find((it) => it && it.counts.length > 0);
  const columns = histograms.map((it) => {
    const most = Math.max(0, ...(it?.counts ?? []));
    return most > 0 ? (it?.counts ?? []).map((n) => n / most) : null;
  });
  return { low: toNumber(known?.low), high: toNumber(known?.high), bins: Math.max(1, ...columns.map((c) => c?.length ?? 0)), columns };
}

/** Where the middle of a histogram lies. @param {Histogram | null | undefined} histogram */
export function middleOf(histogram) {
  if (!histogram || histogram.counts.length === 0) return NaN;
  const [low, high] = [toNumber(histogram.low), toNumber(histogram.high)];
  const half = histogram.counts.reduce((a, b) => a + b) / 2;
  let seen = 0;
  const bin = histogram.counts.findIndex((n) => (seen += n) >= half);
  return histogram.counts.length === 1 ? low : low + ((bin + 0.5) * (high - low)) / histogram.counts.length;
}
