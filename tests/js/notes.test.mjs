import assert from "node:assert/strict";
import { test } from "node:test";

import { noteOf } from "../../static/js/notes.js";

const notes = [{ index: 3, says: "The slope is 6." }, { index: 4, says: "The slope is the height's double." }];
const at = (index, iteration) => ({ index, position: { iteration, step: index + 1, of: 9 } });

test("words with numbers are said of the iteration that they tell of, and of no other", () => {
  assert.equal(noteOf({ notes, changes: [] }, at(3, 0)), "The slope is 6.");
  assert.equal(noteOf({ notes, changes: [] }, at(3, 1)), undefined);
  assert.equal(noteOf({ notes, changes: [{ iteration: 0 }] }, at(3, 0)), undefined, "a hand has changed the numbers");
  assert.equal(noteOf({ notes, changes: [{ iteration: 2 }] }, at(3, 0)), "The slope is 6.");
});

test("words without numbers always hold; a step without words has none", () => {
  assert.equal(noteOf({ notes, changes: [{ iteration: 0 }] }, at(4, 7)), notes[1].says);
  assert.equal(noteOf({ notes }, at(5, 0)), undefined);
  assert.equal(noteOf({ notes }, null), undefined);
});
