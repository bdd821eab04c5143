// What a choice of data changes: a set by name, with the network that suits it, or samples of one's own.

import { DEFAULT, isOwn, taskOf } from "./choices.js";

/** @import {Choices, Data, Own} from "./choices.js" */
/** @import {Set} from "./controls.js" */
/** @import {Scene} from "./live.js" */

const DEFAULT_SAMPLES = 500;
/** What suits a kind of data better than what suited another. @type {Record<string, Partial<Choices>>} */
const SUITED = {
  points: { layers: DEFAULT.layers },
  picture: { layers: [8, 8] },
  tokens: { layers: [8], optimizer: "adam", lr: 0.01, norm: "" },
  back: { optimizer: DEFAULT.optimizer, lr: DEFAULT.lr },
};

/** @param {Set | undefined} set */
const kindOf = (set) => (set?.tokens ? "tokens" : set?.picture ? "picture" : "points");

/** @param {Set} set @param {Choices} choices  as they are now @param {Record<string, Set>} known @returns {Partial<Choices>} */
export function changesFor(set, { data: now }, known) {
  const usual = Object.fromEntries(Object.entries(set.options).map(([name, option]) => [name, option.default]));
  const [was, kind] = [kindOf(isOwn(now) ? undefined : known[now.dataset]), kindOf(set)];
  const data = /** @type {Data} */ ({
    dataset: set.name, ...usual, samples: isOwn(now) ? DEFAULT_SAMPLES : now.samples, ...(kind === "picture" ? { flat: true } : {}),
  });
  return {
    data, loss: "",
    ...(isOwn(now) ? { validation: DEFAULT.validation, batch: DEFAULT.batch, standardise: false } : {}),
    ...(was === "tokens" && kind !== was ? SUITED.back : {}),
    ...(kind === was ? {} : SUITED[kind]),
  };
}

/**
 * What the plane holds: one's own points, of which the last may not have been answered yet, or a set as it is drawn.
 * @param {Scene} scene @param {Choices} choices @param {Record<string, Set>} known @returns {Own}
 */
function pointsNow(scene, { data, standardise }, known) {
  if (isOwn(data) && !standardise) return { ...data, inputs: [...data.inputs], targets: [...data.targets] };
  const sets = Object.values(scene.samples);
  return {
    inputs: sets.flatMap(({ inputs }) => inputs),
    targets: sets.flatMap(({ targets }) => targets.flat().map(Number)),
    task: taskOf(data, known),
  };
}

/**
 * All that are there and one more, of this class; on a line the place says its value.
 * @param {Scene} scene @param {Choices} choices @param {Record<string, Set>} known @param {number[]} place @param {number} kind @returns {Own}
 */
export function withPoint(scene, choices, known, place, kind) {
  const all = pointsNow(scene, choices, known);
  const line = scene.domain.length === 1;
  all.inputs.push((line ? [place[0]] : place).map((x) => Number(x.toFixed(3))));
  all.targets.push(line ? Number(place[1].toFixed(3)) : scene.classes ? kind : kind || -1);
  return all;
}

/** Two points, one of each class, to begin with. @param {boolean} line @returns {Partial<Choices>} */
export const emptied = (line) => ({
  data: line ? { inputs: [[-0.5], [0.5]], targets: [-0.5, 0.5], task: "regression" } : { inputs: [[-0.5, -0.5], [0.5, 0.5]], targets: [0, 1], task: "binary" },
  validation: 0, batch: 0, standardise: false, loss: "",
});
