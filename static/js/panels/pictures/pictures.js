// Which pictures fit a model: read off what its graph contains. Each is a module of its own, loaded with its style sheet
// when it is first looked at.

import { h } from "../../h.js";
import { layersOf } from "../layers.js";
import { residualsOf } from "./residuals.js";
import { typedTracks } from "./typed.js";

/** @import {Actions, Graph, Nodes, State} from "../../types.js" */

/**
 * @typedef {object} Picture
 * @property {HTMLElement} element
 * @property {(state: State, nodes: Nodes) => void} draw
 * @property {string[]} [needs]  nodes whose arrays it wants whole, however large
 */
/** @typedef {{name: string, label: string, why?: string}} Choice  `why`: the reason why it cannot be shown */

const CONTAINS = [
  { name: "attention", label: "Attention", ops: ["scores"] },
  { name: "sequence", label: "Sequence", ops: ["recurrent", "gru_state"], also: (/** @type {Graph} */ graph) => typedTracks(graph).length > 0 },
  { name: "maps", label: "Feature maps", ops: ["conv1d", "conv2d", "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"] },
];
const FADERS = 24; // weights, up to which each may have its fader
const NORMS = ["normalise", "batch_normalise", "normalise_running"];

/** The pictures of a model beside its graph, the fitting one first. @param {Graph} graph @returns {Choice[]} */
export function picturesOf(graph) {
  const ops = new Set(graph.nodes.filter((n) => n.kind === "op").map((n) => n.op));
  /** @type {Choice[]} */
  const found = CONTAINS.filter((it) => it.ops.some((op) => ops.has(op)) || it.also?.(graph)).map(({ name, label }) => ({ name, label }));
  if (residualsOf(graph).length > 0) found.push({ name: "paths", label: "Paths" });
  if (NORMS.some((op) => ops.has(op))) found.push({ name: "norms", label: "Distribution" });
  const shown = found.filter(({ name }) => name in LOAD);
  const weights = graph.nodes.filter((n) => n.kind === "parameter");
  const many = weights.reduce((sum, n) => sum + n.shape.reduce((a, b) => a * b, 1), 0);
  const always = weights.length > 1 ? [{ name: "health", label: "Health" }] : [];
  if (many > 1 && many <= FADERS) always.push({ name: "board", label: "Mixing board" });
  if (shown.length > 0) return [...shown, ...always];
  const model = layersOf(graph);
  return [{ name: "neurons", label: "Neurons", ...("why" in model ? { why: model.why } : {}) }, ...always];
}

const LOAD = {
  sequence: () => import("./sequence.js"),
  maps: () => import("./maps.js"),
  attention: () => import("./attention.js"),
  paths: () => import("./paths.js"),
  norms: () => import("./norms.js"),
  health: () => import("./health.js"),
  board: () => import("./board.js"),
};

/** The sheets of all pictures in one, once. @type {Promise<unknown> | null} */
let styled = null;
function styles() {
  styled ??= new Promise((done) => {
    const link = h("link", { rel: "stylesheet", href: "/bundle/pictures+sequence+maps+attention+paths+norms+health+board+downloads.css", on: { load: done, error: done } });
    document.head.append(link);
  });
  return styled;
}

/** @param {string} name @param {Graph} graph @param {Actions} actions @returns {Promise<Picture | null>} */
export async function loadPicture(name, graph, actions) {
  const load = LOAD[/** @type {keyof typeof LOAD} */ (name)];
  if (!load) return null;
  const [module, { createWhole }] = await Promise.all([load(), import("./whole.js"), styles()]);
  const made = /** @type {Picture} */ (module.create(graph, actions));
  const whole = createWhole();
  /** @param {State} state @param {Nodes} nodes */
  const draw = (state, nodes) => made.draw(state, whole.filled(state, nodes, made.needs ?? [], () => draw(state, nodes)));
  return { element: made.element, draw };
}
