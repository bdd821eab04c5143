import assert from "node:assert/strict";
import { test } from "node:test";

import { DEFAULT_RATES, pace, rate, ratesAround, spareRate, verdictAt, wishes } from "../../static/js/lab.js";
import { ballPath } from "../../static/js/lab_bowl.js";
import { apart, power, range } from "../../static/js/lab_race.js";

test("the address asks for lanes; too few, or nonsense, gives the usual ones", () => {
  assert.deepEqual(wishes("?rates=0.1,1,2&iterations=10&lesson=x"), { lesson: "x", rates: [0.1, 1, 2], iterations: 10 });
  assert.deepEqual(wishes("?rates=a,-1,5").rates, DEFAULT_RATES);
  assert.equal(wishes("?iterations=999999").iterations, 40);
});

test("a rate is a positive number", () => {
  assert.equal(rate("0,1"), 0.1);
  assert.equal(rate("0"), null);
  assert.equal(rate("x"), null);
  assert.ok(!DEFAULT_RATES.includes(spareRate(DEFAULT_RATES)));
});

test("a network's lanes stand around its own rate", () => {
  assert.deepEqual(ratesAround(0.5), [0.05, 0.5, 5, 50, 500]);
  assert.deepEqual(ratesAround(null), DEFAULT_RATES);
});

test("any run takes about seven seconds", () => {
  assert.equal(pace(10), 350);
  assert.equal(pace(100), 70);
  assert.equal(pace(100000), 16);
});

test("no verdict before its time; a divergence shows when it happens", () => {
  const crawls = { kind: "crawls", at: null, says: "…" };
  assert.equal(verdictAt(crawls, 5, 10), null);
  assert.match(verdictAt(crawls, 10, 10).word, /crawls/);
  const diverges = { kind: "diverges", at: 4, says: "…" };
  assert.equal(verdictAt(diverges, 3, 10), null);
  assert.match(verdictAt(diverges, 4, 10).word, /diverges/);
});

test("a ball that leaves the bowl is drawn up to where it left", () => {
  assert.deepEqual(ballPath([3, -3, 3], 1).inside.length, 2);
  const lost = ballPath([3, -4, 9, "Infinity"], 3);
  assert.equal(lost.out, 2);
  assert.equal(lost.inside.length, 2);
  assert.equal(ballPath(["NaN"], 0).out, 0);
});

test("the loss axis is cut where lanes explode or vanish", () => {
  assert.deepEqual(range([{ loss: [1, 0.1] }]), [0.1, 1]);
  assert.equal(range([{ loss: [1, 1e9] }, { loss: [1, 1e-30] }])[1], 1e4);
  assert.equal(range([{ loss: [1, 1e-30] }])[0], 1e-12);
  assert.deepEqual(range([{ loss: ["NaN"] }]), [0.1, 1]);
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
