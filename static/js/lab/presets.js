/**
 * Questions that the lab answers by itself: a problem, lanes, and one sentence of what to look at.
 */

import { schedule } from "./lanes.js";

/** @import {Changes} from "./lanes.js" */

/**
 * @typedef {object} Preset
 * @property {string} id
 * @property {string} title  on its button
 * @property {string} question
 * @property {string} says
 * @property {string} on  a problem's id
 * @property {number} iterations
 * @property {Changes[]} lanes
 */

export const DEFAULT_RATES = [0.01, 0.1, 0.9, 1, 1.1];

/** @param {string} type @param {number} lr @param {object} [more] @returns {Changes} */
const optimizer = (type, lr, more) => ({ lr, optimizer: { type, ...more } });

/** @type {Preset[]} */
export const PRESETS = [
  {
    id: "rates", title: "Too small, just right, too large", question: "How big should a step be?",
    says: "Same start, same seed. Only the learning rate η differs.",
    on: "bowl", iterations: 40, lanes: DEFAULT_RATES.map((lr) => ({ lr })),
  },
  {
    id: "optimizers", title: "Optimizers in a ravine", question: "Who gets out of the ravine first?",
    says: "Steep across, flat along: one rate cannot fit both. Each optimizer deals with it in its own way.",
    on: "ravine", iterations: 60,
    lanes: [optimizer("sgd", 0.03), optimizer("sgd", 0.075), optimizer("momentum", 0.02, { momentum: 0.9 }), optimizer("rmsprop", 0.1),
      optimizer("adagrad", 0.8), optimizer("adam", 0.2), optimizer("adamw", 0.2)],
  },
  {
    id: "schedules", title: "Schedules", question: "Should the rate stay as it is?",
    says: "The same rate at the start, bent in five ways: large steps to get there, small ones to settle.",
    on: "sine", iterations: 400,
    lanes: ["constant", "step", "exponential", "cosine", "warmup"].map((type) => ({ lr: 0.3, schedule: schedule(type, 400) })),
  },
  {
    id: "batches", title: "Batch, SGD, mini-batch", question: "How many samples before a step?",
    says: "All 200 samples, 20, or a single one for each update: count the updates, then count the samples.",
    on: "moons", iterations: 300,
    lanes: [{ lr: 0.3, batch_size: null }, { lr: 0.3, batch_size: 20 }, { lr: 0.3, batch_size: 1 }],
  },
  {
    id: "inits", title: "Zero, Xavier, He", question: "Where should the weights start?",
    says: "Six ReLU layers. With zeros nothing tells one neuron from another; too small and the signal dies on its way.",
    on: "deep", iterations: 200,
    lanes: [{ type: "zeros" }, { type: "normal", std: 0.01 }, { type: "xavier_uniform" }, { type: "kaiming_uniform" }]
      .map((init) => ({ lr: 0.1, init })),
  },
];

/** @param {string | null} id */
export const preset = (id) => PRESETS.find((one) => one.id === id) ?? null;
