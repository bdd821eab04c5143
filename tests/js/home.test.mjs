import assert from "node:assert/strict";
import { test } from "node:test";

import { onward, opening } from "../../static/js/home_hero.js";
import { freeNames, offsetOf, valueOf } from "../../static/js/home_program.js";
import { byTopic, matches, typeSize } from "../../static/js/home_shelf.js";

test("names that need a number are found in a program", () => {
  assert.deepEqual(freeNames("L = (w*x + b)**2"), ["w", "x", "b"]);
  assert.deepEqual(freeNames("a = sigmoid(w*x)\nL = 0.5*(a - y)**2"), ["w", "x", "y"]);
  assert.deepEqual(freeNames("L = 1e-3 * w  # times t"), ["w"]);
  assert.deepEqual(freeNames("z = x.T @ w\nL = sum(z, axis=0)"), ["x", "w"]);
  assert.deepEqual(freeNames("b = a + a\nb += c"), ["a", "c"]);
  assert.deepEqual(freeNames("ŷ = β*x"), ["β", "x"]);
  assert.deepEqual(freeNames(""), []);
});

test("a value is a number or lists of numbers", () => {
  assert.equal(valueOf(" −0.5 "), -0.5);
  assert.deepEqual(valueOf("[[1, 2], [3, 4]]"), [[1, 2], [3, 4]]);
  assert.equal(valueOf("Infinity"), "Infinity");
  for (const text of ["", "two", "[]", '["a"]', "[1,", "0x10"]) assert.equal(valueOf(text), null, text);
});

test("an error's line and column lead to a place in the text", () => {
  const program = "a = 1\nL = a *";
  assert.equal(offsetOf(program, "program, line 2, column 7"), 12);
  assert.equal(offsetOf(program, "line 9 column 99"), program.length);
  assert.equal(offsetOf(program, "no place"), null);
});

test("lessons stand under their topics, unknown topics last, empty ones not at all", () => {
  const lessons = [{ id: "b", topic: "Later" }, { id: "a", topic: "first" }];
  const shelves = byTopic({ lessons, topics: [{ id: "first", title: "First steps" }, { id: "none", title: "None" }] });
  assert.deepEqual(shelves.map((s) => s.title), ["First steps", "Later"]);
  assert.deepEqual(byTopic({ lessons, topics: ["Later"] }).map((s) => s.title), ["Later", "first"]);
});

test("a search finds a lesson by any of its words, in any order, without accents", () => {
  /** @type {any} */
  const lesson = { title: "Drawn after He", question: "What does ReLU ask of the weights?", topic: "Initialisation", summary: "Élan" };
  for (const found of ["", "relu", "he drawn", "INITIAL weights", "elan"]) assert.ok(matches(lesson, found), found);
  for (const lost of ["xavier", "relu xavier"]) assert.ok(!matches(lesson, lost), lost);
});

test("the hero opens in the backward pass and goes round", () => {
  const plan = ["data", "forward", "loss", "backward", "backward", "update"].map((phase, index) => ({ phase, index }));
  assert.equal(opening(plan), 5);
  assert.deepEqual(onward({ iteration: 0, step: 5 }, 6), { iteration: 0, step: 6 });
  assert.deepEqual(onward({ iteration: 0, step: 6 }, 6), { iteration: 1, step: 1 });
  assert.deepEqual(onward({ iteration: 2, step: 6 }, 6), { iteration: 0, step: 1 });
});

test("a symbol's type fits its box", () => {
  assert.equal(typeSize({ width: 100, height: 50 }, "σ"), 23);
  assert.ok(typeSize({ width: 100, height: 50 }, "softplus") < 14);
});
