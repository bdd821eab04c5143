/**
 * What can be trained in the lab: two formulas whose landscape can be drawn whole, a network for each of the
 * server's data sets, every lesson, and a spec of one's own from a link.
 */

/**
 * @typedef {object} Problem
 * @property {string} id
 * @property {string} title
 * @property {string} group
 * @property {object | null} spec
 * @property {string | null} lesson
 * @property {number} lr  a rate to begin with
 * @property {number} iterations
 */

/** @param {string} id @param {string} title @param {object} spec @param {number} lr @param {number} iterations @returns {Problem} */
const formula = (id, title, spec, lr, iterations) => ({ id, title, spec, lr, iterations, group: "Formulas", lesson: null });

export const FORMULAS = [
  formula("bowl", "The bowl x², from 3", { title: "The bowl x²", program: "L = x**2", values: { x: 3 } }, 0.1, 40),
  formula("ravine", "The ravine ½x² + 12½y²", {
    title: "The ravine", program: "L = 0.5*(x**2 + 25*y**2)", values: { x: -4, y: 1.5 },
  }, 0.03, 60),
  formula("saddle", "A saddle, between two valleys", {
    title: "A saddle", program: "L = x**2/2 + (y**2 - 1)**2", values: { x: -1.5, y: 0.02 },
  }, 0.05, 60),
];

/** @typedef {{name: string, task: string, loss: string, outputs: number, target_shape?: number[], parameters?: {name: string}[]}} Dataset  a row of GET /api/datasets */
/** @typedef {{hidden: number[], activation: string, more?: object, data?: object, lr?: number, iterations?: number}} Network */

/** Networks that are not the usual one. @type {Record<string, Network>} */
const NETWORKS = {
  sine: { hidden: [16, 16], activation: "tanh", data: { noise: 0.02 }, more: { batch_size: 20, shuffle: true }, lr: 0.3, iterations: 400 },
  spiral: { hidden: [16, 16], activation: "tanh", lr: 1 },
  plane: { hidden: [], activation: "tanh", lr: 0.3, iterations: 100 },
  gaussians: { hidden: [], activation: "tanh", lr: 1, iterations: 100 },
  digits: { hidden: [32], activation: "relu", more: { batch_size: 20 }, lr: 0.3 },
};
const USUAL = { hidden: [8, 8], activation: "tanh" };
const UNITS = 8; // of the recurrent layer for sequences
const SEED = 1;

/** @param {Dataset} dataset @param {Network} network */
const layersOf = ({ task, outputs, target_shape }, { hidden, activation }) => [
  ...(task === "sequence" ? [{ type: "gru", hidden_size: UNITS, return_sequences: (target_shape?.length ?? 1) > 1 }]
    : hidden.flatMap((width) => [{ type: "linear", out_features: width }, { type: activation }])),
  { type: "linear", out_features: outputs },
];

/** A network for a data set, with the loss that its task asks for. @param {Dataset} dataset @param {Network} network @param {{id?: string, title?: string}} [as] @returns {Problem} */
function problem(dataset, network, { id = dataset.name, title = `${dataset.name} · ${words(dataset, network)}` } = {}) {
  const flat = dataset.parameters?.some(({ name }) => name === "flat") ? { flat: true } : {};
  const spec = {
    title: `The data set ${dataset.name}`,
    model: { layers: layersOf(dataset, network) },
    loss: { type: dataset.loss },
    data: { dataset: dataset.name, samples: 200, ...flat, ...network.data },
    seed: SEED,
    ...network.more,
  };
  return { id, title, spec, group: "Data sets", lesson: null, lr: network.lr ?? 0.5, iterations: network.iterations ?? 200 };
}

/** @param {Dataset} dataset @param {Network} network */
const words = ({ task }, { hidden, activation }) =>
  (task === "sequence" ? `gru, ${UNITS} units` : hidden.length ? `${hidden.length} × ${hidden[0]} ${activation}` : "one linear layer");

const DEEP = problem({ name: "circle", task: "binary", loss: "bce_with_logits", outputs: 1 },
  { hidden: Array(6).fill(16), activation: "relu", lr: 0.1 }, { id: "deep", title: "circle · deep, 6 × 16 relu" });

/** @param {Dataset[]} datasets @returns {Problem[]} */
export const networks = (datasets) => [...datasets.map((dataset) => problem(dataset, NETWORKS[dataset.name] ?? USUAL)), DEEP];

/** Before the server's table is here: what presets speak of. */
const KNOWN = networks([
  { name: "moons", task: "binary", loss: "bce_with_logits", outputs: 1 },
  { name: "sine", task: "regression", loss: "mse", outputs: 1 },
]);

/** @param {{id: string, title: string}} lesson @returns {Problem} */
export const lessonProblem = ({ id, title }) =>
  ({ id: `lesson/${id}`, title, spec: null, lesson: id, group: "Lessons", lr: 0.1, iterations: 40 });

/** @param {object} spec @returns {Problem} */
export const ownProblem = (spec) => ({
  id: "own", title: /** @type {any} */ (spec).title || "Your own", spec, lesson: null, group: "Yours",
  lr: /** @type {any} */ (spec).optimizer?.lr ?? 0.1, iterations: 100,
});

/**
 * The problem of this id, or null: it may come with the server's table.
 * @param {string} id @param {Problem[]} known
 * @returns {Problem | null}
 */
export function find(id, known = []) {
  const there = [...known, ...FORMULAS, ...KNOWN].find((one) => one.id === id);
  if (there) return there;
  if (id.startsWith("lesson/")) return lessonProblem({ id: id.slice(7), title: id.slice(7) });
  return null;
}

/** What a request says of it. @param {Problem} problem */
export const asked = ({ spec, lesson }) => (lesson ? { lesson } : { spec });
