// What the Health picture computes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { mapColumns } from "../../static/js/panels/pictures/health_file.js";
import { decadesAround, ladderOf, ladderSays, middleOf, nearestLook, overTime, ratiosOf } from "../../static/js/panels/pictures/health_scales.js";

/** @param {any[]} deltas @param {any[]} [ratios] @returns {any} */
const layers = (deltas, ratios = []) => deltas.map((delta, i) => ({ node: `${i}`, label: `W${i}`, layer: null, output: null, looks: [{ delta, step: 7, update_ratio: ratios[i] ?? null, outputs: null, sizes: null }] }));

test("the ladder tells what a layer does to the gradient", () => {
  const ladder = ladderOf(layers([1e-6, 1e-4, 1e-2]), 0);
  assert.ok(Math.abs(ladder.ratio - 1e-4) < 1e-12 && Math.abs(ladder.factor - 0.01) < 1e-9);
  const shares = ladder.rungs.map(({ share }) => share ?? -1);
  assert.ok(shares[0] > 0 && shares[1] > shares[0] && shares[2] > shares[1] && shares[2] <= 1);
  assert.equal(ladderSays(ladder), "Each layer multiplies the gradient by about 0.01; 1e−4 of the last layer's arrives at the first.");
});

test("a ladder without a rung, with one, with a broken one", () => {
  assert.equal(ladderSays(ladderOf(layers([null, null]), 0)), "No gradient has reached a layer yet.");
  assert.equal(ladderSays(ladderOf(layers([0.5]), 0)), "One layer: there is nothing to compare it with.");
  assert.equal(ladderSays(ladderOf(layers([0, 0.5]), 0)), "Nothing of the gradient arrives at the first layer.");
  assert.deepEqual(ladderOf(layers(["Infinity", 0.5]), 0).rungs.map(({ share }) => share === null), [true, false]);
});

test("the guide line is always in the picture", () => {
  const { span, moving } = ratiosOf(layers([1, 1], [0.5, 0.2]), 1e-3);
  assert.ok(span && span[0] <= 1e-3 && span[1] >= 0.5 && moving);
  assert.equal(ratiosOf(layers([1], [0]), 1e-3).moving, false);
  assert.equal(decadesAround([0, NaN]), null);
});

test("histograms over time are shares of their column's fullest bin", () => {
  const look = (/** @type {any} */ counts) => ({ sizes: counts && { low: -4, high: 0, counts } });
  const map = overTime(/** @type {any} */ ({ looks: [look([1, 2, 4, 0]), look(null), look([3, 0, 0, 0])] }), "sizes");
  assert.deepEqual(map, { low: -4, high: 0, bins: 4, columns: [[0.25, 0.5, 1, 0], null, [1, 0, 0, 0]] });
  assert.equal(middleOf({ low: -4, high: 0, counts: [1, 2, 4, 0] }), -1.5);
  assert.equal(middleOf({ low: 2, high: 2, counts: [9] }), 2);
});

test("the nearest look", () => {
  assert.deepEqual([0, 12, 19, 99].map((at) => nearestLook([0, 10, 20], at)), [0, 1, 2, 2]);
});

test("a file of the maps has a row for each bin that holds something", () => {
  const [layer] = layers([1]);
  layer.looks[0] = { ...layer.looks[0], outputs: { low: 0, high: 4, counts: [3, 0] }, sizes: { low: -2, high: 0, counts: [0, 5] } };
  assert.deepEqual(mapColumns({ iterations: [7], usual_step: 1e-3, usual_step_source: "", weights: 1, layers: [layer] }), {
    of: ["outputs W0", "log₁₀ |∂| ∂W0"], iteration: [7, 7], from: [0, -1], to: [2, 0], entries: [3, 5] });
});
