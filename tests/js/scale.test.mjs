import assert from "node:assert/strict";
import { test } from "node:test";

import {
  decades, inkOn, linear, logarithmic, path, sign, signColour, thin, ticks,
} from "../../static/js/scale.js";

test("zero is near white and both ends are the sign colours", () => {
  assert.deepEqual(sign(0, 1), [247, 247, 247]);
  assert.deepEqual(sign(-1, 1), [117, 32, 23]);
  assert.deepEqual(sign(5, 1), [37, 52, 150]);
  assert.equal(signColour(1, 1), "rgb(37 52 150)");
});

test("a scale without size, and what is no number, is zero's colour", () => {
  assert.deepEqual(sign(1, 0), [247, 247, 247]);
  assert.deepEqual(sign(Number.NaN, 1), [247, 247, 247]);
});

test("ink is dark on light cells and light on dark cells", () => {
  assert.equal(inkOn(sign(0, 1)), "#000000");
  assert.equal(inkOn(sign(1, 1)), "#ffffff");
  assert.equal(inkOn(sign(-1, 1)), "#ffffff");
});

test("ticks are round and inside", () => {
  assert.deepEqual(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(-3, 3, 3), [-2, 0, 2]);
  assert.deepEqual(ticks(2, 2), [2]);
});

test("decades are thinned", () => {
  assert.deepEqual(decades(0.01, 10), [0.01, 0.1, 1, 10]);
  assert.ok(decades(1e-30, 1e30, 6).length <= 7);
});

test("maps reach both ends", () => {
  assert.equal(linear(0, 10, 100, 0)(10), 0);
  assert.equal(linear(4, 4, 0, 10)(4), 5);
  assert.equal(logarithmic(0.1, 10, 0, 100)(1), 50);
  assert.equal(logarithmic(0.1, 10, 0, 100)(-5), 0);
});

test("thinning keeps ends and spikes", () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i === 617 ? 99 : 1));
  const kept = thin(values, 50);
  assert.ok(kept.length <= 102);
  assert.ok(kept.includes(617));
  assert.equal(kept[0], 0);
  assert.equal(kept.at(-1), 999);
});

test("a path breaks where there is no number", () => {
  assert.equal(path([[0, 0], [1, Number.NaN], [2, 2], [3, 3]]), "M0.0 0.0M2.0 2.0L3.0 3.0");
});
