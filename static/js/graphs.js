// The graph on the stage: drawn anew when a scope is opened or closed, and when the run comes to an iteration that has
// another one, since a penalty has come or gone by a change.

import * as api from "./api.js";
import { foldable, turned } from "./scopes.js";

/** @import {Folds, Graph, PlanEntry, State} from "./types.js" */
/** @import {Store} from "./store.js" */
/** @typedef {Folds | {collapse: "auto", open: string[]}} How */

/** @param {Store<State>} store @param {(error: unknown) => void} complain */
export function createGraphs(store, complain) {
  const id = store.get().session.id;
  let asked = 0;
  /** @type {PlanEntry[] | null} what the graph was held against last */
  let held = null;
  let fitted = false;

  /** @param {How} how @param {boolean} [other]  only if it is another graph */
  async function draw(how, other = false) {
    const mine = ++asked;
    try {
      const { iteration } = store.get().position;
      const graph = await api.graph(id, { ...how, iteration });
      if (mine !== asked || (other && sameNodes(graph, store.get().graph))) return;
      const there = (/** @type {string | null} */ name) => (graph.nodes.some((node) => node.name === name) ? name : null);
      const folds = other || how.collapse === "auto" ? store.get().folds : how;
      store.set(({ selected, editing }) => ({ graph, folds, hover: null, selected: there(selected), editing: there(editing) }));
    } catch (error) {
      complain(error);
    }
  }

  return {
    /** Opens a closed scope, or closes an open one. @param {string} name */
    turn: (name) => draw({ collapse: "all", open: turned(store.get().graph, name) }),
    /** @param {Folds["collapse"]} how @param {string[]} [open] */
    collapse: (how, open = []) => draw({ collapse: how, open }),

    /** The graph has the nodes that the plan computes; what is open stays open. @param {PlanEntry[]} plan */
    fit(plan) {
      const { graph, session } = store.get();
      if (plan === held || !(fitted || session.changes.some((change) => "regularisation" in change))) return;
      held = plan;
      if (agree(graph, plan)) return;
      fitted = true;
      const open = (graph.scopes ?? []).filter((scope) => scope.open).map((scope) => scope.name);
      draw(foldable(graph) ? { collapse: "all", open } : { collapse: "auto", open: [] }, true);
    },
  };
}

/** @param {Graph} graph @param {PlanEntry[]} plan */
function agree(graph, plan) {
  const computed = new Set(plan.flatMap(({ phase, node }) => (node && (phase === "forward" || phase === "loss") ? [node] : [])));
  const drawn = graph.nodes.filter(({ kind }) => kind === "op");
  return drawn.length === computed.size && drawn.every(({ name }) => computed.has(name));
}

/** Whether two graphs are the same but for how they are drawn. @param {Graph} a @param {Graph} b */
export function sameNodes(a, b) {
  /** @param {Graph} graph */
  const told = ({ nodes }) => JSON.stringify(nodes.map((node) => ({ ...node, x: 0, y: 0, width: 0, height: 0 })));
  return told(a) === told(b);
}
