// What the mixing board computes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { arrowsOf, entry, fadersOf, reachOf, readings, replaced } from "../../static/js/panels/pictures/faders.js";

/** @param {string} name @param {number[]} shape @param {string} [kind] @returns {any} */
const node = (name, shape, kind = "parameter") => ({ name, label: name, shape, kind });
/** @param {any} data @returns {any} */
const array = (data) => ({ data, shape: [], dtype: "float64", min: 0, max: 0, mean: 0, norm: 0, nonfinite: 0 });

test("every entry of every parameter has a fader, and no other number", () => {
  const faders = fadersOf(/** @type {any} */ ({ nodes: [node("W", [2, 2]), node("x", [3], "input"), node("b", []), node("c", [1])] }));
  assert.deepEqual(faders.map(({ label }) => label), ["W[0, 0]", "W[0, 1]", "W[1, 0]", "W[1, 1]", "b", "c"]);
  const told = readings(faders, /** @type {any} */ ({ W: { value: array([[1, 2], [3, 4]]), grad: null }, b: { value: array(5), grad: array("NaN") }, c: { value: array([6]), grad: array([-1]) } }));
  assert.deepEqual(told.values, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(told.grads.map((g) => (Number.isNaN(g) ? null : g)), [null, null, null, null, null, -1]);
});

test("one entry is replaced, the others stay", () => {
  const before = [[1, 2], [3, 4]];
  assert.deepEqual(replaced(before, [1, 0], 9), [[1, 2], [9, 4]]);
  assert.deepEqual(before, [[1, 2], [3, 4]]);
  assert.equal(replaced(5, [], 7), 7);
  assert.equal(entry(array(null), [0]), NaN);
});

test("arrows point downhill; the steepest is the longest, small ones are still seen", () => {
  const [a, b, c, d] = arrowsOf([-2, 0.5, 0, NaN]);
  assert.equal(a, 1);
  assert.equal(b, -0.5);
  assert.ok(c === 0 || Object.is(c, -0));
  assert.equal(d, null);
  assert.deepEqual(arrowsOf([0, 0]), [0, 0]);
});

test("the faders' reach leaves room, is round, and never shrinks under a hand", () => {
  assert.equal(reachOf([0, 0.3], 0), 2);
  assert.equal(reachOf([3], 0), 5);
  assert.equal(reachOf([1], 5), 5);
  assert.equal(reachOf([7], 5), 20);
  assert.equal(reachOf([NaN], 0), 2);
});
