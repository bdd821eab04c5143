import assert from "node:assert/strict";
import { test } from "node:test";

import { rateAt, rateOf, seedOf } from "../../static/js/playground/controls.js";
import { DEFAULT, applying, choicesOf, untilOf, classesOf, specOf } from "../../static/js/playground/choices.js";
import { changesFor, emptied, withPoint } from "../../static/js/playground/data.js";
import { along } from "../../static/js/playground/network.js";
import { bounds, joined, levels, thinned } from "../../static/js/playground/painter_curve.js";
import { matrices, stroke, widest } from "../../static/js/playground/painter_network.js";
import { boundary, bytesOf, placesOf } from "../../static/js/playground/pixels.js";
import { verdict } from "../../static/js/playground/recital.js";
import { decoded } from "../../static/js/playground/table.js";
import { says, shows } from "../../static/js/playground/words.js";

const SETS = { circle: { task: "binary" }, sine: { task: "regression" }, digits: { task: "multiclass", classes: 10 }, copy: { task: "sequence", classes: 2 }, parity: { task: "sequence", classes: 2 } };

test("choices make a spec, and the spec makes the same choices again", () => {
  const spec = specOf(DEFAULT, SETS);
  assert.deepEqual(spec.model.layers.map((l) => l.out_features ?? l), [4, "tanh", 2, "tanh", 1]);
  assert.equal(spec.loss.type, "bce_with_logits");
  assert.deepEqual(spec.data, { dataset: "circle", samples: 500, noise: 0.1, validation: 0.5 });
  assert.ok(!("regularisation" in spec) && !("schedule" in spec));
  assert.deepEqual(choicesOf(spec), DEFAULT);
  const other = {
    ...DEFAULT, layers: [3], activation: "relu", norm: "batch_norm", dropout: 0.2, init: "kaiming_uniform", optimizer: "adam", lr: 0.01,
    schedule: "cosine", batch: 0, l1: 0.001, l2: 0.01, seed: 9, standardise: true, loss: "mse",
  };
  assert.deepEqual(choicesOf(JSON.parse(JSON.stringify(specOf(other, SETS)))), other);
  const own = { ...DEFAULT, data: { inputs: [[0, 1], [1, 0], [1, 1]], targets: [0, 1, 2], task: "multiclass" }, validation: 0 };
  assert.equal(specOf(own, SETS).model.layers.at(-1).out_features, 3);
  assert.deepEqual(choicesOf(specOf(own, SETS)), own);
});

test("the output fits the task", () => {
  const of = (dataset) => specOf({ ...DEFAULT, data: { dataset, samples: 20, noise: 0 } }, SETS);
  assert.equal(of("sine").loss.type, "mse");
  assert.equal(of("digits").loss.type, "cross_entropy");
  assert.equal(of("digits").model.layers.at(-1).out_features, 10);
  assert.equal(classesOf({ inputs: [[1]], targets: [0], task: "binary" }, SETS), 2);
  const bent = specOf({ ...DEFAULT, loss: "mse" }, SETS);
  assert.equal(bent.model.layers.at(-1), "sigmoid"); // a class from 0 to 1
  assert.equal(specOf({ ...DEFAULT, one: true }, SETS).data.overfit_one_batch, true);
  assert.ok(!("validation" in specOf({ ...DEFAULT, one: true }, SETS).data));
});

test("data are a little different each time, and have a seed of their own", () => {
  const plane = { ...DEFAULT, jitter: 0.2, shift: 2, dataSeed: 7, shuffle: false };
  const { data, shuffle } = specOf(plane, SETS);
  assert.deepEqual([data.augment, data.seed, shuffle], [{ jitter: 0.2 }, 7, false]); // a plane is no picture
  assert.deepEqual(choicesOf(specOf({ ...plane, shift: 0 }, SETS)), { ...plane, shift: 0 });
  const digits = { ...DEFAULT, shift: 2, data: { dataset: "digits", samples: 20, noise: 0, flat: true } };
  const moved = specOf(digits, SETS);
  assert.deepEqual([moved.data.augment, moved.data.flat, moved.model.layers[0]], [{ shift: 2 }, false, "flatten"]);
  assert.deepEqual(choicesOf(moved), digits);
  assert.ok(!("augment" in specOf({ ...digits, one: true }, SETS).data));
});

test("sequences are read by recurrent layers", () => {
  const copy = { ...DEFAULT, layers: [6, 3], cell: "gru", data: { dataset: "copy", samples: 20, noise: 0, length: 8, flat: false, delay: 2 } };
  assert.deepEqual(specOf(copy, SETS).model.layers.map((l) => l.hidden_size ?? l.out_features), [6, 3, 1]);
  assert.deepEqual(choicesOf(specOf(copy, SETS)), copy);
  const looked = { ...copy, embedding: 2, jitter: 0.1, data: { ...copy.data, noise: 0.3 } };
  const { model, data } = specOf(looked, SETS);
  assert.deepEqual(model.layers[0], { type: "embedding", num_embeddings: 2, embedding_dim: 2 });
  assert.deepEqual([data.flat, data.noise, data.augment], [true, 0, undefined]);
  assert.equal(choicesOf({ model, data, loss: "bce_with_logits" }).embedding, 2);
  const parity = { ...copy, data: { dataset: "parity", samples: 20, noise: 0, length: 6, flat: false, running: false } };
  assert.deepEqual(specOf(parity, SETS).model.layers.map((l) => l.return_sequences), [undefined, false, undefined]);
  assert.ok(applying(copy, SETS).cell && !applying(copy, SETS).activation && !applying(looked, SETS).noise);
  const [first, second] = matrices({ columns: [{ weight: "a", units: 2, looked_up: 3 }, { weight: "b", units: 1, first: 2 }] }, { a: [[1, 2], [3, 4], [5, 6]], b: [[7], [8], [9]] });
  assert.deepEqual([first, second], [[[1, 3, 5], [2, 4, 6]], [[9]]]);
});

test("data bring the network that suits them, and take it away again", () => {
  const noise = { noise: { default: 0.1 }, samples: { default: 200 } };
  const known = { circle: { name: "circle", points: [], options: noise }, copy: { name: "copy", tokens: [], options: { ...noise, delay: { default: 2 } } } };
  const copy = { ...DEFAULT, ...changesFor(known.copy, DEFAULT, known) };
  assert.deepEqual([copy.data.delay, copy.data.samples, copy.layers, copy.optimizer, copy.lr], [2, 500, [8], "adam", 0.01]);
  assert.deepEqual({ ...copy, ...changesFor(known.circle, copy, known), norm: "" }, DEFAULT);
  const again = changesFor(known.circle, { ...DEFAULT, layers: [3], lr: 1 }, known);
  assert.ok(!("layers" in again) && !("lr" in again)); // what was chosen stays
  const scene = { domain: [[-1, 1], [-1, 1]], classes: 3, samples: { train: { inputs: [[1, 2]], targets: [[0]] } } };
  const own = withPoint(scene, DEFAULT, { circle: { task: "binary" } }, [0.12345, 0.5], 2);
  assert.deepEqual([own.inputs, own.targets], [[[1, 2], [0.123, 0.5]], [0, 2]]);
  assert.deepEqual(emptied(true).data.targets, [-0.5, 0.5]);
});

test("files of older spreadsheets are read, too", () => {
  assert.equal(decoded(new TextEncoder().encode("Höhe").buffer), "Höhe");
  assert.equal(decoded(Uint8Array.from([0x48, 0xf6, 0x68, 0x65]).buffer), "Höhe");
});

test("right and wrong are told by a mark", () => {
  assert.deepEqual(verdict(1, 0, 0.25, 2), { text: "0✗", right: false, tint: -0.5, title: "wrong: probability of 1 0.25" });
  assert.equal(verdict(1, 1, 0.75, 2).text, "1✓");
  assert.equal(verdict(1, -1, "NaN", 2).text, "?");
  assert.deepEqual(verdict(1, null, 2.5, 0), { text: "2.5", right: null, tint: 0, title: "2.5" });
});

test("the loss axis has labels that do not touch", () => {
  assert.deepEqual(levels(0.2, 0.9, 0.1), [0.2, 0.4, 0.6, 0.8]);
  const many = levels(0.01, 1, 0.12).sort((a, b) => a - b);
  assert.ok(many.includes(0.1) && many.includes(1) && many.length > 3);
  for (const [i, v] of many.entries()) if (i) assert.ok(Math.log10(v / many[i - 1]) >= 0.12 * 2);
  assert.deepEqual(levels(1e-6, 10, 0.1).length > 2, true);
});

test("maps lie one after the other, columns without maps take no room", () => {
  const columns = [{ units: 2 }, { units: 3 }, { units: 1 }];
  const places = placesOf({ columns, shapes: [[4, 4], null, [8, 8]] });
  assert.deepEqual(places[0].map((p) => p.start), [0, 16]);
  assert.deepEqual(places[1], []);
  assert.deepEqual(places[2], [{ start: 32, rows: 8, columns: 8 }]);
  assert.deepEqual([...bytesOf(btoa("\x00\x7f\x81\x80"))], [0, 127, -127, -128]);
});

test("the boundary runs where the map changes its sign", () => {
  const size = 5;
  const bytes = Int8Array.from({ length: size * size }, (_, i) => {
    const value = (i % size) - 1.5; // from left to right, zero at 1.5
    return Math.sign(value) * 60 * Math.sqrt(Math.abs(value));
  });
  const cuts = boundary(bytes, { start: 0, rows: size, columns: size });
  assert.equal(cuts.length, 4 * (size - 1));
  for (let i = 0; i < cuts.length; i += 2) assert.ok(Math.abs(cuts[i] - 1.5) < 0.02, cuts[i]);
  const rival = Int8Array.from([...bytes, ...bytes.toReversed()]); // equal in the middle, at 2
  const meeting = boundary(rival, { start: 0, rows: size, columns: size }, [{ start: 25, rows: size, columns: size }]);
  for (let i = 0; i < meeting.length; i += 2) assert.ok(Math.abs(meeting[i] - 2) < 0.02, meeting[i]);
  assert.equal(meeting.length, 4 * (size - 1));
  assert.deepEqual(boundary(new Int8Array(25).fill(9), { start: 0, rows: 5, columns: 5 }), []);
});

test("a long curve is thinned, and keeps its peaks", () => {
  const points = Array.from({ length: 5000 }, (_, i) => [i, 1 / (i + 1), null, 0.1, i === 3210 ? 99 : 0.5]);
  let kept = points;
  while (kept.length > 1200) kept = thinned(kept);
  assert.ok(kept.length > 500);
  assert.deepEqual(kept[0], points[0]);
  assert.equal(kept.at(-1)[0], 4999);
  assert.equal(Math.max(...kept.map((p) => p[4])), 99);
  assert.deepEqual(joined(points.slice(0, 5), [points[3]]).map((p) => p[0]), [0, 1, 2, 3]); // the run was taken back
  assert.deepEqual(bounds([[1, "NaN", "Infinity", "NaN", "NaN"]]), [0.1, 1]);
});

test("weights: width by size, dashes for minus, and no number that breaks a line", () => {
  assert.equal(widest([[[0.2, -0.4]]]), 1);
  assert.equal(widest([[[0.2, -4, NaN]]]), 4);
  assert.ok(stroke(-2, 4).negative && stroke(-2, 4).width > stroke(1, 4).width);
  assert.ok(Number.isFinite(stroke(NaN, 1).width));
  for (const t of [0, 0.2, 0.5, 0.9, 1]) {
    const u = along(t);
    assert.ok(Math.abs(1.5 * u - 1.5 * u * u + u ** 3 - t) < 1e-6);
  }
});

test("rates are read as people write them", () => {
  assert.equal(rateOf(" 0,03 "), 0.03);
  assert.equal(rateOf("1e300"), 1e300);
  assert.equal(rateOf("-1"), null);
  assert.equal(rateOf(""), null);
  assert.deepEqual([seedOf(" 12 "), seedOf(""), seedOf("1.5"), seedOf("-1"), seedOf("4294967296")], [12, null, undefined, undefined, undefined]);
  assert.equal(rateAt(-2), 0.01);
  assert.equal(rateAt(-1.5), 0.032);
});

test("what is waited for is of the chosen neuron", () => {
  const columns = [{ node: "1.a", title: "relu", weight: "0.weight", first: 4, looked_up: 0 }];
  const chosen = { column: 0, unit: 2 };
  assert.deepEqual(untilOf("dead", columns, chosen).until, { dead_unit: { node: "1.a", unit: 2 } });
  assert.deepEqual(untilOf("dead", columns, null).until, { dead_unit: true });
  assert.deepEqual(untilOf("fading", columns, chosen).until.gradient_below, { node: "0.weight", unit: 6, border: 0.001 });
  assert.deepEqual(untilOf("fading", [{ ...columns[0], looked_up: 2 }], null).until.gradient_below, { node: "0.weight", border: 0.001 });
  assert.deepEqual(untilOf("", columns, chosen), {});
});

test("the page says why it stopped and what it shows", () => {
  assert.match(says("nonfinite", "In iteration 3 …", 9), /^In iteration 3 … The learning rate/);
  assert.match(says("limit", "", 1e6), /1\u202f000\u202f000 updates/);
  assert.equal(says("paused", "", 9), "");
  const digits = { flat: false, picture: [8, 8], gallery: { part: "validation", classes: [0, 1] }, columns: [{}, {}, {}], classes: 10, labels: null };
  assert.match(shows(digits, null), /held back, a row for each class/);
  assert.match(shows(digits, { column: 0, unit: 1 }), /neuron 2 of layer 1 looks for: its weight for each pixel/);
  assert.match(shows({ ...digits, labels: ["cat", "dog"] }, { column: 2, unit: 1 }), /How sure it is of class dog/);
  assert.match(shows({ ...digits, picture: [2, 1], features: ["a", "b"] }, { column: 0, unit: 0 }), /from the top: a, b/);
  assert.match(shows({ ...digits, picture: [], gallery: null }, null), /nothing to draw/);
  const scene = { flat: true, shapes: [[1, 9], [1, 9]], columns: [{ title: "tanh" }, { title: "" }], domain: [[0, 1], [0, 1]], classes: 2 };
  assert.match(shows(scene, null), /White: held back/);
  assert.equal(shows(scene, { column: 0, unit: 2 }), "What neuron 3 of layer 1 says (tanh).");
});
