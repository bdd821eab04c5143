import assert from "node:assert/strict";
import { test } from "node:test";

import { ballPath } from "../../static/js/lab_bowl.js";
import { address, readPacked, wish } from "../../static/js/lab/address.js";
import { contour, levels } from "../../static/js/lab/contour.js";
import { argument } from "../../static/js/lab/editor.js";
import { labels, laneText, rate, ratesAround, readLane, schedule, spareRate, typed } from "../../static/js/lab/lanes.js";
import { apart, beside, evenRange, positive, power, range } from "../../static/js/lab/lines.js";
import { firstPlaces, heights, nearby, placeOf } from "../../static/js/lab/landscape.js";
import { fresh } from "../../static/js/lab/page.js";
import { laneOf, sizesOf } from "../../static/js/lab/noise.js";
import { DEFAULT_RATES, PRESETS } from "../../static/js/lab/presets.js";
import { FORMULAS, find, networks } from "../../static/js/lab/problems.js";
import { verdictAt } from "../../static/js/lab/row.js";
import { borneOut, pointAt } from "../../static/js/lab/sharpness.js";
import { extentOf, kept } from "../../static/js/lab/terrain.js";
import { pace } from "../../static/js/lab/transport.js";
import { everyStep } from "../../static/js/lab/ways.js";

const lanesOf = (rates) => rates.map((lr) => ({ lr }));

test("an address asks for lanes; nonsense in it is left out", () => {
  const asked = wish("?rates=0.1,1,2&iterations=10&lesson=x");
  assert.deepEqual(asked.lanes, lanesOf([0.1, 1, 2]));
  assert.equal(asked.on, "lesson/x");
  assert.equal(asked.iterations, 10);
  assert.deepEqual(wish("").lanes, lanesOf(DEFAULT_RATES));
  assert.equal(wish("").preset, "rates");
  assert.deepEqual(wish("?rates=a,-1").lanes, lanesOf(DEFAULT_RATES));
  assert.equal(wish("?on=moons").lanes, null);
  assert.equal(wish("?on=moons&iterations=999999").iterations, 40);
  assert.equal(wish("?preset=optimizers").on, "ravine");
  assert.equal(wish(`?${Array(30).fill("lane=0.1").join("&")}`).lanes.length, 12);
});

test("every preset comes back from its own address, and from one that spells it out", async () => {
  for (const one of PRESETS) {
    assert.equal(wish(`?preset=${one.id}`).preset, one.id);
    const long = await address({ preset: null, on: one.on, lanes: one.lanes, iterations: one.iterations, spec: null });
    const back = wish(long);
    assert.deepEqual(back.lanes, one.lanes.map((lane) => JSON.parse(JSON.stringify(lane))));
    assert.equal(back.on, one.on);
    assert.ok(find(one.on), one.on);
  }
});

test("what has no short form is packed behind the #", async () => {
  const lanes = [{ lr: 0.1 }, { model: { layers: [] } }];
  const where = await address({ preset: null, on: "own", lanes, iterations: 7, spec: { program: "L = x**2", values: { x: 1 } } });
  const packed = await readPacked(where.slice(where.indexOf("#")));
  const back = wish(where.slice(0, where.indexOf("#")), packed);
  assert.deepEqual(back.lanes, lanes);
  assert.equal(back.on, "own");
  assert.equal(back.spec.program, "L = x**2");
  assert.deepEqual(await readPacked("#run=nonsense"), {});
});

test("a lane is written and read", () => {
  const lane = { lr: 0.02, optimizer: { type: "adam", betas: [0.9, 0.99], amsgrad: true }, batch_size: null };
  assert.equal(laneText(lane), "lr:0.02;optimizer:adam(betas:0.9|0.99,amsgrad:true);batch_size:null");
  assert.deepEqual(readLane(laneText(lane)), lane);
  assert.equal(readLane("model:x"), null);
  assert.equal(readLane("lr:-1"), null);
});

test("lanes are called what they differ in", () => {
  assert.deepEqual(labels(lanesOf([0.1, 1])), ["0.1", "1"]);
  const sgd = (lr, momentum) => ({ lr, optimizer: { type: "sgd", momentum } });
  assert.deepEqual(labels([sgd(0.1), sgd(0.2), { lr: 0.1, optimizer: { type: "adam" } }]), ["SGD · η 0.1", "SGD · η 0.2", "Adam"]);
  assert.deepEqual(labels([sgd(0.1, 0), sgd(0.1, 0.9)]), ["SGD 0 · η 0.1", "SGD 0.9 · η 0.1"]);
  assert.deepEqual(labels([{ lr: 0.1 }, { lr: 0.1 }]), ["0.1 (1)", "0.1 (2)"]);
  assert.deepEqual(labels([{ batch_size: null }, { batch_size: 8 }]), ["whole batch", "batch 8"]);
});

test("a rate is a positive number", () => {
  assert.equal(rate("0,1"), 0.1);
  assert.equal(rate("0"), null);
  assert.equal(rate("x"), null);
  assert.equal(typed(/** @type {number} */ (rate("1e300"))), "1e300");
  assert.equal(typed(0.0003), "0.0003");
  assert.ok(!DEFAULT_RATES.includes(spareRate(DEFAULT_RATES)));
  assert.deepEqual(ratesAround(0.5, []), [0.05, 0.5, 5, 50, 500]);
});

test("another difference brings its own lanes", () => {
  const catalogue = { optimizers: [{ name: "sgd" }, { name: "adam" }], schedules: [{ name: "cosine" }] };
  const lanes = fresh("optimizer", FORMULAS[0], 0.5, 40, catalogue);
  assert.deepEqual(lanes.map(({ optimizer }) => optimizer.type), ["sgd", "adam"]);
  assert.ok(lanes[1].lr < lanes[0].lr);
  assert.deepEqual(fresh("schedule", FORMULAS[0], 0.5, 40, catalogue), [{ lr: 0.5, schedule: { type: "cosine", T_max: 40 } }]);
  assert.deepEqual(schedule("step", 100), { type: "step", step_size: 25, gamma: 0.3 });
});

test("a data set gets a network with the loss and the outputs that it asks for", () => {
  const [digits, copy] = networks([
    { name: "digits", task: "multiclass", loss: "cross_entropy", outputs: 10, parameters: [{ name: "flat" }] },
    { name: "copy", task: "sequence", loss: "bce_with_logits", outputs: 1, target_shape: [8, 1] },
  ]);
  assert.equal(digits.spec.loss.type, "cross_entropy");
  assert.equal(digits.spec.model.layers.at(-1).out_features, 10);
  assert.equal(digits.spec.data.flat, true);
  assert.deepEqual(copy.spec.model.layers[0], { type: "gru", hidden_size: 8, return_sequences: true });
});

test("an argument as typed", () => {
  assert.deepEqual(argument("0.9, 0.99", [0.9, 0.999]), [0.9, 0.99]);
  assert.equal(argument("0.9", [0.9, 0.999]), undefined);
  assert.equal(argument("3", null), 3);
  assert.equal(argument("x", 1), undefined);
});

test("any run takes about seven seconds", () => {
  assert.equal(pace(10), 350);
  assert.equal(pace(100), 70);
  assert.equal(pace(5000), 1.4);
});

test("no verdict before the iteration at which it was decided", () => {
  const diverges = { kind: "diverges", at: 4, says: "…" };
  assert.equal(verdictAt(diverges, 3, 10), null);
  assert.match(verdictAt(diverges, 4, 10).word, /diverges/);
  assert.equal(verdictAt({ kind: "crawls", at: 10, says: "…" }, 9, 10), null);
});

test("a ball that leaves the picture is drawn up to where it left", () => {
  assert.deepEqual(ballPath([3, -3, 3], 1).inside.length, 2);
  assert.equal(ballPath([3, -4, 9, "Infinity"], 3).out, 2);
  const way = kept([[0, 0], [2, 0], [NaN, 0]], 2, ([x]) => Math.abs(x) <= 1);
  assert.deepEqual(way, { points: [[0, 0]], out: 1 });
});

test("the ground reaches over the way to the goal, not after a lane that was thrown out", () => {
  const walkers = [
    { path: [[-4, 1], [-1, 0.5], [0, 0]], loss: [9, 1, 0], verdict: { kind: "right" } },
    { path: [[-4, 1], [99, 1e9]], loss: [9, 1e20], verdict: { kind: "diverges" } },
  ];
  const [[left, right], [low, high]] = extentOf(walkers);
  assert.ok(left < -4 && left > -12 && right > 0 && right < 12);
  assert.ok(low < 0 && high > 1 && high < 4);
});

test("a contour goes where the height is", () => {
  const axis = [0, 1, 2, 3];
  const slope = axis.map(() => axis); // height = x
  const pieces = contour(slope, axis, axis, 1.5);
  assert.equal(pieces.length, 3);
  for (const [from, to] of pieces) assert.deepEqual([from[0], to[0]], [1.5, 1.5]);
  assert.equal(contour([[0, NaN], [1, 1]], [0, 1], [0, 1], 0.5).length, 0);
  const found = levels([[0, 10]], 4);
  assert.ok(found.every((level, i) => level > 0 && level < 10 && (i === 0 || level > found[i - 1])));
});

test("the loss axis is cut where lanes explode or vanish", () => {
  assert.deepEqual(range([{ loss: [1, 0.1] }]), [0.1, 1]);
  assert.equal(range([{ loss: [1, 1e9] }, { loss: [1, 1e-30] }])[1], 1e4);
  assert.equal(range([{ loss: [1, 1e-30] }])[0], 1e-12);
  assert.deepEqual(range([{ loss: ["NaN"] }]), [0.1, 1]);
  assert.equal(positive([{ loss: [1, -1] }]), false);
  assert.deepEqual(evenRange([{ loss: [2, -4, -1e9] }]), [-4, 2]);
});

test("labels move apart, keep their order and stay inside", () => {
  const moved = apart([50, 50, 52], 10, 0, 100);
  assert.ok(moved[0] + 10 <= moved[1] && moved[1] + 10 <= moved[2]);
  assert.deepEqual(apart([99, 100], 10, 0, 100), [90, 100]);
});

test("powers of ten are short", () => {
  assert.equal(power(0.001), "0.001");
  assert.equal(power(1), "1");
  assert.equal(power(1e-7), "10⁻⁷");
});

test("theory is held against what was seen", () => {
  assert.deepEqual(borneOut(0.9, "oscillates"), { predicted: "settles", observed: "settles" });
  assert.deepEqual(borneOut(1.1, "diverges"), { predicted: "diverges", observed: "diverges" });
  assert.equal(pointAt([{ iteration: 0 }, { iteration: 10 }, { iteration: 20 }], 19), 1);
  assert.equal(pointAt([{ iteration: 5 }], 0), 0);
});

test("two numbers of the weights are named as they are indexed", () => {
  assert.deepEqual(placeOf("0.weight[0, 1]"), { node: "0.weight", index: [0, 1] });
  assert.deepEqual(placeOf("w"), { node: "w", index: [] });
  assert.equal(placeOf("]["), null);
  assert.deepEqual(firstPlaces([{ node: "x", shape: [] }, { node: "y", shape: [] }]), ["x", "y"]);
  assert.deepEqual(firstPlaces([{ node: "0.weight", shape: [8, 2] }]), ["0.weight[0,0]", "0.weight[0,1]"]);
});

test("a landscape that reaches far is drawn in logarithms, holes and infinities as gaps", () => {
  const far = heights({ loss: [[1, 100], [null, "Infinity"], null], path: [{ loss: 10 }] });
  assert.deepEqual(far, { log: true, z: [[0, 2], [null, null], []], way: [1] });
  assert.deepEqual(heights({ loss: [[1, 2]], path: [{ loss: "NaN" }] }), { log: false, z: [[1, 2]], way: [null] });
});

test("arrows have the colour of the lane that draws such batches", () => {
  assert.deepEqual(sizesOf([{ samples: [0, 200, 400] }, { samples: [0, 20] }, { samples: null }]), [200, 20, 1]);
  assert.equal(laneOf([200, 20, 1], 20), 1);
  assert.equal(laneOf([200, 20, 1], 7), 0);
});

test("labels are kept apart only from those that stand over them", () => {
  assert.deepEqual(beside([300, 20, 310, 40], 60), [[1, 3], [0, 2]]);
  assert.deepEqual(beside([], 60), []);
});

test("a way that towers over the surface does not make it flat", () => {
  assert.deepEqual(nearby({ z: [[1, 2], [null, 3]], way: [9, 4.5, null, 2] }), [null, 4.5, null, 2]);
});

test("between two known places of a way every iteration has one; after a lane is thrown out none has", () => {
  const way = everyStep([{ iteration: 0, a: 0, b: 4, loss: 1 }, { iteration: 2, a: 2, b: 0, loss: 1 }], [1, 1, 1, 2, 9, "NaN"]);
  assert.deepEqual(way, [[0, 4], [1, 2], [2, 0], [2, 0], [NaN, NaN], [NaN, NaN]]);
});
