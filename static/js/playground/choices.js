// What a visitor chooses, and the spec that it makes. Everything else of the page only changes these choices.

/**
 * @typedef {"binary" | "multiclass" | "regression" | "sequence"} Task
 * @typedef {{inputs: number[][], targets: number[], task: Task, classes?: string[], columns?: string[]}} Own
 * @typedef {{dataset: string, samples: number, noise: number, flat?: boolean, turns?: number, variety?: number, length?: number, delay?: number, running?: boolean} | Own} Data
 * @typedef {Record<string, {task: string, classes?: number | null}>} Sets  what is known of data sets, by name
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
 * @property {boolean} one  train on the first batch alone, until it is known by heart
 * @property {boolean} standardise
 * @property {number | null} dataSeed  of samples and split, if not the network's
 * @property {boolean} shuffle
 * @property {number} jitter
 * @property {number} shift  pixels
 * @property {string} cell  of recurrent layers, for sequences
 * @property {number} embedding  numbers that a token is looked up as; 0: it is a number itself
 * @property {string} until  when to stop by itself, a key of UNTIL
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
  one: false,
  standardise: false,
  dataSeed: null,
  shuffle: true,
  jitter: 0,
  shift: 0,
  cell: "rnn",
  embedding: 0,
  until: "",
};

/** What can be chosen, as value and word. @type {Record<string, [string, string][]>} */
export const LISTS = {
  activation: [["tanh", "tanh"], ["relu", "ReLU"], ["leaky_relu", "leaky ReLU"], ["elu", "ELU"], ["gelu", "GELU"], ["sigmoid", "sigmoid"], ["softplus", "softplus"], ["", "none (linear)"]],
  cell: [["rnn", "RNN"], ["lstm", "LSTM"], ["gru", "GRU"]],
  init: [["", "as PyTorch"], ["xavier_uniform", "Xavier uniform"], ["xavier_normal", "Xavier normal"], ["kaiming_uniform", "He uniform"], ["kaiming_normal", "He normal"], ["normal", "normal, σ = 1"], ["zeros", "all zero"]],
  norm: [["", "none"], ["batch_norm", "batch norm"], ["layer_norm", "layer norm"]],
  optimizer: [["sgd", "SGD"], ["momentum", "momentum"], ["rmsprop", "RMSprop"], ["adagrad", "Adagrad"], ["adam", "Adam"], ["adamw", "AdamW"]],
  schedule: [["constant", "constant"], ["step", "÷ 10 each 10 000"], ["exponential", "exponential"], ["cosine", "cosine, 20 000"], ["warmup", "warm-up, 500"]],
  classification: [["", "cross-entropy"], ["mse", "squared error"], ["mae", "absolute error"]],
  regression: [["", "squared error"], ["mae", "absolute error"], ["huber", "Huber"]],
};

/** The rest of a schedule's arguments. @type {Record<string, object>} */
const SCHEDULES = {
  step: { type: "step", step_size: 10000, gamma: 0.1 },
  exponential: { type: "exponential", gamma: 0.9999 },
  cosine: { type: "cosine", T_max: 20000 },
  warmup: { type: "warmup", warmup_steps: 500 },
};

/** What training may wait for, as the server is asked. @type {Record<string, object>} */
const UNTIL = {
  loss: { until: { loss_below: 0.05 } },
  gradient: { until: { grad_norm_below: 0.01 } },
  dead: { until: { dead_unit: true } },
  patience: { until: { validation_patience: 30 }, restore_best: true },
};

const FADED = 0.001; // a gradient's norm

/**
 * What is asked of the server: of a neuron that is chosen, that it dies or that its gradient fades; else of any, or the first.
 * @param {string} until @param {import("./live.js").Column[]} columns @param {{column: number, unit: number} | null} chosen @returns {object}
 */
export function untilOf(until, columns, chosen) {
  const { column, unit } = chosen ?? { column: 0, unit: 0 };
  const at = columns[column];
  if (until === "fading" && at?.weight) return { until: { gradient_below: { node: at.weight, ...(at.looked_up ? {} : { unit: at.first + unit }), border: FADED } } };
  if (until === "dead" && chosen && at?.title === "relu") return { until: { dead_unit: { node: at.node, unit } } };
  return UNTIL[until] ?? {};
}

/** @param {Data} data @returns {data is Own} */
export const isOwn = (data) => "inputs" in data;

/** @param {Data} data @param {Sets} sets @returns {Task} */
export const taskOf = (data, sets) => (isOwn(data) ? data.task : /** @type {Task} */ (sets[data.dataset]?.task ?? "binary"));

/** @param {Data} data @param {Sets} sets */
export const isSequence = (data, sets) => taskOf(data, sets) === "sequence";

/** Whether a sequence is answered after its last token only. @param {Data} data */
const atTheEnd = (data) => "running" in data && !data.running;

/**
 * Which choices mean something for these data; the others are not shown and stand in no spec.
 * @param {Choices} c @param {Sets} sets @returns {Record<string, boolean>}
 */
export function applying(c, sets) {
  const recurrent = isSequence(c.data, sets);
  const numbers = !(recurrent && c.embedding > 0); // tokens that are looked up cannot be a little different
  return {
    activation: !recurrent, norm: !recurrent, cell: recurrent, embedding: recurrent,
    noise: numbers, jitter: numbers && !c.one, standardise: numbers,
    shift: !isOwn(c.data) && c.data.flat === true && !c.one,
    shuffle: c.batch > 0, validation: !c.one,
  };
}

/** The layers before the last one. @param {Choices} c @param {Sets} sets @returns {any[]} */
function hiddenLayers(c, sets) {
  const recurrent = isSequence(c.data, sets);
  /** @type {any[]} */
  const layers = [];
  if (recurrent && c.embedding > 0) layers.push({ type: "embedding", num_embeddings: 2, embedding_dim: c.embedding });
  if (c.shift > 0 && applying(c, sets).shift) layers.push("flatten");
  for (const [i, units] of c.layers.entries()) {
    if (recurrent) {
      const last = i === c.layers.length - 1 && atTheEnd(c.data);
      layers.push({ type: c.cell, hidden_size: units, ...(last ? { return_sequences: false } : {}) });
    } else {
      layers.push({ type: "linear", out_features: units });
      if (c.norm) layers.push(c.norm);
      if (c.activation) layers.push(c.activation);
    }
    if (c.dropout > 0) layers.push({ type: "dropout", p: c.dropout });
  }
  return layers;
}

/** How many classes there are; 0 for regression. @param {Data} data @param {Sets} sets */
export function classesOf(data, sets) {
  const task = taskOf(data, sets);
  if (task === "regression") return 0;
  if (task === "binary" || task === "sequence") return 2;
  return isOwn(data) ? Math.max(2, ...data.targets.map((t) => t + 1)) : (sets[data.dataset]?.classes ?? 10);
}

/** @param {Choices} c @param {Sets} sets */
export function specOf(c, sets) {
  const classes = classesOf(c.data, sets);
  const layers = hiddenLayers(c, sets);
  const many = classes > 2;
  layers.push({ type: "linear", out_features: many ? classes : 1 });
  const bent = classes === 2 && c.loss !== "";
  if (bent) layers.push("sigmoid");
  const loss = many ? "cross_entropy" : c.loss || (classes ? "bce_with_logits" : "mse");
  const own = isOwn(c.data) ? c.data : null;
  /** @type {Record<string, any>} */
  const data = own
    ? { inputs: own.inputs, targets: many ? own.targets : own.targets.map((t) => [t]), ...(own.classes ? { classes: own.classes } : {}), ...(own.columns ? { columns: own.columns } : {}) }
    : { ...c.data };
  const may = applying(c, sets);
  if (c.validation > 0 && may.validation) data.validation = c.validation;
  if (c.standardise && may.standardise) data.standardise = true;
  if (c.dataSeed !== null) data.seed = c.dataSeed;
  if (!may.noise) Object.assign(data, { noise: 0, flat: true });
  const augment = { ...(c.jitter > 0 && may.jitter ? { jitter: c.jitter } : {}), ...(c.shift > 0 && may.shift ? { shift: c.shift } : {}) };
  if (augment.shift) data.flat = false; // a picture, to be moved
  if (Object.keys(augment).length) data.augment = augment;
  if (c.one) data.overfit_one_batch = true;
  /** @type {Record<string, any>} */
  const spec = {
    title: "Playground",
    model: { layers },
    loss: { type: loss },
    optimizer: { type: c.optimizer, lr: c.lr },
    data,
    seed: c.seed,
  };
  if (c.schedule in SCHEDULES) spec.schedule = SCHEDULES[c.schedule];
  if (c.batch > 0) Object.assign(spec, { batch_size: c.batch, shuffle: c.shuffle });
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
  const recurrent = layers.filter((l) => LISTS.cell.some(([name]) => name === l.type));
  const embedding = layers.find((l) => l.type === "embedding")?.embedding_dim ?? 0;
  const named = (/** @type {any} */ it) => (typeof it === "string" ? it : it?.type ?? "");
  const loss = named(spec.loss);
  const known = (/** @type {string} */ list) => layers.map(named).find((name) => name && LISTS[list].some(([value]) => value === name)) ?? "";
  const { validation = 0, standardise = false, overfit_one_batch: one = false, seed: dataSeed = null, augment, ...given } = spec.data ?? {};
  const { jitter = 0, shift = 0 } = augment ?? {};
  const hidden = recurrent.length ? recurrent.map((l) => l.hidden_size) : linear.slice(0, -1);
  const inner = layers.slice(0, layers.findLastIndex((l) => l.type === "linear"));
  return {
    ...DEFAULT,
    data: given.dataset ? { samples: 200, noise: 0.1, ...given, ...(shift > 0 ? { flat: true } : {}), ...(embedding ? { flat: false } : {}) } : given.inputs ? ownOf(given, loss) : DEFAULT.data,
    validation,
    standardise,
    one,
    dataSeed,
    jitter,
    shift,
    embedding,
    shuffle: spec.batch_size ? spec.shuffle ?? false : true,
    cell: recurrent[0]?.type ?? DEFAULT.cell,
    layers: hidden,
    activation: recurrent.length ? DEFAULT.activation : hidden.length ? inner.map(named).find((name) => name && LISTS.activation.some(([value]) => value === name)) ?? "" : DEFAULT.activation,
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

/** @param {any} data @param {string} loss @returns {Own} */
function ownOf({ inputs, targets, classes, columns }, loss) {
  const flat = targets.flat();
  const binary = loss === "bce_with_logits" || (loss !== "cross_entropy" && flat.every((/** @type {number} */ t) => t === 0 || t === 1));
  return { inputs, targets: flat, task: loss === "cross_entropy" ? "multiclass" : binary ? "binary" : "regression", ...(classes ? { classes } : {}), ...(columns ? { columns } : {}) };
}
