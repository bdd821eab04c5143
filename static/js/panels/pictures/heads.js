// The arithmetic of the attention picture: the parts of a self-attention read off a graph, and what one row of the
// attention matrix gives and gets.

import { planeOf } from "./window.js";

/** @import {Graph, Nodes} from "../../types.js" */
/**
 * @typedef {object} Attention  names of nodes
 * @property {string} q @property {string} k @property {string} v @property {string} scores
 * @property {string} shown  the scores as softmax sees them: scaled, and masked if a mask is used
 * @property {string} weights @property {string} used  the weights behind a dropout, if there is one @property {string} mixed
 * @property {number} heads @property {number} tokens @property {number} samples
 */

/** @param {Graph} graph @returns {Attention[]} */
export function attentionsOf(graph) {
  const after = (/** @type {string} */ name, /** @type {string} */ op) => graph.nodes.find((n) => n.op === op && n.inputs[0] === name);
  return graph.nodes
    .filter((n) => n.op === "scores")
    .flatMap((scores) => {
      const scaled = after(scores.name, "scaled") ?? scores;
      const shown = after(scaled.name, "causal_mask") ?? scaled;
      const weights = after(shown.name, "softmax");
      const dropped = weights && after(weights.name, "mul"); // by a mask, while training
      const mixed = weights && after(dropped?.name ?? weights.name, "matmul");
      if (!weights || !mixed) return [];
      const shape = weights.shape;
      return [{
        q: scores.inputs[0],
        k: scores.inputs[1],
        v: mixed.inputs[1],
        scores: scores.name,
        shown: shown.name,
        weights: weights.name,
        used: dropped?.name ?? weights.name,
        mixed: mixed.name,
        heads: shape.length === 4 ? shape[1] : 1,
        tokens: shape[shape.length - 1],
        samples: shape[0],
      }];
    });
}

const size = (/** @type {number[]} */ row) => Math.hypot(...row);

/**
 * One row of the attention matrix, token by token: its score and share forward; backward the gradients of both, and how
 * much of this row's error reaches the token's value (share · ∂c) and its key (∂s · q). Null where nothing stands yet.
 * @param {Attention} it @param {Nodes} nodes @param {number[]} lead  sample and, with several heads, head @param {number} row
 */
export function rowOf(it, nodes, lead, row) {
  /** @param {string} name @param {"value" | "grad"} slot */
  const line = (name, slot) => planeOf(nodes[name]?.[slot], lead)?.[row] ?? null;
  const [shown, weights, dWeights, dShown] = [line(it.shown, "value"), line(it.weights, "value"), line(it.weights, "grad"), line(it.shown, "grad")];
  const used = line(it.used, "value");
  const [dMixed, dScores, q] = [line(it.mixed, "grad"), line(it.scores, "grad"), line(it.q, "value")];
  return Array.from({ length: it.tokens }, (_, j) => ({
    score: shown?.[j] ?? null,
    share: weights?.[j] ?? null,
    dShare: dWeights?.[j] ?? null,
    dScore: dShown?.[j] ?? null,
    toValue: used && dMixed && dWeights ? used[j] * size(dMixed) : null,
    toKey: dScores && q ? Math.abs(dScores[j]) * size(q) : null,
  }));
}

