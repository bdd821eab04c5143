// Forward mode beside reverse mode: which of its passes this walk is, the way to the others, and to the one pass that gives
// all slopes at once.

import { number } from "../format.js";
import { fill, h } from "../h.js";
import { fragment } from "../share.js";

/** @import {Store} from "../store.js" */
/** @import {Graph, State} from "../types.js" */

const SHOWN = 24; // directions that can be chosen

/** Every number that may move: one pass each. @param {Graph} graph @returns {{node: string, index: number[], label: string}[]} */
export function directions(graph) {
  return graph.nodes.filter(({ kind }) => kind === "parameter").flatMap(({ name, label, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return Array.from({ length: size }, (_, flat) => {
      const index = shape.map((n, axis) => Math.floor(flat / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % n);
      return { node: name, index, label: index.length ? `${label}[${index.join(", ")}]` : label };
    });
  });
}

/** @param {Store<State>} store */
export function forwardView(store) {
  const { session, graph } = store.get();
  const given = session.spec.forward_mode;
  const all = directions(graph);
  const shape = graph.nodes.find(({ name }) => name === given.node)?.shape ?? [];
  const index = given.index ?? shape.map(() => 0);
  const here = all.findIndex((it) => it.node === given.node && String(it.index) === String(index));
  const name = (session.title || "Walk").replace(/, forward mode$/, "");

  /** @param {object | null} forward_mode @param {string} title */
  function way(forward_mode, title) {
    const link = /** @type {HTMLAnchorElement} */ (h("a", { href: "/walk" }));
    const { forward_mode: _, ...rest } = session.spec;
    const spec = { ...rest, ...(forward_mode ? { forward_mode } : {}), title: title.slice(0, 100) };
    fragment({ position: { iteration: 0, step: 0 }, changes: session.changes, spec }).then((end) => (link.href = `/walk${end}`));
    link.addEventListener("click", () => setTimeout(() => location.pathname === "/walk" && location.reload()));
    return link;
  }

  const slope = h("p", { class: "plans-line" });
  const passes = h("div", { class: "forward-passes" }, all.slice(0, SHOWN).map((it, i) => {
    const link = way({ node: it.node, index: it.index }, `${name}, forward mode`);
    link.className = "tool";
    if (i === here) link.setAttribute("aria-current", "true");
    link.append(it.label);
    return link;
  }), all.length > SHOWN ? h("span", {}, `and ${all.length - SHOWN} more`) : null);
  const back = way(null, name);
  back.className = "button";
  back.append("Walk it in reverse mode");
  const mark = () => {
    const { nodes, plan, position } = store.get();
    const loss = plan.at(-1)?.node ?? "";
    const tangent = position.step === plan.length ? nodes[loss]?.state?.tangent : null;
    fill(slope, tangent ? [`∂L∕∂${all[here]?.label ?? given.node} = `, h("b", {}, number(tangent.mean))] : "");
  };
  mark();
  return {
    mark,
    element: h("div", { class: "plans-part" },
      h("h3", {}, "Forward mode", slope),
      h("p", { class: "plans-key" }, here >= 0 ? `pass ${here + 1} of ${all.length}: ` : "a direction that is no parameter: ", "how everything moves when one number does. Nothing has to be remembered, but every number needs a pass of its own."),
      all.length > 1 ? passes : null,
      h("p", { class: "plans-key" }, all.length > 1 ? `Reverse mode: 1 pass back for all ${all.length}.` : "Reverse mode: 1 pass back as well."),
      back),
  };
}
