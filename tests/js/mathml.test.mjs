import assert from "node:assert/strict";
import { test } from "node:test";

import { reference } from "../../static/js/mathml.js";

test("a reference tells its key and its role", () => {
  assert.deepEqual(reference("ref r12 grad"), { key: "r12", role: "grad" });
  assert.deepEqual(reference("ref r0"), { key: "r0", role: "value" });
  assert.equal(reference("upstream"), null);
  assert.equal(reference("ref"), null);
});
