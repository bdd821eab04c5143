// What the pictures compute: which of them fit a model, the steps of time, shares and scales.

import assert from "node:assert/strict";
import { test } from "node:test";
import { picturesOf } from "../../static/js/panels/pictures/pictures.js";
import { residualsOf } from "../../static/js/panels/pictures/residuals.js";
import { attentionsOf, rowOf } from "../../static/js/panels/pictures/heads.js";
import { groupOf, groups, histogram, moments, sharesOf } from "../../static/js/panels/pictures/shares.js";
import { layerAt, sameLine, windowOfTrack, withWindow } from "../../static/js/panels/pictures/cut.js";
import { barScale, contribution, fate, tracksOf } from "../../static/js/panels/pictures/time.js";
import { createWhole } from "../../static/js/panels/pictures/whole.js";
import { covered, gathered, largest, nearest, planeOf, products, windowOf } from "../../static/js/panels/pictures/window.js";

/** @param {string} name @param {string} op @param {string[]} [inputs] @param {number[]} [shape] @returns {any} */
const node = (name, op, inputs = [], shape = [1, 1]) => ({ name, op, kind: ["parameter", "input", "target"].includes(op) ? op : "op", inputs, shape, label: name, scope: "", attrs: {} });
/** @param {any[]} nodes @returns {any} */
const graph = (...nodes) => ({ nodes, edges: [], width: 0, height: 0 });
/** @param {any} data @param {number[]} shape @returns {any} */
const array = (data, shape) => ({ data, shape, dtype: "float64", min: 0, max: 0, mean: 0, norm: 0, nonfinite: 0 });

const weights = [node("0.weight_ih_l0", "parameter"), node("0.weight_hh_l0", "parameter")];
const recurrent = graph(
  node("input", "input", [], [1, 3, 1]),
  ...weights,
  node("0.x_1", "select", ["input"]),
  node("0.x_2", "select", ["input"]),
  node("0.x_3", "select", ["input"]),
  node("0.h_0", "initial_state", ["0.x_1"]),
  node("0.z_1", "recurrent", ["0.x_1", "0.h_0", "0.weight_ih_l0", "0.weight_hh_l0"]),
  node("0.h_1", "tanh", ["0.z_1"]),
  node("0.z_2", "recurrent", ["0.x_2", "0.h_1", "0.weight_ih_l0", "0.weight_hh_l0"]),
  node("0.h_2", "tanh", ["0.z_2"]),
  node("0.h_2_cut", "detach", ["0.h_2"]),
  node("0.z_3", "recurrent", ["0.x_3", "0.h_2_cut", "0.weight_ih_l0", "0.weight_hh_l0"]),
  node("0.h_3", "tanh", ["0.z_3"]),
);

test("a recurrent layer is read as steps of time, with its cut", () => {
  const [track] = tracksOf(recurrent);
  assert.equal(track.kind, "RNN");
  assert.equal(track.weight, "0.weight_hh_l0");
  assert.equal(track.start, "0.h_0");
  assert.deepEqual(track.steps.map((s) => s.h), ["0.h_1", "0.h_2", "0.h_3"]);
  assert.deepEqual(track.steps.map((s) => s.cut), [null, null, "0.h_2_cut"]);
  assert.ok(track.steps[2].members.includes("0.h_2_cut") && track.steps[0].members.includes("0.x_1"));
  assert.deepEqual(picturesOf(recurrent).map((p) => p.name), ["sequence", "health", "board"]);
});

test("recurrent layers are called as a person would", () => {
  const at = (/** @type {number} */ layer) => recurrent.nodes.map((n) => ({ ...n, name: n.name.replace("0.", `${layer}.branches.1.`), inputs: n.inputs.map((it) => it.replace("0.", `${layer}.branches.1.`)) }));
  assert.deepEqual(tracksOf(graph(...at(0), ...at(2))).map(({ label }) => label), ["RNN", "RNN 2"]);
  const back = recurrent.nodes.map((n) => ({ ...n, name: n.name.replace("0.", "0.l0_reverse_") }));
  const [, other] = tracksOf(graph(...recurrent.nodes, ...back));
  assert.equal(other.label, "RNN 2, from the last step back");
  assert.equal(other.steps.length, 3);
});

test("steps of time are found in a program, too, if one weight serves them all", () => {
  const typed = graph(
    node("x1", "input"), node("x2", "input"), node("w", "parameter"), node("u", "parameter"), node("h0", "input"),
    node("u_1", "mul", ["u", "h0"]), node("a", "mul", ["w", "x1"]), node("b", "add", ["a", "u_1"]), node("h1", "tanh", ["b"]),
    node("c", "detach", ["h1"]), node("d", "mul", ["c", "u"]), node("e", "mul", ["w", "x2"]), node("f", "add", ["e", "d"]), node("h2", "tanh", ["f"]),
  );
  const [track] = tracksOf(typed);
  assert.deepEqual([track.weight, track.start], ["u", "h0"]);
  assert.deepEqual(track.steps.map(({ h, x, cut, product }) => [h, x, cut, product]), [["h1", "x1", null, "u_1"], ["h2", "x2", "c", "d"]]);
  assert.equal(picturesOf(typed)[0].name, "sequence");
  const layers = graph(node("w1", "parameter"), node("w2", "parameter"), node("x", "input"), node("z1", "mul", ["w1", "x"]), node("z2", "mul", ["w2", "z1"]));
  assert.deepEqual(tracksOf(layers), []);
});

test("a cut's window is read from a spec and set in a copy of it", () => {
  const inner = { type: "gru", hidden_size: 2, truncate: 3 };
  const spec = { model: { layers: [{ type: "residual", layers: ["tanh", inner] }, { type: "branches", branches: [["rnn"], [{ type: "rnn" }]] }] } };
  assert.equal(layerAt(spec, "0.layers.1."), inner);
  assert.deepEqual(["0.layers.1.", "1.branches.1.0.", "0.layers.0.", "7."].map((scope) => windowOfTrack(spec, scope)), [3, 0, null, null]);
  assert.equal(windowOfTrack({ program: "L = x" }, ""), null);
  const other = withWindow(spec, "1.branches.1.0.", 2);
  assert.deepEqual([windowOfTrack(other, "1.branches.1.0."), windowOfTrack(spec, "1.branches.1.0.")], [2, 0]);
  assert.ok(!("truncate" in layerAt(withWindow(spec, "0.layers.1.", 0), "0.layers.1.")));
  /** @type {any} */
  const plan = [{ phase: "forward", node: "a" }, { phase: "forward", node: "b" }, { phase: "update", node: "w" }];
  assert.deepEqual([sameLine(plan, null), sameLine(plan, plan[1]), sameLine(plan, { phase: "forward", node: "cut" })], [0, 2, 2]);
});

test("what a step adds to the weights is gᵀh over the batch", () => {
  assert.equal(contribution(array([[-2]], [1, 1]), array([[2]], [1, 1])), -4);
  assert.equal(contribution(array([[1], [2]], [2, 1]), array([[3], [-1]], [2, 1])), 1);
  assert.equal(contribution(array([[3]], [1, 1]), array([[1, 4 / 3]], [1, 2])), 5);
  assert.equal(contribution(array(-2, []), array(3, [])), -6);
  assert.equal(contribution(array([3, 4], [2]), array([0, 2], [2])), 10);
  assert.equal(contribution(null, array([[1]], [1, 1])), null);
});

test("bars are straight for sizes alike, by powers of ten for others", () => {
  const alike = barScale([0.5, 1, 2]);
  assert.equal(alike.log, false);
  assert.deepEqual([0.5, 1, 2, null].map(alike.share), [0.25, 0.5, 1, 0]);
  const far = barScale([1e-6, 1e-3, 1]);
  assert.ok(far.log && far.share(1) === 1 && far.share(1e-6) > 0 && far.share(1e-6) < far.share(1e-3));
  assert.equal(barScale([null, null]).share(null), 0);
});

test("a gradient vanishes, explodes or keeps its size", () => {
  assert.deepEqual(fate([0.5, 1, 2]), { from: 2, to: 0, factor: 0.5, word: "it vanishes" });
  assert.equal(fate([9, 3, 1])?.word, "it explodes");
  assert.equal(fate([1, 1.02, 1])?.word, "it keeps its size");
  assert.equal(fate(Array.from({ length: 50 }, (_, i) => 0.9 ** (49 - i)))?.word, "it vanishes");
  assert.equal(fate([null, null, 2]), null);
});

test("a residual is a sum whose one term went through the other's layers", () => {
  const block = graph(
    node("input", "input"),
    node("w", "parameter"),
    node("z", "linear", ["input", "w"]),
    node("a", "relu", ["z"]),
    node("r", "add", ["input", "a"]),
  );
  assert.deepEqual(residualsOf(block), [{ sum: "r", from: "input", through: ["z", "a"] }]);
  assert.deepEqual(picturesOf(block).map((p) => p.name), ["paths"]);
  const plain = graph(node("x", "input"), node("w", "parameter"), node("y", "mul", ["x", "w"]), node("b", "parameter"), node("z", "add", ["y", "b"]));
  assert.deepEqual(residualsOf(plain), []);
});

test("a window covers cells, with stride and padding", () => {
  const conv = node("0.z", "conv2d", ["input", "0.weight"], [1, 1, 3, 3]);
  conv.attrs = { stride: 2, padding: 1 };
  const window = windowOf(conv, node("0.weight", "parameter", [], [1, 1, 2, 2]));
  assert.deepEqual(window, { size: [2, 2], stride: [2, 2], padding: [1, 1] });
  const cells = covered([0, 1], window, [4, 4]);
  assert.deepEqual(cells.map((c) => c.at), [[-1, 1], [-1, 2], [0, 1], [0, 2]]);
  assert.deepEqual(cells.map((c) => c.inside), [false, false, true, true]);
  assert.deepEqual(nearest([0.5, 0.5], window, [2, 2]), [0, 0]);
  assert.deepEqual(nearest([9, 9], window, [2, 2]), [1, 1]);
  const pool = node("p", "max_pool1d", ["x"], [1, 1, 2]);
  pool.attrs = { kernel_size: 3, stride: null, padding: 0 };
  assert.deepEqual(windowOf(pool, undefined), { size: [1, 3], stride: [1, 3], padding: [0, 0] });
  const flat = { ...node("0.p", "avg_pool2d"), attrs: { kernel_size: [3, 2], stride: null, padding: [1, 0] } };
  assert.deepEqual(windowOf(flat, undefined), { size: [3, 2], stride: [3, 2], padding: [1, 0] });
  const uneven = { ...node("0.z", "conv2d"), attrs: { stride: [1, 2], padding: [1, 0] } };
  const wide = windowOf(uneven, node("0.weight", "parameter", [], [1, 1, 3, 2]));
  assert.deepEqual(covered([7, 3], wide, [8, 8])[0].at, [6, 6]);
});

test("products, the maximum and the gathered gradient are the lessons' numbers", () => {
  const image = [[1, 2, 0], [0, 1, 3], [2, 1, 1]];
  /** @type {import("../../static/js/panels/pictures/window.js").Window} */
  const window = { size: [2, 2], stride: [1, 1], padding: [0, 0] };
  const kernel = [[1, 0], [-1, 2]];
  assert.deepEqual([[0, 0], [0, 1], [1, 0], [1, 1]].map(([r, c]) => products(image, kernel, covered([r, c], window, [3, 3])).sum), [3, 7, 0, 2]);
  assert.deepEqual(gathered([image], [[[0.5, 0], [-0.5, 0]]], window, 4), [[0.5, 0.5], [-1, 0]]);
  assert.deepEqual(gathered([image], [[[0.5, 0], [-0.5, 0]]], window, 1), [[0.5, 1], [0, 0.5]]);
  const pool = [[1, 3], [2, 4]];
  assert.deepEqual(largest(pool, covered([0, 0], window, [2, 2]))?.at, [1, 1]);
  assert.deepEqual(largest([[5, 5], [5, 5]], covered([0, 0], window, [2, 2]))?.at, [0, 0]);
  assert.deepEqual(planeOf(array([[[7, 8]]], [1, 1, 2]), [0, 0]), [[7, 8]]);
});

const attention = graph(
  node("x", "input", [], [1, 3, 2]),
  node("W", "parameter", [], [6, 2]),
  node("q", "projection", ["x", "W"], [1, 3, 2]),
  node("k", "projection", ["x", "W"], [1, 3, 2]),
  node("v", "projection", ["x", "W"], [1, 3, 2]),
  node("s", "scores", ["q", "k"], [1, 3, 3]),
  node("s2", "scaled", ["s"], [1, 3, 3]),
  node("a", "softmax", ["s2"], [1, 3, 3]),
  node("c", "matmul", ["a", "v"], [1, 3, 2]),
);

test("an attention is read off its graph", () => {
  assert.deepEqual(attentionsOf(attention), [{ q: "q", k: "k", v: "v", scores: "s", shown: "s2", weights: "a", used: "a", mixed: "c", heads: 1, tokens: 3, samples: 1 }]);
  const dropped = attention.nodes.map((n) => (n.name === "c" ? { ...n, inputs: ["d", "v"] } : n));
  const [found] = attentionsOf({ ...attention, nodes: [...dropped, node("d", "mul", ["a", "mask"])] });
  assert.deepEqual([found.weights, found.used, found.mixed], ["a", "d", "c"]);
  assert.deepEqual(picturesOf(attention).map((p) => p.name), ["attention", "board"]);
});

test("a row of attention tells what each token gives and gets", () => {
  const [it] = attentionsOf(attention);
  /** @param {any} row @param {any} grad @returns {any} */
  const rows = (row, grad) => ({ value: row && array([[row, row, row]], [1, 3, 3]), grad: grad && array([[grad, grad, grad]], [1, 3, 3]) });
  /** @type {any} */
  const nodes = { q: rows([3, 4], null), s: rows(null, [-0.1, 0.2, -0.1]), s2: rows([0, 0, 1], null), a: rows([0.25, 0.25, 0.5], [-1, 0, -1]), c: rows(null, [-1, 0]) };
  const cells = rowOf(it, nodes, [0], 2);
  assert.deepEqual(cells.map((c) => c.toValue), [0.25, 0.25, 0.5]);
  assert.deepEqual(cells.map((c) => c.toKey), [0.5, 1, 0.5]);
  assert.deepEqual(cells.map((c) => c.dScore), [null, null, null]);
  assert.equal(rowOf(it, {}, [0], 0)[0].share, null);
});

test("of a residual's gradient one share came around, the rest through the layers", () => {
  /** @type {any} */
  const nodes = { r: { grad: array([[-1.21]], [1, 1]) }, x: { grad: array([[-1.331]], [1, 1]) } };
  const found = sharesOf(nodes, { sum: "r", from: "x" }, true);
  assert.equal(found.around, 1.21);
  assert.ok(Math.abs(Number(found.through) - 0.121) < 1e-12 && Math.abs(Number(found.share) - 1 / 1.1) < 1e-12);
  assert.deepEqual(sharesOf(nodes, { sum: "r", from: "x" }, false).through, null);
  assert.deepEqual(sharesOf({}, { sum: "r", from: "x" }, true).around, null);
});

test("a norm takes together what shares all indices but its axes", () => {
  const batch = array([[1, 10], [2, 20], [3, 30]], [3, 2]);
  assert.deepEqual(groupOf(batch, [0], 1), [10, 20, 30]);
  assert.deepEqual(groupOf(batch, [-1], 2), [3, 30]);
  assert.deepEqual([groups([3, 2], [0]), groups([3, 2], [-1]), groups([2, 3, 4, 4], [0, 2, 3])], [2, 3, 3]);
  const image = array([[[[1, 2]], [[3, 4]]], [[[5, 6]], [[7, 8]]]], [2, 2, 1, 2]);
  assert.deepEqual(groupOf(image, [0, 2, 3], 1), [3, 4, 7, 8]);
  assert.deepEqual(moments([3, 9, 11, 17]), { mean: 10, deviation: 5 });
  assert.deepEqual(histogram([0, 1, 9, 10, NaN], 0, 10, 2), [2, 2]);
});

test("a large array is asked for once, and stays with the array that it completes", async () => {
  /** @type {string[]} */
  const asked = [];
  const { filled } = createWhole(async (_id, name) => {
    asked.push(name);
    return /** @type {any} */ ({ name, value: array([1, 2, 3], [3]), grad: null, state: {} });
  });
  /** @type {any} */
  const state = { session: { id: "s" }, position: { iteration: 0, step: 3 } };
  /** @type {any} */
  const nodes = { x: { name: "x", value: array(null, [3]), grad: null, state: {} }, y: { name: "y", value: array([4], [1]), grad: null, state: {} } };
  await new Promise((/** @type {(_: void) => void} */ done) => assert.equal(filled(state, nodes, ["x", "y"], done).x.value?.data, null));
  assert.deepEqual(filled({ ...state, position: { iteration: 0, step: 4 } }, nodes, ["x", "y"], () => assert.fail()).x.value?.data, [1, 2, 3]);
  assert.deepEqual(asked, ["x"]);
});
