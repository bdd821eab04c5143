import assert from "node:assert/strict";
import { test } from "node:test";

import { rateAt, rateOf } from "../../static/js/playground/controls.js";
import { DEFAULT, choicesOf, classesOf, specOf } from "../../static/js/playground/choices.js";
import { along } from "../../static/js/playground/network.js";
import { bounds, joined, thinned } from "../../static/js/playground/painter_curve.js";
import { stroke, widest } from "../../static/js/playground/painter_network.js";
import { boundary, bytesOf, placesOf } from "../../static/js/playground/pixels.js";
import { says, shows } from "../../static/js/playground/words.js";

const SETS = { circle: { task: "binary" }, sine: { task: "regression" }, digits: { task: "multiclass", classes: 10 } };

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
  assert.equal(rateAt(-2), 0.01);
  assert.equal(rateAt(-1.5), 0.032);
});

test("the page says why it stopped and what it shows", () => {
  assert.match(says("nonfinite", "In iteration 3 …", 9), /^In iteration 3 … The learning rate/);
  assert.match(says("limit", "", 1e6), /1\u202f000\u202f000 updates/);
  assert.equal(says("paused", "", 9), "");
  const scene = { flat: true, shapes: [[1, 9], [1, 9]], columns: [{ title: "tanh" }, { title: "" }], domain: [[0, 1], [0, 1]], classes: 2 };
  assert.match(shows(scene, null), /White: held back/);
  assert.equal(shows(scene, { column: 0, unit: 2 }), "What neuron 3 of layer 1 says (tanh).");
});
