import assert from "node:assert/strict";
import { test } from "node:test";

import { admitsAttribute, admitsElement, reference } from "../../static/js/mathml.js";

test("presentation MathML passes, everything else stays outside", () => {
  for (const name of ["math", "mrow", "mfrac", "msubsup", "mtable"]) assert.ok(admitsElement(name));
  for (const name of ["script", "img", "annotation-xml", "maction", "a", "style"]) {
    assert.ok(!admitsElement(name), name);
  }
});

test("no attribute that runs, loads or styles passes", () => {
  for (const name of ["onclick", "href", "src", "style", "xlink:href", "id"]) {
    assert.ok(!admitsAttribute(name), name);
  }
  assert.ok(admitsAttribute("class"));
});

test("a reference tells its key and its role", () => {
  assert.deepEqual(reference("ref r12 grad"), { key: "r12", role: "grad" });
  assert.deepEqual(reference("ref r0"), { key: "r0", role: "value" });
  assert.equal(reference("upstream"), null);
  assert.equal(reference("ref"), null);
});
