import assert from "node:assert/strict";
import { test } from "node:test";

import { digitsFor, move, shapeText } from "../../static/js/panels/array_view.js";
import { at, indexOf, plane, reach } from "../../static/js/panels/arrays.js";
import { drawing, tangent } from "../../static/js/panels/curve.js";
import { entryName, worstFirst } from "../../static/js/panels/gradient_check.js";
import { arraysOf, fitted, roleOf } from "../../static/js/panels/inspector.js";
import { effectWords, latest, nudged, stepOf, wished, withEntry, writersOf } from "../../static/js/panels/edits.js";

const array = (shape, data) => ({ shape, dtype: "float64", data, min: -2, max: 1, mean: 0, norm: 1, nonfinite: 0 });

test("an array's last two axes make the plane, vectors lie down, long ones wrap", () => {
  assert.deepEqual(plane([2, 3]), { rows: 2, cols: 3, count: 6, leading: [], wraps: false });
  assert.deepEqual(plane([4, 2, 3]).leading, [4]);
  assert.equal(plane([5]).rows, 1);
  assert.equal(plane([70]).rows, 3);
  assert.deepEqual(indexOf([70], [], 2, 5), [69]);
  assert.equal(indexOf([70], [], 2, 6), null);
  assert.deepEqual(indexOf([4, 2, 3], [3], 1, 2), [3, 1, 2]);
});

test("cells hold as many digits as have room, or only colours", () => {
  const digits = (cols, value) => digitsFor({ rows: 2, cols }, () => value);
  assert.equal(digits(3, -0.00123), 3);
  assert.equal(digits(4, -0.00123), 2, "−0.0012");
  assert.equal(digits(6, -0.00123), 0);
  assert.equal(digits(5, 0.5), 3);
  assert.equal(digits(7, 1), 0);
});

test("arrow keys stay inside, other keys mean something else", () => {
  const size = plane([70]);
  assert.deepEqual(move([0, 0], "ArrowLeft", size), [0, 0]);
  assert.deepEqual(move([1, 31], "ArrowDown", size), [1, 31]);
  assert.deepEqual(move([0, 3], "End", size), [0, 31]);
  assert.equal(move([0, 0], "a", size), null);
});

test("an entry is found by its index, and the scale reaches the larger side", () => {
  assert.equal(at([[1, 2], [3, 4]], [1, 0]), 3);
  assert.equal(reach(array([2], [1, -2])), 2);
  assert.equal(reach({ ...array([1], ["NaN"]), min: null, max: null }), 0);
  assert.equal(shapeText([]), "one number");
});

test("the slope's word stands where neither curve nor tangent runs", () => {
  const xs = Array.from({ length: 41 }, (_, i) => i / 4 - 5);
  const off = drawing({ x: -3, y: 0, slope: 0, xs, ys: xs.map((x) => Math.max(0, x)) });
  assert.deepEqual(off.corner, { below: false, rightmost: false, met: 0 }); // above the flat part, not on it
  const falls = drawing({ x: 0, y: 0, slope: -1, xs, ys: xs.map((x) => -x) });
  assert.deepEqual(falls.corner, { below: false, rightmost: true, met: 0 });
});

test("a tangent touches its point and stays inside the box", () => {
  const box = { left: -6, right: 6, low: 0, high: 1 };
  const ends = tangent({ x: 0, y: 0.5, slope: 0.25 }, box);
  assert.deepEqual(ends, [[-2, 0], [2, 1]]);
  assert.deepEqual(tangent({ x: 1, y: 0, slope: 0 }, box), [[-6, 0], [6, 0]]);
  assert.deepEqual(tangent({ x: Number.NaN, y: 0, slope: 1 }, box), []);
});

test("a curve with a point far outside is still drawn around the point", () => {
  const d = drawing({ x: 40, y: 40, slope: 1, xs: [-1, 0, 1], ys: [0, 0, 1] });
  assert.ok(d.point.every(Number.isFinite));
  assert.ok(d.point[0] <= d.frame.right);
});

test("a step's arrays are its contributions, else what it wrote; scalars are in the lines", () => {
  const frame = { contributions: [], writes: [{ node: "y", slot: "value", value: array([2], [1, 2]) },
    { node: "L", slot: "value", value: array([], 3) }, { node: "w", slot: "grad", value: null }] };
  assert.deepEqual(arraysOf(frame).map((a) => a.node), ["y"]);
  frame.contributions = [{ from: "y", to: "x", slot: 1, value: array([2], [1, 2]), first: true }];
  assert.deepEqual(arraysOf(frame).map((a) => [a.node, a.operand, a.slot]), [["x", 1, "grad"]]);
});

test("lines take their role's hue, and long formulas shrink before they scroll", () => {
  assert.equal(roleOf("contribution"), "grad");
  assert.equal(roleOf("update"), "update");
  assert.equal(roleOf("forward"), "value");
  assert.equal(fitted(100, 200), 1);
  assert.equal(fitted(200, 180), 0.9);
  assert.equal(fitted(900, 100), 0.7);
});

test("one entry of nested lists is changed, the rest is shared", () => {
  const before = [[1, 2], [3, 4]];
  const after = withEntry(before, [1, 0], 9);
  assert.deepEqual(after, [[1, 2], [9, 4]]);
  assert.equal(after[0], before[0]);
  assert.equal(withEntry(5, [], 6), 6);
});

test("arrow keys move by a tenth of a number's size, without binary dust", () => {
  assert.equal(stepOf(3), 0.1);
  assert.equal(stepOf(0), 0.1);
  assert.equal(stepOf(0.5), 0.01);
  assert.equal(nudged(0.1, 0.2), 0.3);
});

test("an edit's effect is put beside what the slope had said", () => {
  const curved = effectWords({ node: "w", before: 1, after: 0.29, predicted: -0.8, actual: -0.71 });
  assert.equal(curved.said, "slope said −0.8, it was −0.71");
  assert.match(curved.why, /\+0\.09.* is curvature/);
  assert.match(effectWords({ predicted: -0.1, actual: -0.1 }).why, /straight/);
  assert.match(effectWords({ predicted: 0, actual: 0 }).why, /does not feel/);
  assert.match(effectWords({ predicted: 1, actual: "NaN" }).why, /no longer/);
});

test("of the edits that wait for the server only the last is sent", async () => {
  const sent = [];
  let finish;
  const send = latest((x) => {
    sent.push(x);
    return new Promise((resolve) => { finish = resolve; });
  });
  send(1);
  send(2);
  send(3);
  finish();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(sent, [1, 3]);
});

test("the worst entries of a gradient check come first", () => {
  const entries = [{ node: "a", index: [], ok: true, relative_error: 1e-9 }, { node: "b", index: [0, 1], ok: false, relative_error: 0.1 },
    { node: "c", index: [2], ok: true, relative_error: 1e-7 }];
  assert.deepEqual(worstFirst(entries).map(entryName), ["b[0, 1]", "c[2]", "a"]);
  assert.equal(worstFirst(entries, 1).length, 1);
});

test("who made a number: the last to write a value, all that added to a gradient since it was emptied", () => {
  const write = (node, slot, value) => ({ writes: [{ node, slot, value }] });
  const frames = [write("w", "grad", null), write("a", "value", {}), write("w", "grad", {}), write("w", "grad", {}), write("w", "value", {})];
  const at = (index) => frames[index] ?? null;
  assert.deepEqual(writersOf("w", "grad", 5, at), [2, 3]);
  assert.deepEqual(writersOf("w", "grad", 1, at), []);
  assert.deepEqual(writersOf("w", "value", 5, at), [4]);
  assert.deepEqual(writersOf("w", "value", 4, at), []);
  assert.deepEqual(writersOf("b", "value", 9, at), []);
});

test("a setting that waits for the next iteration is already the wished one", () => {
  const session = { settings: { lr: 0.1, zero_grad: true }, changes: [{ type: "settings", iteration: 1, lr: 0.2 }] };
  assert.equal(wished({ session, position: { iteration: 0, step: 9, of: 9 } }, "lr"), 0.2);
  assert.equal(wished({ session, position: { iteration: 0, step: 9, of: 9 } }, "zero_grad"), true);
  assert.equal(wished({ session, position: { iteration: 2, step: 0, of: 9 } }, "lr"), 0.1);
});
