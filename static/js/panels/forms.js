// The forms in which a run can be shown, each with a button on the stage: arrays or their numbers, time steps or whole
// recurrent layers. The server turns the run; the place, the changes and the chosen node go along.

import { h } from "../h.js";

/** @import {Actions, Form, Graph, GraphNode} from "../types.js" */

/** @typedef {[string, string, string]} Button  what stands on it, the same on a phone, and what it does */
/**
 * @typedef {object} Row
 * @property {Form} form
 * @property {(graph: Graph, spec: any) => boolean | null} holds  whether it is shown so; null where there is no such form
 * @property {(spec: any) => Button} on  the button that turns it on
 * @property {Button} off
 */

/** @type {Row[]} */
const FORMS = [
  {
    form: "fused",
    holds: ({ nodes }) => nodes.some(({ op }) => op === "rnn_layer") || (stepped(nodes) ? false : null),
    on: (spec) =>
      spec.fused
        ? ["Layer as one node", "One node", "All time steps of a recurrent layer in one node, as training takes them"]
        : ["Fuse for training", "Fuse", "All time steps of a recurrent layer in one node: trained about a fifth faster, with the same numbers"],
    off: ["Time steps as nodes", "Steps", "A node for every time step again, to be walked through; training stays as fast"],
  },
  {
    form: "scalars",
    holds: ({ nodes }, spec) => Boolean(spec.scalars) || (nodes.every(({ shape }) => shape.every((n) => n === 1)) ? null : false),
    on: () => ["As scalars", "Scalars", "Every number is a node of its own, every product and every sum"],
    off: ["As arrays", "Arrays", "Numbers put together to arrays again"],
  },
];

/** Whether there is a plain recurrent layer, step by step. @param {GraphNode[]} nodes */
function stepped(nodes) {
  const sums = new Set(nodes.flatMap(({ name, op }) => (op === "recurrent" ? [name] : [])));
  return nodes.some(({ op, inputs }) => (op === "tanh" || op === "relu") && inputs.some((name) => sums.has(name)));
}

/** @param {Graph} graph @param {any} spec @param {Actions} actions */
export const formButtons = (graph, spec, actions) =>
  FORMS.map(({ form, holds, on, off }) => {
    const now = holds(graph, spec);
    if (now === null) return null;
    const [label, brief, title] = now ? off : on(spec);
    return h("button", { type: "button", class: "fold-all", dataset: { [form]: now ? "off" : "on" }, title, on: { click: () => actions.turn(form, !now) } }, h("span", { class: "said-wide" }, label), h("span", { class: "said-brief" }, brief));
  });
