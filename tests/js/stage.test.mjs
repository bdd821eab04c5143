import assert from "node:assert/strict";
import { test } from "node:test";
import { entries } from "../../static/js/panels/editor.js";
import { focusOf, schedule } from "../../static/js/panels/graph_steps.js";
import { largest, only, tiling } from "../../static/js/panels/heat.js";
import { layersOf } from "../../static/js/panels/layers.js";
import { ease, packetsOf, spread, sumPlace, sumsOf } from "../../static/js/panels/packets.js";

const array = (data, shape = []) => ({ shape, dtype: "float64", data, min: data, max: data, mean: data, norm: data, nonfinite: 0 });
const slots = (value, grad = null) => ({ value: value === null ? null : array(value), grad: grad === null ? null : array(grad), state: {} });
const op = (name, kind, inputs, shape = []) => ({ name, op: kind, kind: "op", inputs, shape });
const leaf = (name, kind, shape = []) => ({ name, op: "", kind, inputs: [], shape });

const square = {
  nodes: [leaf("a", "parameter"), op("y", "mul", ["a", "a"]), op("L", "neg", ["y"])],
  edges: [{ from: "a", to: "y", slot: 0 }, { from: "a", to: "y", slot: 1 }, { from: "y", to: "L", slot: 0 }],
};

test("the plan tells when each node is computed and differentiated", () => {
  const plan = [["data", null], ["zero_grad", null], ["forward", "y"], ["loss", "L"], ["backward", "L"], ["backward", "y"]];
  const { forward, backward, zero, data } = schedule(plan.map(([phase, node], index) => ({ index, phase, node })));
  assert.deepEqual([forward.get("y"), forward.get("L"), backward.get("L"), backward.get("y"), zero, data], [2, 3, 4, 5, 1, 0]);
});

test("the focus of a backward step is its node, its inputs, and where the gradient came from", () => {
  const { centre, near } = focusOf({ phase: "backward", node: "y", writes: [] }, square);
  assert.equal(centre, "y");
  assert.deepEqual([...near].sort(), ["L", "a", "y"]);
  assert.equal(focusOf(null, square).near.size, 0);
});

test("loading a batch is about what it fills, not what it empties", () => {
  const writes = [{ node: "a", slot: "value", value: array(1) }, { node: "y", slot: "value", value: null }];
  assert.deepEqual([...focusOf({ phase: "data", node: null, writes }, square).near], ["a"]);
});

test("a * a sends two packets, and their sum is written out", () => {
  const frame = {
    phase: "backward",
    node: "y",
    contributions: [
      { from: "y", to: "a", slot: 0, value: array(1.5), first: true },
      { from: "y", to: "a", slot: 1, value: array(1.5), first: false },
    ],
  };
  const view = { edgeOf: (from, to, slot) => square.edges.some((e) => e.from === from && e.to === to && e.slot === slot) && { backward: [[0, 0], [1, 0]] } };
  assert.equal(packetsOf(frame, {}, view).length, 2);
  const sums = sumsOf(frame, { a: slots(2) }, { a: slots(2, 3) });
  assert.deepEqual(sums, [{ node: "a", role: "grad", text: "0 + 1.5 + 1.5 = 3" }]);
});

test("without zero_grad the sum begins with what stood there", () => {
  const frame = { phase: "backward", node: "y", contributions: [{ from: "y", to: "w", slot: 0, value: array(-0.5), first: false }] };
  assert.equal(sumsOf(frame, { w: slots(1, 2) }, { w: slots(1, 1.5) })[0].text, "2 + (−0.5) = 1.5");
});

test("an update shows what was added", () => {
  const frame = { phase: "update", node: "w", contributions: [] };
  assert.equal(sumsOf(frame, { w: slots(0.5) }, { w: slots(0.25) })[0].text, "0.5 + Δ (−0.25) = 0.25");
});

test("motion starts and ends slowly, and ends where the still picture is", () => {
  assert.deepEqual([ease(0), ease(0.5), ease(1)], [0, 0.5, 1]);
  assert.ok(ease(0.1) < 0.1 && ease(0.9) > 0.9);
});

test("small arrays: the only number, the largest, tiles of further axes", () => {
  assert.equal(only(array([[7]], [1, 1])), 7);
  assert.equal(only(array([1, 2], [2])), null);
  assert.equal(largest({ ...array([1, -3], [2]), min: -3, max: 1 }), 3);
  assert.equal(largest({ ...array(["NaN"], [1]), nonfinite: 1 }), Infinity);
  const tiles = tiling(array(null, [2, 3, 4]));
  assert.deepEqual([tiles.rows, tiles.cols, tiles.tiles], [3, 4, [[0], [1]]]);
  assert.deepEqual(entries([[1, 2], [3, 4]]).map((e) => e.index), [[0, 0], [0, 1], [1, 0], [1, 1]]);
});

test("layers are read off the graph: transposed weights, biases, activations", () => {
  const nodes = [
    leaf("x", "input", [4, 2]),
    leaf("0.weight", "parameter", [3, 2]),
    leaf("0.bias", "parameter", [3]),
    leaf("2.weight", "parameter", [1, 3]),
    op("t", "transpose", ["0.weight"], [2, 3]),
    op("m", "matmul", ["x", "t"], [4, 3]),
    op("z", "add", ["m", "0.bias"], [4, 3]),
    op("a", "sigmoid", ["z"], [4, 3]),
    op("t2", "transpose", ["2.weight"], [3, 1]),
    op("out", "matmul", ["a", "t2"], [4, 1]),
    op("L", "sum", ["out"]),
  ];
  const { layers } = layersOf({ nodes, edges: [] });
  assert.deepEqual(layers.map((l) => [l.from, l.bias, l.pre, l.out, l.activation]), [["x", "0.bias", "z", "a", "sigmoid"], ["a", null, "out", "out", ""]]);
});

test("a formula has no neurons, and says so", () => {
  assert.match(layersOf(square).why, /formula/);
});

test("packets that would cover each other move apart, both by as much", () => {
  const box = (x, y) => ({ x, y, width: 40, height: 20 });
  const boxes = [box(0, 10), box(0, 50), box(0, 22), box(100, 12)];
  spread(boxes);
  assert.deepEqual(boxes.map(({ y }) => Math.round(y)), [5, 50, 27, 12]);
  const three = [box(0, 10), box(0, 12), box(0, 14)];
  spread(three);
  assert.ok(three[1].y - three[0].y >= 21 && three[2].y - three[1].y >= 21);
  assert.ok(Math.abs(three[1].y - 12) < 0.5);
});

test("a sum stands under its card, in view and clear of the card below", () => {
  const card = { x: 100, y: 50, width: 130, height: 80 };
  const below = { ...card, y: 150 };
  assert.deepEqual(sumPlace(card, { width: 90, height: 20 }, [card]), [120, 127], "in the middle");
  assert.deepEqual(sumPlace(card, { width: 300, height: 20 }, [card]), [90, 127], "what is too wide goes on to the right");
  assert.deepEqual(sumPlace(card, { width: 90, height: 26 }, [card, below]), [120, 123], "higher up where there is less room");
  assert.deepEqual(sumPlace(card, { width: 90, height: 26 }, [card, { ...below, x: 400 }]), [120, 127]);
});
