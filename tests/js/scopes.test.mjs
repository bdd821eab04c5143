import assert from "node:assert/strict";
import { test } from "node:test";
import { gather } from "../../static/js/geometry.js";
import { createRows } from "../../static/js/panels/rows.js";
import { outlet, together } from "../../static/js/panels/scope_box.js";
import { branches, followed, readScopes, turned } from "../../static/js/scopes.js";

const box = { x: 0, y: 0, width: 10, height: 10 };
const node = (name, group, inputs = []) => ({ name, group, inputs, shape: [], kind: inputs.length ? "op" : "input", ...box });
const scope = (name, parent, open) => ({ name, parent, open, label: name, says: "", ops: 1, parameters: [], outputs: [], place: open ? box : null });
const edge = (from, to, slot = 0, points = [[0, 0], [1, 0]]) => ({ from, to, slot, points });

const graph = {
  nodes: [node("x", ""), node("a", "0/", ["x"]), node("b", "0/t1/", ["a", "a"]), node("c", "1/", ["b"]), node("d", "1/", ["c"])],
  edges: [edge("x", "a"), edge("a", "b", 0), edge("a", "b", 1), edge("b", "c"), edge("c", "d", 0, [])],
  scopes: [scope("0/", null, true), scope("0/t1/", "0/", true), scope("1/", null, false)],
};

test("a node in a closed scope is where the scope's box is, one in open scopes is itself", () => {
  const { standing, items, frames, pathTo, members } = readScopes(graph);
  assert.deepEqual(["x", "b", "c", "d"].map(standing), ["x", "b", "1/", "1/"]);
  assert.deepEqual([...items.keys()], ["x", "a", "b", "1/"]);
  assert.deepEqual(items.get("1/").members.map((n) => n.name), ["c", "d"]);
  assert.deepEqual(frames.map((f) => f.name), ["0/", "0/t1/"]);
  assert.deepEqual(pathTo("b").map((s) => s.name), ["0/", "0/t1/"]);
  assert.deepEqual(members("0/").map((n) => n.name), ["a", "b"]);
});

test("both edges of a product with itself are drawn; what lies inside a closed scope is not", () => {
  const { wires } = readScopes(graph);
  assert.deepEqual(wires.map(({ from, to, edges }) => [from, to, edges.length]), [["x", "a", 1], ["a", "b", 1], ["a", "b", 1], ["b", "1/", 1]]);
});

test("turning a scope opens it or closes it, and leaves the others as they are", () => {
  assert.deepEqual(turned(graph, "1/"), ["0/", "0/t1/", "1/"]);
  assert.deepEqual(turned(graph, "0/"), ["0/t1/"]);
});

test("a graph without scopes shows its nodes", () => {
  const plain = { nodes: [node("x"), node("y", undefined, ["x"])], edges: [edge("x", "y")] };
  assert.deepEqual([...readScopes(plain).items.keys()], ["x", "y"]);
});

test("lines on one rail are drawn once: each begins where the one before has left it", () => {
  const way = (end) => [[0, 5], [2, 5], [2, 0], [end, 0], [end, 9], [end + 1, 9]];
  const wires = [30, 10, 20].map((end) => ({ from: "w", to: `h${end}`, edges: [], points: way(end) }));
  const pieces = branches(wires);
  assert.deepEqual(pieces.get(wires[1]), way(10));
  assert.deepEqual(pieces.get(wires[2])[0], [10, 0]);
  assert.deepEqual(pieces.get(wires[0])[0], [20, 0]);
});

test("the numbers of a tensor taken apart stand in its places", () => {
  const number = (x) => ({ shape: [], data: x });
  const outputs = ["z[0,0]", "z[0,1]", "z[1,0]", "z[1,1]"].map((name) => ({ ...node(name), name }));
  const { places } = outlet(outputs);
  const made = together([1, -2, 3, 4].map(number), places);
  assert.deepEqual([made.shape, made.data, made.min, made.max], [[2, 2], [[1, -2], [3, 4]], -2, 4]);
  assert.equal(together([number(1), null, number(3), number(4)], places), null);
  assert.equal(outlet([{ ...node("h"), shape: [2] }, { ...node("c"), shape: [2] }]).places, null);
});

test("the camera takes along what is near, not a weight at the other end", () => {
  const at = (x) => ({ x, y: 0, width: 10, height: 10 });
  assert.deepEqual(gather(at(1000), [[at(0), at(980)], [at(1030)]], { width: 100, height: 50 }), [at(1000), at(980), at(1030)]);
});

test("room is kept for lines that are not there, by what is known of them", () => {
  const rows = createRows(Array.from({ length: 1000 }, (_, i) => (i === 3 ? "x".repeat(40) : "short")));
  assert.equal(rows.sum(0, 2), 50);
  assert.ok(rows.sum(3, 4) > 50);
  rows.learn(0, 40);
  assert.equal(rows.sum(0, 2), 65);
  const [from, to] = rows.around(500, 400);
  assert.ok(from < 500 && to > 500 && to - from < 60);
  assert.deepEqual(rows.around(0, 100)[0], 0);
  assert.equal(rows.at(0, 1000, 66), 2);
});

test("what runs is open, and what a hand has opened stays so", () => {
  const into = followed(["1/"], ["0/", "0/t1/"], new Set());
  assert.deepEqual([into.open, [...into.own], into.changed], [["1/", "0/", "0/t1/"], ["0/", "0/t1/"], true]);
  const on = followed(into.open, ["0/", "0/t2/"], into.own);
  assert.deepEqual(on.open, ["1/", "0/", "0/t2/"]);
  assert.equal(followed(on.open, ["0/", "0/t2/"], on.own).changed, false);
  const past = followed(on.open, ["1/"], on.own);
  assert.deepEqual([past.open, past.own.size], [["1/"], 0], "the one that was opened by hand is not its own");
});
