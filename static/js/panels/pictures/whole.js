// Arrays that a state leaves out because they are large, fetched when a picture needs them. What has been fetched belongs
// to the array that it completes, so a step that leaves an array alone asks for nothing.

import * as api from "../../api.js";

/** @import {ArrayData, Nodes, NodeState, State} from "../../types.js" */

const MOST = 200_000; // numbers of an array; more would not be a picture
const WAIT = 150; // ms without a move until they are asked for

/** @param {ArrayData | null | undefined} array */
const lacks = (array) => array !== null && array !== undefined && array.data === null && array.shape.reduce((a, b) => a * b, 1) <= MOST;

/** @param {(id: string, name: string, moment: {iteration: number, step: number}) => Promise<NodeState>} [ask] */
export function createWhole(ask = api.node) {
  /** @type {WeakMap<ArrayData, ArrayData>} */
  const known = new WeakMap();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {ArrayData | null | undefined} array */
  const complete = (array) => (array && known.get(array)) ?? array ?? null;

  /**
   * The nodes with these names' arrays whole, as far as they are here; for the rest it asks, and tells when they have come.
   * @param {State} state @param {Nodes} nodes @param {string[]} names @param {() => void} arrived @returns {Nodes}
   */
  function filled({ session, position }, nodes, names, arrived) {
    const wanted = names.filter((name) => [nodes[name]?.value, nodes[name]?.grad].some((array) => lacks(complete(array))));
    clearTimeout(timer);
    if (wanted.length > 0) {
      timer = setTimeout(async () => {
        const found = await Promise.allSettled(wanted.map((name) => ask(session.id, name, position)));
        found.forEach((answer, i) => {
          if (answer.status === "rejected") return;
          for (const slot of /** @type {const} */ (["value", "grad"])) {
            const [part, whole] = [nodes[wanted[i]]?.[slot], answer.value[slot]];
            if (part && whole) known.set(part, whole);
          }
        });
        if (found.some((answer) => answer.status === "fulfilled")) arrived();
      }, WAIT);
    }
    return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, { ...node, value: complete(node.value), grad: complete(node.grad) }]));
  }

  return { filled };
}
