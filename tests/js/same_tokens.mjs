// Reads [{name, before, after}] from its input and says in which pairs the two scripts differ by more than comments and
// blanks. Run by tests/test_slim.py.

import { readFileSync } from "node:fs";

import { tokenize } from "espree";

/** Kind, text and line of each token: a moved line would show in the browser's messages. */
const tokens = (text) =>
  tokenize(text, { ecmaVersion: 2024, sourceType: "module", loc: true }).map(
    ({ type, value, loc }) => `${loc.start.line} ${type} ${value}`,
  );

let different = 0;
for (const { name, before, after } of JSON.parse(readFileSync(0, "utf8"))) {
  const [was, is] = [tokens(before), tokens(after)];
  const at = was.findIndex((token, i) => token !== is[i]);
  if (at >= 0 || was.length !== is.length) {
    different += 1;
    console.log(`${name}: ${was[at]} became ${is[at]}`);
  }
}
process.exitCode = different ? 1 : 0;
