// How high lines are that do not stand in the document: by what their text lets expect, until they have been measured.

const LINE = 25; // px of a line that is not broken
const MORE = 16.5; // px that each further line of text adds
const WIDTH = 15; // characters before the text is broken
const AROUND = 0.75; // of the view's height, above and below it

/** @param {string[]} texts */
export function createRows(texts) {
  const heights = Float64Array.from(texts, (text) => LINE + MORE * Math.max(0, Math.ceil(text.length / WIDTH) - 1));

  /** @param {number} from @param {number} to */
  function sum(from, to) {
    let total = 0;
    for (let i = from; i < to; i++) total += heights[i];
    return total;
  }

  return {
    sum,

    /** A line's true height. @param {number} index @param {number} height */
    learn(index, height) {
      if (height > 0) heights[index] = height;
    },

    /** The line at a height within those from one to another. @param {number} from @param {number} to @param {number} y */
    at(from, to, y) {
      let index = from;
      for (let left = y; index < to - 1 && left >= heights[index]; index++) left -= heights[index];
      return index;
    },

    /** The lines that fill a view above and below one, as [from, to). @param {number} index @param {number} height @returns {[number, number]} */
    around(index, height) {
      let from = index;
      for (let left = height * AROUND; from > 0 && left > 0; from--) left -= heights[from - 1];
      let to = Math.min(index + 1, texts.length);
      for (let left = height * (1 + AROUND); to < texts.length && left > 0; to++) left -= heights[to];
      return [from, to];
    },
  };
}
