/**
 * The ways of networks that have more numbers than can be drawn: laid by the server onto the one plane on which they
 * differ most, over the loss there.
 */

import { fill, h } from "../h.js";
import { number, toNumber } from "../format.js";
import { landscape } from "../stream.js";
import { terrainPicture } from "./terrain.js";

/** @import {Num} from "../types.js" */
/** @import {Result} from "./row.js" */
/** @typedef {{iteration: number, a: Num, b: Num, loss: Num}} Place */
/** @typedef {{axes: string[], explained: Num[] | null, a: number[], b: number[], loss: (Num[] | null)[], paths: Place[][]}} Common */

const POINTS = 41;

const LOST = 3; // times the start's loss: above, the server counts a lane as thrown out

/**
 * A place for every iteration: evenly between those that are known, and none after a lane is thrown out, which its
 * losses tell to the iteration.
 * @param {Place[]} known @param {Num[]} losses
 * @returns {[number, number][]}
 */
export function everyStep(known, losses) {
  const last = losses.length - 1;
  /** @type {[number, number][]} */
  const all = Array.from({ length: last + 1 }, () => [NaN, NaN]);
  known.forEach((place, i) => {
    const from = known[i - 1] ?? place;
    const steps = place.iteration - from.iteration;
    for (let k = steps ? 1 : 0; k <= steps; k++) {
      const t = steps ? k / steps : 0;
      all[from.iteration + k] = /** @type {[number, number]} */ ([[from.a, place.a], [from.b, place.b]].map(([u, v]) => (1 - t) * toNumber(u) + t * toNumber(v)));
    }
  });
  const end = known.at(-1);
  const most = LOST * Math.abs(toNumber(losses[0]));
  for (let k = (end?.iteration ?? last) + 1; end && k <= last && toNumber(losses[k]) <= most; k++) all[k] = all[end.iteration];
  return all;
}

/** @param {Common} found */
const axesOf = ({ axes, explained }) => axes.map((name, i) => (explained ? `${name} (${number(Math.round(100 * toNumber(explained[i])))} %)` : name));

/**
 * @param {HTMLElement} stage @param {Result[]} results @param {string[]} names @param {{body: object, signal: AbortSignal}} about
 * @param {(found: Common) => void} known
 */
export function waysPicture(stage, results, names, { body, signal }, known) {
  /** @type {{update: (k: number) => void} | null} */
  let picture = null;
  let shown = 0;
  const waiting = h("p", { class: "lab-empty" }, "Laying all ways onto one plane …");
  fill(stage, waiting);
  landscape({ ...body, points: POINTS }, { signal }).then((/** @type {Common} */ found) => {
    known(found);
    if (!waiting.isConnected) return;
    picture = terrainPicture(stage, results.map(({ loss, verdict }, i) => ({ path: everyStep(found.paths[i], loss), loss, verdict, name: names[i] })),
      { a: found.a, b: found.b, loss: found.loss.map((row) => row ?? []), axes: axesOf(found), dots: false });
    picture.update(shown);
  }).catch((/** @type {Error} */ error) => {
    if (error.name !== "AbortError" && waiting.isConnected) fill(stage, h("p", { class: "lab-empty" }, error.message));
  });
  return {
    update(/** @type {number} */ k) {
      shown = k;
      picture?.update(k);
    },
  };
}
