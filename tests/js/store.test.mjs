import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore } from "../../static/js/store.js";

test("a watcher hears of changes to its own part, and of nothing else", () => {
  const store = createStore({ a: 1, b: 1 });
  const heard = [];
  const stop = store.watch((s) => s.a, (now, before) => heard.push([before, now]));
  store.set({ b: 2 });
  store.set({ a: 2 });
  store.set((s) => ({ a: s.a + 1 }));
  stop();
  store.set({ a: 9 });
  assert.deepEqual(heard, [[1, 2], [2, 3]]);
});

test("a selection of several parts is compared entry by entry", () => {
  const store = createStore({ a: 1, b: 1, c: 1 });
  let calls = 0;
  store.watch((s) => [s.a, s.b], () => (calls += 1));
  store.set({ c: 2 });
  assert.equal(calls, 0);
  store.set({ b: 2 });
  assert.equal(calls, 1);
});

test("a watcher may set in turn", () => {
  const store = createStore({ a: 1, double: 2 });
  store.watch((s) => s.a, (a) => store.set({ double: 2 * a }));
  store.set({ a: 4 });
  assert.equal(store.get().double, 8);
});
