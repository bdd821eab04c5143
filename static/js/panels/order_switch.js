// Backward in topological order, or by naive recursion that passes on whatever has come in: the switch beside its heading.

import { h } from "../h.js";
import { fragment } from "../share.js";

/** @import {Graph, State} from "../types.js" */
/** @import {Store} from "../store.js" */

const NAIVE = "naive_recursion";
const MOST = 40; // nodes: recursion goes every path
const OTHER_PLANS = ["accumulate", "checkpoint", "precision", "forward_mode", "scalars", "fused"];

/** Whether a computed value has several uses, so that the order makes a difference. @param {Graph} graph */
export function branches({ nodes, edges }) {
  const uses = new Map(nodes.filter((node) => node.kind === "op" && node.requires_grad).map(({ name }) => [name, 0]));
  for (const { from } of edges) uses.set(from, (uses.get(from) ?? -Infinity) + 1);
  return [...uses.values()].some((count) => count > 1);
}

/** The switch where it makes a difference, else null. @param {Store<State>} store */
export function orderSwitch(store) {
  const { session, graph } = store.get();
  const { spec, changes } = session;
  const naive = spec.fault?.type === NAIVE;
  if (!naive && (spec.fault || OTHER_PLANS.some((plan) => spec[plan]) || graph.nodes.length > MOST || !branches(graph))) return null;
  const { fault: _, ...rest } = spec;
  const named = (session.title || "Walk").replace(/, (without an order|in order)$/, "");
  const other = { ...rest, ...(naive ? {} : { fault: { type: NAIVE } }), title: `${named}, ${naive ? "in order" : "without an order"}`.slice(0, 100) };
  async function turn() {
    const end = await fragment({ position: { iteration: 0, step: 0 }, changes, spec: other });
    const stays = location.pathname === "/walk";
    location.assign(`/walk${end}`);
    if (stays) location.reload();
  }
  return h("span", { class: "program-order" }, naive ? "no order" : "in order", h("button", {
    type: "button",
    class: "switch",
    role: "switch",
    "aria-checked": String(!naive),
    "aria-label": "backward in topological order",
    title: naive ? "In order: wait until everything has come in" : "Without an order: pass on whatever has come in, by naive recursion",
    on: { click: turn },
  }));
}
