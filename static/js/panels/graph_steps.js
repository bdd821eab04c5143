// When a plan comes to each node, and which nodes a step is about.

/** @import {Frame, Graph, PlanEntry} from "../types.js" */

/** @type {WeakMap<PlanEntry[], ReturnType<typeof readSchedule>>} */
const schedules = new WeakMap();

/** When each node is computed and differentiated, by plan index. @param {PlanEntry[]} plan */
export function schedule(plan) {
  const known = schedules.get(plan) ?? readSchedule(plan);
  schedules.set(plan, known);
  return known;
}

/** @param {PlanEntry[]} plan */
function readSchedule(plan) {
  /** @type {Map<string, number>} */
  const forward = new Map();
  /** @type {Map<string, number>} */
  const backward = new Map();
  let zero = -1;
  let data = -1;
  for (const { index, phase, node } of plan) {
    if (phase === "zero_grad") zero = index;
    else if (phase === "data") data = index;
    else if (node && (phase === "forward" || phase === "loss")) forward.set(node, index);
    else if (node && phase === "backward") backward.set(node, index);
  }
  return { forward, backward, zero, data };
}

/** The nodes that a step is about: its own, and what flows into it and out of it. @param {Frame | null} frame @param {Graph} graph */
export function focusOf(frame, graph) {
  /** @type {Set<string>} */
  const near = new Set();
  if (!frame) return { centre: null, near };
  const own = frame.node ? graph.nodes.find((n) => n.name === frame.node) : undefined;
  if (own) {
    near.add(own.name);
    if (frame.phase !== "update") own.inputs.forEach((name) => near.add(name));
    if (frame.phase === "backward") graph.edges.filter((e) => e.from === own.name).forEach((e) => near.add(e.to));
  } else if (frame.phase === "data") {
    frame.writes.forEach(({ node, value }) => value && near.add(node));
  }
  return { centre: own?.name ?? null, near };
}
