// What the panel of other plans computes before it draws.

import assert from "node:assert/strict";
import { test } from "node:test";
import { branches } from "../../static/js/panels/order_switch.js";
import { aligned, largestOf, size } from "../../static/js/panels/plans.js";

/** @param {string[]} phases @param {number[]} bytes @returns {any} */
const series = (phases, bytes) => ({ phases, bytes, nodes: [], peak: Math.max(...bytes), peak_at: 0 });

test("the plain plan stands still while values are released and recomputed", () => {
  const plan = series(["data", "forward", "release", "loss", "recompute", "backward"], [0, 8, 0, 8, 16, 0]);
  const plain = series(["data", "forward", "loss", "backward"], [0, 8, 16, 0]);
  assert.deepEqual(aligned(plan, plain), [0, 8, 8, 16, 16, 0]);
});

test("the largest entry of an array is found with its place", () => {
  assert.deepEqual(largestOf([[1, -3], [2, 0]]), { index: [0, 1], value: -3 });
  assert.deepEqual(largestOf(4), { index: [], value: 4 });
});

test("the order of the way back matters where a computed value has several uses", () => {
  const nodes = ["a", "b", "c"].map((name) => ({ name, kind: name === "a" ? "parameter" : "op", requires_grad: true }));
  const edge = (/** @type {string} */ from, /** @type {string} */ to, slot = 0) => ({ from, to, slot });
  const graph = (/** @type {object[]} */ ...edges) => /** @type {any} */ ({ nodes, edges });
  assert.equal(branches(graph(edge("a", "b"), edge("a", "b", 1), edge("b", "c"))), false);
  assert.equal(branches(graph(edge("a", "b"), edge("b", "c"), edge("b", "c", 1))), true);
});

test("bytes are said as people say them", () => {
  assert.deepEqual([56, 1500, 2e6].map(size), ["56 B", "1.5 kB", "2 MB"]);
});
