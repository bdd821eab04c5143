import assert from "node:assert/strict";
import { test } from "node:test";

import { iterationAt, lossHere, lossPicture } from "../../static/js/panels/chart.js";
import { finite, powersApart } from "../../static/js/panels/chart_large.js";
import { placeOf, rateOf, typed } from "../../static/js/panels/learning_rate.js";

const size = { width: 400, height: 100 };
const history = (train_loss) => ({ iteration: train_loss.map((_, i) => i), train_loss, validation_loss: [] });

test("a loss that falls by powers is drawn on a log axis, a flat one is not", () => {
  assert.ok(lossPicture(history([1, 0.1, 0.01, 0.001]), size).log);
  assert.ok(!lossPicture(history([1, 0.9, 0.8]), size).log);
  assert.ok(!lossPicture(history([100, 1, -5]), size).log);
});

test("what is not finite breaks the line and raises an alarm", () => {
  const d = lossPicture(history([1, 2, "Infinity", "NaN"]), size);
  assert.deepEqual(d.alarms, [2, 3]);
  assert.equal(d.line.match(/M/g).length, 1);
});

test("a run of one iteration, or of none, still has axes", () => {
  for (const values of [[], [3], [0], ["NaN"]]) {
    const d = lossPicture(history(values), size);
    assert.ok(Number.isFinite(d.x(0)) && d.yTicks.every(Number.isFinite), String(values));
  }
});

test("a place on the picture leads to the nearest iteration", () => {
  const runs = history([4, 3, 2, 1, 0.5]);
  assert.equal(iterationAt(runs, 0, 400), 0);
  assert.equal(iterationAt(runs, 399, 400), 4);
  assert.equal(iterationAt(runs, lossPicture(runs, size).x(2), 400), 2);
});

test("the slider gives rates that one can say", () => {
  assert.equal(rateOf(-1), 0.1);
  assert.equal(rateOf(-1.5), 0.032);
  assert.equal(placeOf(0.1), -1);
  assert.equal(placeOf(0), -5);
  assert.equal(placeOf(1e9), 1);
});

test("a typed rate is a number that is not negative", () => {
  assert.equal(typed("0,5"), 0.5);
  assert.equal(typed(" 1e-3 "), 0.001);
  assert.equal(typed("-1"), null);
  assert.equal(typed("fast"), null);
  assert.equal(typed(""), null);
});

test("the loss shown is the one where the page stands", () => {
  const plan = [{ phase: "forward", node: "z" }, { phase: "loss", node: "L" }];
  assert.equal(lossHere({ plan, nodes: { L: { value: { data: 0.5 } } } }), 0.5);
  assert.equal(lossHere({ plan, nodes: { L: { value: null } } }), null);
  assert.equal(lossHere({ plan: [], nodes: {} }), null);
});

test("a loss that falls through twenty powers of ten is not written twenty times over", () => {
  assert.equal(powersApart([9, 1e-19, 0, "NaN", null]), 3);
  assert.equal(powersApart([2, 0.5]), 1);
  assert.equal(powersApart([]), 1);
});

test("gaps in the large chart are nulls", () => {
  assert.deepEqual(finite([1, "NaN", null, "Infinity"]), [1, null, null, null]);
  assert.deepEqual(finite(undefined), []);
});
