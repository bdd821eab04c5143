import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../static/js/format.js";

test("three significant digits, and never a negative nothing", () => {
  const cases = [
    [0, "0"],
    [-0, "0"],
    [0.5, "0.5"],
    [0.50004, "0.500"],
    [0.6456563, "0.646"],
    [-0.0802, "−0.0802"],
    [-3.1e-5, "−3.1e−5"],
    [4e-4, "4e−4"],
    [0.1 + 0.2, "0.3"],
    [99.96, "100"],
    [999.7, "1000"],
    [1234.5, "1235"],
    [123456, "1.2e5"],
    [9, "9"],
    ["NaN", "NaN"],
    ["Infinity", "∞"],
    ["-Infinity", "−∞"],
  ];
  for (const [x, text] of cases) assert.equal(format.number(x), text, String(x));
});

test("sign has a shape", () => {
  assert.deepEqual([2, -2, 0, "NaN", "-Infinity"].map(format.signGlyph), ["▲", "▼", "", "", "▼"]);
  assert.equal(format.signed(0.25), "+0.25");
  assert.equal(format.signed(-0.25), "−0.25");
  assert.equal(format.signed(0), "0");
});

test("what a person types becomes a number or nothing", () => {
  const cases = [["−0.5", -0.5], [" 1e-3 ", 0.001], ["0,5", 0.5], [".5", 0.5], ["nan", "NaN"], ["-inf", "-Infinity"]];
  for (const [typed, value] of cases) assert.equal(format.parse(typed), value, typed);
  for (const typed of ["", "x", "1 2", "1e", "--1", "0x10", "1e999"]) assert.equal(format.parse(typed), null, typed);
});

test("all digits, shapes, counts", () => {
  assert.equal(format.full(-0.1), "−0.1");
  assert.equal(format.shape([2, 3]), "2 × 3");
  assert.equal(format.count(1234567), "1 234 567".replaceAll(" ", "\u202f"));
  assert.equal(format.percent(0.2287), "22.9 %");
});
