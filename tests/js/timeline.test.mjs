import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, boundaries, createTimeline, walk, walkPhases } from "../../static/js/timeline.js";

const array = (x) => ({ shape: [], dtype: "float64", data: x, min: x, max: x, mean: x, norm: Math.abs(x), nonfinite: 0 });
const node = (name, value, grad = null) => ({ name, value: value === null ? null : array(value), grad, state: {} });
const frame = (index, writes) => ({ index, writes });
const plan = ["data", "forward", "forward", "backward"].map((phase, index) => ({ index, phase, node: null, label: "" }));

test("a frame's writes make a new state and share the rest", () => {
  const before = { a: node("a", 1), b: node("b", 2) };
  const after = apply(before, frame(0, [{ node: "a", slot: "value", value: array(5) }]));
  assert.equal(after.a.value.data, 5);
  assert.equal(before.a.value.data, 1);
  assert.equal(after.b, before.b);
  const emptied = apply({ a: { ...node("a", 1), grad: array(3) } }, frame(1, [{ node: "a", slot: "grad", value: null }]));
  assert.equal(emptied.a.grad, null);
  assert.equal(apply(before, frame(2, [{ node: "a", slot: "exp_avg", value: array(7) }])).a.state.exp_avg.data, 7);
});

test("walking crosses the seam between iterations and stops at the beginning", () => {
  const of = () => 4;
  assert.deepEqual(walk({ iteration: 0, step: 3 }, 1, of), { iteration: 0, step: 4 });
  assert.deepEqual(walk({ iteration: 0, step: 4 }, 1, of), { iteration: 1, step: 1 });
  assert.deepEqual(walk({ iteration: 1, step: 0 }, -1, of), { iteration: 0, step: 3 });
  assert.deepEqual(walk({ iteration: 0, step: 1 }, -5, of), { iteration: 0, step: 0 });
  assert.deepEqual(walk({ iteration: 0, step: 0 }, 9, of), { iteration: 2, step: 1 });
});

test("phases end where the next one begins", () => {
  assert.deepEqual(boundaries(plan), [0, 1, 3, 4]);
  assert.deepEqual(walkPhases({ iteration: 0, step: 1 }, 1, plan), { iteration: 0, step: 3 });
  assert.deepEqual(walkPhases({ iteration: 0, step: 4 }, 1, plan), { iteration: 1, step: 1 });
  assert.deepEqual(walkPhases({ iteration: 0, step: 2 }, -1, plan), { iteration: 0, step: 1 });
  assert.deepEqual(walkPhases({ iteration: 1, step: 0 }, -1, plan), { iteration: 0, step: 3 });
});

test("a moment is a known state plus the frames since", () => {
  const t = createTimeline(() => 4);
  assert.deepEqual(t.lacks({ iteration: 0, step: 2 }), { iteration: 0, state: 0, start: 0, stop: 4 });
  t.putState(0, 0, { a: node("a", 0) });
  t.putFrames(0, [1, 2, 3, 4].map((x, i) => frame(i, [{ node: "a", slot: "value", value: array(x) }])));
  assert.equal(t.lacks({ iteration: 0, step: 2 }), null);
  assert.equal(t.at({ iteration: 0, step: 2 }).a.value.data, 2);
  assert.equal(t.at({ iteration: 0, step: 0 }).a.value.data, 0);
  assert.equal(t.frameAt({ iteration: 0, step: 2 }).index, 1);
  assert.equal(t.at({ iteration: 1, step: 0 }), t.at({ iteration: 0, step: 4 }));
  assert.equal(t.frameAt({ iteration: 1, step: 0 }).index, 3);
});

test("the next iteration only lacks its frames", () => {
  const t = createTimeline(() => 2);
  t.putState(0, 0, { a: node("a", 0) });
  t.putFrames(0, [frame(0, []), frame(1, [])]);
  assert.deepEqual(t.lacks({ iteration: 1, step: 1 }), { iteration: 1, state: null, start: 0, stop: 2 });
});

test("an edit stands between two iterations", () => {
  const t = createTimeline(() => 1, { edited: (iteration) => iteration === 1 });
  t.putState(0, 0, { a: node("a", 0) });
  t.putFrames(0, [frame(0, [])]);
  assert.equal(t.at({ iteration: 1, step: 0 }), null);
  assert.equal(t.lacks({ iteration: 1, step: 1 }).state, 0);
});

test("a long plan is fetched window by window, forwards and backwards", () => {
  const t = createTimeline(() => 10, { window: 4 });
  assert.deepEqual(t.lacks({ iteration: 0, step: 7 }), { iteration: 0, state: 4, start: 4, stop: 8 });
  t.putState(0, 4, { a: node("a", 4) });
  t.putFrames(0, [4, 5, 6, 7].map((i) => frame(i, [{ node: "a", slot: "value", value: array(i + 1) }])));
  assert.equal(t.at({ iteration: 0, step: 8 }).a.value.data, 8);
  assert.deepEqual(t.lacks({ iteration: 0, step: 9 }), { iteration: 0, state: null, start: 8, stop: 10 });
  assert.deepEqual(t.lacks({ iteration: 0, step: 4 }), { iteration: 0, state: 0, start: 0, stop: 4 });
});

test("an edit forgets its iteration and the future; old iterations are forgotten in time", () => {
  const t = createTimeline(() => 1, { keep: 2 });
  for (const i of [0, 1, 2]) t.putState(i, 0, { a: node("a", i) });
  assert.equal(t.at({ iteration: 0, step: 0 }), null);
  t.forget(2);
  assert.equal(t.at({ iteration: 2, step: 0 }), null);
  assert.equal(t.at({ iteration: 1, step: 0 }).a.value.data, 1);
});

test("of a long iteration only some states are remembered, and every one can be had again", () => {
  const of = 2000;
  const t = createTimeline(() => of, { window: 50 });
  t.putState(0, 0, { a: node("a", 0), b: node("b", -1) });
  t.putFrames(0, Array.from({ length: of }, (_, i) => frame(i, [{ node: "a", slot: "value", value: array(i + 1) }])));
  const first = t.at({ iteration: 0, step: 120 });
  for (let step = 1; step <= of; step++) assert.equal(t.at({ iteration: 0, step }).a.value.data, step);
  const again = t.at({ iteration: 0, step: 120 });
  assert.notEqual(again, first, "forgotten meanwhile");
  assert.deepEqual(again, first);
  assert.equal(again.b, first.b, "what no frame wrote is shared");
  for (const i of [1, 2, 3, 4]) t.putFrames(i, Array.from({ length: of }, (_, k) => frame(k, [])));
  assert.equal(t.frame(0, 5), null, "long iterations are forgotten sooner");
  assert.notEqual(t.frame(2, 5), null);
});
