// The exact numbers of a node that is drawn as a heat map, beside it, while the pointer or the keyboard is on it.

import { number, shape } from "../format.js";
import { h } from "../h.js";
import { plane } from "./arrays.js";
import { tiling } from "./heat.js";

/** @import {ArrayData, GraphNode, NodeState} from "../types.js" */

const MOST = 48; // numbers shown

/** @param {string} role @param {string} name @param {ArrayData} array */
function table(role, name, array) {
  const { rows, cols } = plane(array.shape);
  const head = h("p", { class: "tip-name" }, `${name} ${shape(array.shape)}`);
  if (array.data === null || rows * cols > MOST || tiling(array).tiles.length > 1) {
    return h("div", { class: `tip-part role-${role}` }, head, h("p", {}, `${number(array.min)} … ${number(array.max)}`), h("p", {}, `mean ${number(array.mean)}, norm ${number(array.norm)}`));
  }
  const lines = array.shape.length === 1 ? [array.data] : /** @type {any[][]} */ (array.data.flat(array.shape.length - 2));
  return h(
    "div",
    { class: `tip-part role-${role}` },
    head,
    h("table", {}, h("tbody", {}, lines.map((line) => h("tr", {}, line.map((/** @type {any} */ x) => h("td", {}, number(x))))))),
  );
}

/** @param {GraphNode} node @param {NodeState | undefined} state @returns {HTMLElement | null} */
export function createTip(node, state) {
  const parts = [
    state?.value && table("value", node.label, state.value),
    state?.grad && table("grad", `∂${node.label}`, state.grad),
  ].filter((part) => !!part);
  return parts.length ? h("div", { class: "tip plate", "aria-hidden": "true" }, parts) : null;
}
