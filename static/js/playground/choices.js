// What a visitor chooses, and the spec that it makes. Everything else of the page only changes these choices.

/**
 * @typedef {{dataset: string, samples: number, noise: number} | {inputs: number[][], targets: number[]}} Data
 * @typedef {object} Choices
 * @property {Data} data
 * @property {number} validation  share of the samples held back
 * @property {number[]} layers  units of each hidden layer
 * @property {string} activation
 * @property {string} init  "" is PyTorch's own
 * @property {string} norm
 * @property {number} dropout
 * @property {string} loss  "" is the one that suits the task
 * @property {string} optimizer
 * @property {number} lr
 * @property {string} schedule
 * @property {number} batch  0 takes all samples at once
 * @property {number} l1
 * @property {number} l2
 * @property {number} seed
 * @property {number} held  above 0: train on so many samples alone, always the same
 */

export const MOST_LAYERS = 6;
export const MOST_UNITS = 8;

/** @type {Choices} */
export const DEFAULT = {
  data: { dataset: "circle", samples: 500, noise: 0.1 },
  validation: 0.5,
  layers: [4, 2],
  activation: "tanh",
  init: "",
  norm: "",
  dropout: 0,
  loss: "",
  optimizer: "sgd",
  lr: 0.1,
  schedule: "constant",
  batch: 10,
  l1: 0,
  l2: 0,
  seed: 1,
  held: 0,
};

/** What can be chosen, as value and word. @type {Record<string, [string, string][]>} */
export const LISTS = {
  activation: [["tanh", "tanh"], ["relu", "ReLU"], ["leaky_relu", "leaky ReLU"], ["elu", "ELU"], ["gelu", "GELU"], ["sigmoid", "sigmoid"], ["softplus", "softplus"], ["", "none (linear)"]],
  init: [["", "PyTorch's own"], ["xavier_uniform", "Xavier, uniform"], ["xavier_normal", "Xavier, normal"], ["kaiming_uniform", "He, uniform"], ["kaiming_normal", "He, normal"], ["normal", "normal, σ = 1"], ["zeros", "all zero"]],
  norm: [["", "none"], ["batch_norm", "batch norm"], ["layer_norm", "layer norm"]],
  optimizer: [["sgd", "SGD"], ["momentum", "SGD with momentum"], ["rmsprop", "RMSprop"], ["adagrad", "Adagrad"], ["adam", "Adam"], ["adamw", "AdamW"]],
  schedule: [["constant", "constant"], ["step", "step: ÷ 10 each 10 000"], ["exponential", "exponential"], ["cosine", "cosine, 20 000 long"], ["warmup", "warm-up over 500"]],
  classification: [["", "cross-entropy"], ["mse", "squared error"], ["mae", "absolute error"]],
  regression: [["", "squared error"], ["mae", "absolute error"], ["huber", "Huber"]],
};

/** The rest of a schedule's arguments. @type {Record<string, object>} */
const SCHEDULES = {
  step: { type: "step", step_size: 10000, gamma: 0.1 },
  exponential: { type: "exponential", gamma: 0.9999 },
  cosine: { type: "cosine", t_max: 20000 },
  warmup: { type: "warmup", steps: 500 },
};

/** @param {Data} data @returns {data is {inputs: number[][], targets: number[]}} */
export const isOwn = (data) => "inputs" in data;

/** "classification" or "regression". @param {Data} data @param {Record<string, string>} tasks by data set */
export function taskOf(data, tasks) {
  if (!isOwn(data)) return tasks[data.dataset] ?? "classification";
  return data.targets.every((t) => Number.isInteger(t) && t >= 0 && t < 10) ? "classification" : "regression";
}

/** How many classes there are; 0 for regression. @param {Data} data @param {Record<string, string>} tasks */
export function classesOf(data, tasks) {
  if (taskOf(data, tasks) === "regression") return 0;
  return isOwn(data) ? Math.max(2, ...data.targets.map((t) => t + 1)) : 2;
}

/** @param {Choices} c @param {Record<string, string>} tasks */
export function specOf(c, tasks) {
  const classes = classesOf(c.data, tasks);
  /** @type {any[]} */
  const layers = [];
  for (const units of c.layers) {
    layers.push({ type: "linear", out_features: units });
    if (c.norm) layers.push(c.norm);
    if (c.activation) layers.push(c.activation);
    if (c.dropout > 0) layers.push({ type: "dropout", p: c.dropout });
  }
  const many = classes > 2;
  layers.push({ type: "linear", out_features: many ? classes : 1 });
  const bent = classes === 2 && c.loss !== "";
  if (bent) layers.push("sigmoid");
  const loss = many ? "cross_entropy" : c.loss || (classes ? "bce_with_logits" : "mse");
  const data = isOwn(c.data) ? { inputs: c.data.inputs, targets: many ? c.data.targets : c.data.targets.map((t) => [t]) } : { ...c.data };
  /** @type {Record<string, any>} */
  const spec = {
    title: "Playground",
    model: { layers },
    loss: { type: loss },
    optimizer: { type: c.optimizer, lr: c.lr },
    data: { ...data, ...(c.validation > 0 ? { validation: c.validation } : {}) },
    seed: c.seed,
  };
  if (c.schedule in SCHEDULES) spec.schedule = SCHEDULES[c.schedule];
  if (c.batch > 0) Object.assign(spec, { batch_size: c.batch, shuffle: true });
  if (c.init) spec.init = { type: c.init };
  if (c.l1 > 0 || c.l2 > 0) spec.regularisation = { ...(c.l1 > 0 ? { l1: c.l1 } : {}), ...(c.l2 > 0 ? { l2: c.l2 } : {}) };
  return spec;
}

/**
 * The choices that make a spec; what the page does not offer is left as it is by default.
 * @param {any} spec @returns {Choices}
 */
export function choicesOf(spec) {
  const layers = /** @type {any[]} */ (spec.model?.layers ?? []).map((l) => (typeof l === "string" ? { type: l } : l));
  const linear = layers.filter((l) => l.type === "linear").map((l) => l.out_features);
  const named = (/** @type {any} */ it) => (typeof it === "string" ? it : it?.type ?? "");
  const known = (/** @type {string} */ list) => layers.map(named).find((name) => name && LISTS[list].some(([value]) => value === name)) ?? "";
  const { validation = 0, ...data } = spec.data ?? {};
  const hidden = linear.slice(0, -1);
  const inner = layers.slice(0, layers.findLastIndex((l) => l.type === "linear"));
  const loss = named(spec.loss);
  return {
    ...DEFAULT,
    data: data.dataset
      ? { dataset: data.dataset, samples: data.samples ?? 200, noise: data.noise ?? 0.1 }
      : data.inputs ? { inputs: data.inputs, targets: data.targets.flat() } : DEFAULT.data,
    validation,
    layers: hidden,
    activation: hidden.length ? inner.map(named).find((name) => name && LISTS.activation.some(([value]) => value === name)) ?? "" : DEFAULT.activation,
    norm: known("norm"),
    dropout: layers.find((l) => l.type === "dropout")?.p ?? 0,
    init: named(spec.init),
    loss: ["bce_with_logits", "cross_entropy"].includes(loss) || (loss === "mse" && layers.at(-1)?.type === "linear") ? "" : loss,
    optimizer: named(spec.optimizer) || "sgd",
    lr: spec.optimizer?.lr ?? DEFAULT.lr,
    schedule: named(spec.schedule) || "constant",
    batch: spec.batch_size ?? 0,
    l1: spec.regularisation?.l1 ?? 0,
    l2: spec.regularisation?.l2 ?? 0,
    seed: spec.seed ?? 0,
  };
}
