import assert from "node:assert/strict";
import { test } from "node:test";
import * as g from "../../static/js/geometry.js";

const near = (a, b, tolerance = 1e-6) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not near ${b}`);

test("an edge keeps its ends and leaves level", () => {
  const line = g.smooth([[0, 0], [100, 60]]);
  assert.deepEqual(line[0], [0, 0]);
  near(line.at(-1)[0], 100);
  near(line.at(-1)[1], 60);
  assert.ok(Math.abs(line[1][1]) < 1);
});

test("a routed edge has rounded bends and keeps its ends", () => {
  const line = g.smooth([[0, 0], [40, 0], [40, 80], [100, 80]]);
  assert.deepEqual(line[0], [0, 0]);
  assert.deepEqual(line.at(-1), [100, 80]);
  assert.ok(line.every(([x, y]) => Math.hypot(x - 40, y) > 3), "no sample lies in the sharp corner");
  assert.ok(line.length > 10);
});

test("two lanes lie on both sides, at one distance", () => {
  const line = [[0, 0], [50, 0], [100, 0]];
  assert.deepEqual(g.lane(line, 4).map((p) => p[1]), [4, 4, 4]);
  assert.deepEqual(g.lane(line, -4).map((p) => p[1]), [-4, -4, -4]);
});

test("a packet's place along a line", () => {
  const line = [[0, 0], [30, 0], [30, 40]];
  assert.equal(g.length(line), 70);
  assert.deepEqual(g.pointAt(line, 0), [0, 0]);
  assert.deepEqual(g.pointAt(line, 50), [30, 20]);
  assert.deepEqual(g.pointAt(line, 999), [30, 40]);
  near(g.length(g.shorten(line, 10)), 60);
});

test("width follows the logarithm of the gradient and stays in its bounds", () => {
  assert.equal(g.widthOf(0), 1.5);
  assert.equal(g.widthOf(1e-9), 1.5);
  assert.equal(g.widthOf(1e9), 8);
  assert.equal(g.widthOf(Infinity), 8);
  assert.equal(g.widthOf(NaN), 1.5);
  near(g.widthOf(0.1), 1.5 + 6.5 / 2);
});

const view = { width: 1000, height: 600, free: { x: 0, y: 0, width: 1000, height: 600 }, legible: 0.9, comfortable: 1.1, most: 1.6 };

test("a graph that fits is shown whole, in the middle", () => {
  const camera = g.aim(view, { x: 0, y: 0, width: 500, height: 200 }, null, null, null);
  assert.equal(camera.scale, 1.6);
  near(camera.x, (1000 - 800) / 2);
  near(camera.y, (600 - 320) / 2);
});

test("a large graph is never shrunk below legibility; the camera follows the focus, and rests while it is in view", () => {
  const whole = { x: 0, y: 0, width: 5000, height: 300 };
  const focus = { x: 2400, y: 50, width: 300, height: 100 };
  const camera = g.aim(view, whole, focus, focus, null);
  assert.ok(camera.scale >= 0.9);
  near((focus.x + focus.width / 2) * camera.scale + camera.x, 500);
  assert.equal(g.aim(view, whole, { ...focus, x: 2450 }, null, camera), camera);
  assert.notEqual(g.aim(view, whole, { ...focus, x: 4000 }, null, camera), camera);
});

test("the camera does not look past the ends", () => {
  const whole = { x: 0, y: 0, width: 5000, height: 300 };
  const first = g.aim(view, whole, { x: 0, y: 0, width: 100, height: 100 }, null, null);
  near(first.x, 0);
  const last = g.aim(view, whole, { x: 4900, y: 0, width: 100, height: 100 }, null, null);
  near(5000 * last.scale + last.x, 1000);
});

test("a box around boxes", () => {
  const two = [{ x: 0, y: 5, width: 10, height: 10 }, { x: 20, y: 0, width: 5, height: 5 }];
  assert.deepEqual(g.around(two), { x: 0, y: 0, width: 25, height: 15 });
  assert.equal(g.around([]), null);
});

test("gaps between columns are widened, nodes keep their size, and edges still meet them", () => {
  const box = (x, y) => ({ x, y, width: 100, height: 50 });
  const graph = {
    width: 520,
    height: 200,
    nodes: [box(10, 0), box(10, 80), box(160, 0), box(310, 40)],
    edges: [{ points: [[110, 20], [135, 20], [135, 60], [310, 60]] }],
  };
  const wide = g.widen(graph, { gap: 80 });
  assert.deepEqual(wide.nodes.map((n) => n.x), [10, 10, 190, 370]);
  assert.ok(wide.nodes.every((n) => n.width === 100));
  assert.equal(wide.width, 580);
  assert.deepEqual(wide.edges[0].points.map((p) => p[0]), [110, 150, 150, 370]);
  assert.deepEqual(g.widen(graph, { gap: 40 }).nodes, graph.nodes);
});

test("columns grow, and edges still begin and end at their nodes", () => {
  const box = (x) => ({ x, y: 0, width: 100, height: 50 });
  const graph = { width: 270, height: 50, nodes: [box(10), box(160)], edges: [{ points: [[110, 20], [160, 20]] }] };
  const grown = g.widen(graph, { gap: 60, grow: 20 });
  assert.deepEqual(grown.nodes.map((n) => [n.x, n.width]), [[10, 120], [190, 120]]);
  assert.deepEqual(grown.edges[0].points.map((p) => p[0]), [130, 190]);
});
