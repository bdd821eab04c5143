import assert from "node:assert/strict";
import { test } from "node:test";

import { breaks, reference } from "../../static/js/mathml.js";

test("a reference tells its key and its role", () => {
  assert.deepEqual(reference("ref r12 grad"), { key: "r12", role: "grad" });
  assert.deepEqual(reference("ref r0"), { key: "r0", role: "value" });
  assert.equal(reference("upstream"), null);
  assert.equal(reference("ref"), null);
});

test("a line breaks before its relations, and what stands before the first is dropped", () => {
  assert.deepEqual(breaks([false, true, false, false, true, false]), [[1, 4], [4, 6]]);
  assert.deepEqual(breaks([true, false]), [[0, 2]]);
  assert.deepEqual(breaks([false, false]), [[0, 2]]);
});
