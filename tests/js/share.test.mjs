import assert from "node:assert/strict";
import { test } from "node:test";
import { fragment, pack, pathOf, readFragment, unpack } from "../../static/js/share.js";

test("what is packed comes back, letters of all kinds included", async () => {
  const data = { spec: { program: "L = (w*x + b)**2", title: "∂L/∂w — ▲" }, changes: [{ node: "w", value: [[1, -2]] }] };
  const text = await pack(data);
  assert.match(text, /^[\w-]+$/);
  assert.deepEqual(await unpack(text), data);
});

test("a position alone stays readable", async () => {
  assert.equal(await fragment({ position: { iteration: 3, step: 9 } }), "#at=3.9");
  assert.deepEqual(await readFragment("#at=3.9"), { position: { iteration: 3, step: 9 }, changes: [], spec: null, tab: null, folds: null });
});

test("changes and a spec travel in the link", async () => {
  const changes = [{ kind: "set", node: "w", value: 2 }];
  const spec = { program: "L = w*x", values: { w: 2, x: 3 } };
  const hash = await fragment({ position: { iteration: 0, step: 0 }, changes, spec });
  assert.deepEqual(await readFragment(hash), { position: { iteration: 0, step: 0 }, changes, spec, tab: null, folds: null });
});

test("the picture travels in the link where it is not the one that opens by itself", async () => {
  const hash = await fragment({ position: { iteration: 0, step: 2 }, tab: "maps" });
  assert.equal(hash, "#at=0.2&picture=maps");
  assert.equal((await readFragment(hash)).tab, "maps");
  assert.equal((await readFragment("#picture=<b>")).tab, null);
});

test("the open layers travel in the link where they are others than at first", async () => {
  const at = { iteration: 0, step: 2 };
  const open = { collapse: /** @type {const} */ ("all"), open: ["0/", "0/t 2/&x/"] };
  const hash = await fragment({ position: at, folds: open });
  assert.equal(hash, "#at=0.2&layers=closed&open=0%2F&open=0%2Ft%202%2F%26x%2F");
  assert.deepEqual((await readFragment(hash)).folds, open);
  for (const folds of [{ collapse: /** @type {const} */ ("none"), open: [] }, { collapse: /** @type {const} */ ("all"), open: [] }]) {
    assert.deepEqual((await readFragment(await fragment({ position: at, folds }))).folds, folds);
  }
  assert.equal(await fragment({ position: at, folds: { collapse: "all", open: Array(200).fill("0/") } }), "#at=0.2", "too many to be named");
});

test("a broken link opens what it can", async () => {
  assert.deepEqual(await readFragment("#at=x&run=%%%"), { position: null, changes: [], spec: null, tab: null, folds: null });
  assert.deepEqual(await readFragment(""), { position: null, changes: [], spec: null, tab: null, folds: null });
});

test("links begin at the lesson", () => {
  assert.equal(pathOf({ lesson: "a neuron" }), "/walk/a%20neuron");
  assert.equal(pathOf({ lesson: null }), "/walk");
});
