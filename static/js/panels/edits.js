/**
 * Edits of a number, apart from any picture: how far a key moves it, what of an array changes, and
 * what an edit did beside what the slope had said.
 */

import { signed, toNumber } from "../format.js";

/** @import {Effect, Frame, State} from "../types.js" */

/**
 * A copy of nested lists with one entry changed.
 * @param {any} data @param {number[]} index @param {any} value
 * @returns {any}
 */
export function withEntry(data, index, value) {
  if (!index.length) return value;
  const [head, ...rest] = index;
  return data.map((/** @type {any} */ part, /** @type {number} */ i) => (i === head ? withEntry(part, rest, value) : part));
}

/**
 * How far an arrow key moves a number: a tenth of its size, as a round power of ten.
 * @param {number} value
 */
export function stepOf(value) {
  const size = Math.abs(value);
  return size >= 1 || size === 0 || !Number.isFinite(size) ? 0.1 : Number((10 ** (Math.floor(Math.log10(size)) - 1)).toPrecision(1));
}

/**
 * A sum without the dust of binary fractions: 0.1 + 0.2 is 0.3.
 * @param {number} value @param {number} by
 */
export const nudged = (value, by) => Number((value + by).toPrecision(12));

/**
 * What an edit did, beside what the slope said it would do.
 * @param {Effect} effect
 * @returns {{said: string, why: string}}
 */
export function effectWords({ predicted, actual }) {
  const p = toNumber(predicted);
  const a = toNumber(actual);
  const said = `slope said ${signed(predicted)}, it was ${signed(actual)}`;
  if (!Number.isFinite(a)) return { said, why: "the loss is no longer a finite number" };
  if (a === 0 && p === 0) return { said, why: "the loss does not feel this number here" };
  if (Math.abs(p - a) <= 0.02 * Math.max(Math.abs(p), Math.abs(a))) return { said, why: "over so short a way the loss is almost straight" };
  return { said, why: `the rest, ${signed(a - p)}, is curvature` };
}

/**
 * The steps of this iteration that made what stands in a slot: the last to write a value; of a
 * gradient all that have added since it was emptied. Steps that the page has not fetched are left out.
 * @param {string} node @param {"value" | "grad"} slot @param {number} step  how many steps are done
 * @param {(index: number) => Frame | null} frameAt
 * @returns {number[]} plan indices
 */
export function writersOf(node, slot, step, frameAt) {
  /** @type {number[]} */
  let found = [];
  for (let index = 0; index < step; index += 1) {
    const write = frameAt(index)?.writes.find((w) => w.node === node && w.slot === slot);
    if (!write) continue;
    if (write.value === null) found = [];
    else found = slot === "grad" ? [...found, index] : [index];
  }
  return found;
}

/**
 * A setting as the hand has left it. Where its step has run already, a change works from the next
 * iteration on, and only the log of changes knows of it.
 * @param {Pick<State, "session" | "position">} state @param {"lr" | "zero_grad" | "clip"} name
 */
export function wished({ session, position }, name) {
  const coming = session.changes.filter((change) => change.iteration === position.iteration + 1 && name in change);
  return /** @type {any} */ (coming.at(-1) ?? session.settings)[name];
}

/** Calls one after the other, and of those that wait only the last. @param {(x: any) => Promise<any>} send */
export function latest(send) {
  let running = false;
  /** @type {{x: any} | null} */
  let waiting = null;
  return async function call(/** @type {any} */ x) {
    if (running) {
      waiting = { x };
      return;
    }
    running = true;
    try {
      await send(x);
    } finally {
      running = false;
      if (waiting) {
        const next = waiting.x;
        waiting = null;
        call(next);
      }
    }
  };
}
