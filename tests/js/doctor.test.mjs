// What the doctor's panel computes: what its button says, and the scales of two lanes over each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { limitOf } from "../../static/js/panels/doctor.js";
import { lanesPicture } from "../../static/js/panels/doctor_lanes.js";
import { badge } from "../../static/js/panels/doctor_watch.js";

/** @param {string[]} checks @param {number} [iteration] @returns {any} */
const report = (checks, iteration = 9) => ({ iteration, findings: checks.map((check) => ({ check })), checks: [], verdict: "" });
const SIZE = { width: 300, height: 150 };

test("the button counts checks that found something, and ticks a healthy run only when it has run", () => {
  assert.equal(badge(null).text, "");
  assert.equal(badge(report([], 0)).text, "");
  assert.deepEqual(badge(report([])), { text: "✓", name: "Doctor: nothing found" });
  assert.deepEqual(badge(report(["dead_relu", "dead_relu"])), { text: "1", name: "Doctor: 1 finding" });
  assert.deepEqual(badge(report(["dead_relu", "plateau"])), { text: "2", name: "Doctor: 2 findings" });
  assert.equal(badge(report(["wrong_loss"], 0)).text, "1");
});

test("a threshold says which side is sick", () => {
  const check = { name: "", title: "", looks_at: "", source: "", measures: "", threshold: 0.4, above: true, share: true };
  assert.equal(limitOf(check), "sick above 40 %");
  assert.equal(limitOf({ ...check, above: false, share: false }), "sick below 0.4");
});

test("both lanes share one scale, by powers of ten where they lie far apart", () => {
  const near = lanesPicture([{ loss: [1, 0.9], validation: [] }, { loss: [1, 0.5], validation: [] }], SIZE);
  assert.equal(near.log, false);
  const far = lanesPicture([{ loss: [1, 0.9], validation: [] }, { loss: [1, 1e-6], validation: [] }], SIZE);
  assert.ok(far.log && far.y(1e-6) > far.y(0.9));
});

test("a lane that flies off does not flatten the other one", () => {
  const { lines, y, yTicks } = lanesPicture([{ loss: [1, 50, 1e9, "Infinity", "NaN"], validation: [] }, { loss: [1, 0.5, 0.3, 0.2, 0.1], validation: [1, null, 0.8, null, 0.6] }], SIZE);
  assert.ok(lines[0].lost && !lines[1].lost);
  assert.ok(yTicks.every((t) => t <= 20) && y(0.1) - y(1) > 50);
  assert.ok(lines[0].loss.startsWith("M") && lines[1].validation.includes("M") && !lines[0].validation);
  assert.ok(!/NaN|Infinity/.test(lines[0].loss));
});

test("nothing finite is no reason to fail", () => {
  assert.ok(lanesPicture([{ loss: ["NaN"], validation: [] }], SIZE).yTicks.length > 0);
});
