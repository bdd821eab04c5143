import assert from "node:assert/strict";
import { test } from "node:test";

import { csv } from "../../static/js/download.js";

test("columns become CSV: all digits, quotes where needed, gaps where a column is shorter", () => {
  assert.equal(csv({ iteration: [0, 1, 2], "η 0.1, plain": [0.1, 1 / 3, "NaN"], short: [5] }),
    'iteration,"η 0.1, plain",short\r\n0,0.1,5\r\n1,0.3333333333333333,\r\n2,NaN,\r\n');
  assert.equal(csv({ a: ['say "hi"'] }), 'a\r\n"say ""hi"""\r\n');
  assert.equal(csv({}), "\r\n");
});
