// The U of a measured slope's error: its best step, and where it is drawn.

import assert from "node:assert/strict";
import { test } from "node:test";
import { directions } from "../../static/js/panels/forward_plan.js";
import { bestOf, places } from "../../static/js/panels/ways.js";

const sweep = { epsilon: [1e-1, 1e-5, 1e-10], one_sided: [1e-1, 1e-5, null], central: [1e-2, 1e-10, 1e-6] };

test("the best step is the one with the smallest error", () => {
  assert.deepEqual(bestOf(sweep.epsilon, sweep.central), { epsilon: 1e-5, error: 1e-10 });
  assert.equal(bestOf(sweep.epsilon, [null, "NaN", null]), null);
  assert.equal(bestOf([1e-1], [0])?.error, 1e-17);
});

test("large steps stand right, large errors above, powers of ten evenly", () => {
  const { x, y, low, high } = places(sweep);
  assert.ok(low <= -10 && high >= 0);
  assert.ok(x(1e-1) > x(1e-5) && x(1e-5) > x(1e-10));
  assert.ok(y(1e-2) < y(1e-6));
  assert.ok(Math.abs(y(1e-2) - y(1e-4) - (y(1e-6) - y(1e-8))) < 1e-9);
});

test("forward mode has a direction for every number of every parameter", () => {
  /** @type {any} */
  const graph = { nodes: [{ name: "x", kind: "input", shape: [2], label: "x" }, { name: "0.weight", kind: "parameter", shape: [1, 2], label: "W₁" }, { name: "b", kind: "parameter", shape: [], label: "b" }] };
  assert.deepEqual(directions(graph).map(({ node, index, label }) => [node, index, label]), [["0.weight", [0, 0], "W₁[0, 0]"], ["0.weight", [0, 1], "W₁[0, 1]"], ["b", [], "b"]]);
});
