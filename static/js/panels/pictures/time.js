// The arithmetic of the sequence picture: the steps of time read off a graph, what each adds to the shared weights, and
// the scale on which a gradient is seen to vanish or explode.

import { toNumber } from "../../format.js";
import { typedTracks } from "./typed.js";

/** @import {ArrayData, Graph, GraphNode, Num} from "../../types.js" */

/**
 * @typedef {object} Step  one step of time
 * @property {number} t
 * @property {string} h  the node that holds its state
 * @property {string | null} c  an LSTM's cell
 * @property {string | null} x  what comes in
 * @property {string | null} cut  the node that cuts the past off before this step
 * @property {string | null} product  the node that multiplies the state before by W_hh
 * @property {string[]} members
 */
/** @typedef {{scope: string, kind: "RNN" | "LSTM" | "GRU", label: string, weight: string | null, start: string | null, steps: Step[]}} Track */

/** The recurrent layers of a graph, or what a program writes like one, each with its steps in order. @param {Graph} graph @returns {Track[]} */
export function tracksOf(graph) {
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  /** @type {Map<string, GraphNode[]>} */
  const scopes = new Map();
  for (const node of graph.nodes) {
    const found = /^(.*?)([a-z]+)_(\d+)(_cut)?$/.exec(node.name);
    if (!found || node.kind !== "op") continue;
    scopes.set(found[1], [...(scopes.get(found[1]) ?? []), node]);
  }
  /** @type {Omit<Track, "label">[]} */
  const tracks = [];
  for (const [scope, nodes] of scopes) {
    const states = nodes.filter((n) => n.name.startsWith(`${scope}h_`) && n.op !== "initial_state" && n.op !== "detach");
    if (!nodes.some((n) => n.op === "recurrent" || n.op === "gru_state") || states.length === 0) continue;
    /** @type {string | null} */
    let weight = null;
    const steps = states.map((state) => {
      const t = Number(state.name.slice(scope.length + 2));
      const own = nodes.filter((n) => n.name.endsWith(`_${t}`) && n.op !== "select");
      const product = own.find((n) => n.op === "recurrent") ?? own.find((n) => n.name === `${scope}s_${t}`) ?? null;
      const first = own.find((n) => n.op === "recurrent") ?? own.find((n) => n.name === `${scope}a_${t}`);
      weight ??= product ? (product.op === "recurrent" ? product.inputs[3] : product.inputs[1]) : null;
      const cut = nodes.find((n) => n.name === `${scope}h_${t - 1}_cut`)?.name ?? null;
      const x = first?.inputs[0] ?? null;
      return {
        t,
        h: state.name,
        c: byName.has(`${scope}c_${t}`) ? `${scope}c_${t}` : null,
        x,
        cut,
        product: product?.name ?? null,
        members: [...own.map((n) => n.name), ...(cut ? [cut] : []), ...(x && byName.get(x)?.op === "select" ? [x] : [])],
      };
    });
    steps.sort((a, b) => a.t - b.t);
    const kind = nodes.some((n) => n.op === "lstm_cell") ? "LSTM" : nodes.some((n) => n.op === "gru_state") ? "GRU" : "RNN";
    const start = byName.has(`${scope}h_0`) ? `${scope}h_0` : null;
    tracks.push({ scope, kind, weight, start, steps });
  }
  return named(tracks.length > 0 ? tracks : typedTracks(graph));
}

/** As a person would call them: LSTM, RNN, LSTM 2; of two directions the second reads from the end. @param {Omit<Track, "label">[]} tracks @returns {Track[]} */
function named(tracks) {
  return tracks.map((track, i) => {
    const before = tracks.slice(0, i).filter(({ kind }) => kind === track.kind).length;
    const back = track.scope.endsWith("_reverse_") ? ", from the last step back" : "";
    return { ...track, label: (before ? `${track.kind} ${before + 1}` : track.kind) + back };
  });
}

/** @param {any} data @returns {number[]} */
const flat = (data) => (Array.isArray(data) ? data.flatMap(flat) : [toNumber(data)]);

/** @param {any} rows nested lists @returns {number[][]} */
const numbers = (rows) => rows.map((/** @type {Num[]} */ row) => row.map(toNumber));

/**
 * What one step adds to ∂L/∂W: gᵀh, summed over the batch; of vectors their outer product. One number as it is, more of
 * them as their norm.
 * @param {ArrayData | null | undefined} grad @param {ArrayData | null | undefined} state @returns {number | null}
 */
export function contribution(grad, state) {
  if (grad?.data === null || grad?.data === undefined || state?.data === null || state?.data === undefined) return null;
  if (grad.shape.length < 2 && state.shape.length < 2) {
    const [g, h] = [flat(grad.data), flat(state.data)];
    return g.length * h.length === 1 ? g[0] * h[0] : Math.hypot(...g) * Math.hypot(...h);
  }
  if (grad.shape.length !== 2 || state.shape.length !== 2) return null;
  const [g, h] = [numbers(grad.data), numbers(state.data)];
  let squares = 0;
  let last = 0;
  for (let o = 0; o < grad.shape[1]; o++) {
    for (let i = 0; i < state.shape[1]; i++) {
      last = g.reduce((sum, row, n) => sum + row[o] * h[n][i], 0);
      squares += last * last;
    }
  }
  return grad.shape[1] * state.shape[1] === 1 ? last : Math.sqrt(squares);
}

/**
 * How high a bar stands, from 0 to 1: straight where sizes are alike, by powers of ten where they are not.
 * @param {(number | null)[]} sizes
 */
export function barScale(sizes) {
  const given = sizes.filter((s) => s !== null && Number.isFinite(s) && s > 0).map(Number);
  const most = Math.max(...given, 0);
  const least = Math.min(...given, most);
  const log = given.length > 1 && most / least > 30;
  const floor = log ? 10 ** Math.floor(Math.log10(least) - 0.3) : 0;
  /** @param {number | null} size */
  const share = (size) => {
    if (size === null || !(size > 0)) return 0;
    if (!Number.isFinite(size)) return 1;
    if (log) return Math.max(0.01, Math.log10(size / floor) / Math.log10(most / floor));
    return size / most;
  };
  return { share, log, most };
}

/** What became of the gradient on its way back in time. @param {(number | null)[]} sizes  one a step, the first step first */
export function fate(sizes) {
  const known = sizes.map((size, i) => ({ size, i })).filter(({ size }) => size !== null && size > 0 && Number.isFinite(size));
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last || last.i - first.i < 1) return null;
  const factor = (Number(first.size) / Number(last.size)) ** (1 / (last.i - first.i));
  const whole = Number(first.size) / Number(last.size);
  const word = factor < 0.85 || whole < 0.1 ? "it vanishes" : factor > 1.18 || whole > 10 ? "it explodes" : "it keeps its size";
  return { from: last.i, to: first.i, factor, word };
}
