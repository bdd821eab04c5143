import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { number } from "../../static/js/format.js";

const table = new URL("../data/numbers.json", import.meta.url);

test("the page writes numbers as the server does", () => {
  for (const [x, digits, text] of JSON.parse(readFileSync(table, "utf8")).cases) {
    assert.equal(number(x, digits), text, `${x} to ${digits} digits`);
  }
});
