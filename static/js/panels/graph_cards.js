// What stands on a card of the graph, or on the box of a closed scope: chips, heat maps, and the words that are spoken of it.

import { number, shape, sign as signOf, signGlyph } from "../format.js";
import { fill, h } from "../h.js";
import { heat, only } from "./heat.js";
import { boxSays, together } from "./scope_box.js";

/** @import {Actions, ArrayData, GraphNode, Nodes} from "../types.js" */
/** @import {Item} from "../scopes.js" */

const KINDS = { parameter: "parameter", input: "input", target: "target", constant: "constant", noise: "noise", buffer: "buffer", op: "" };

/**
 * @typedef {object} DrawnNode
 * @property {Item} item @property {GraphNode} node  the node itself, or the one whose value leaves the scope last
 * @property {HTMLButtonElement} element
 * @property {HTMLElement} value @property {HTMLElement | null} grad
 * @property {number[][] | null} places  of a scope's outputs, where they are shown as one array
 * @property {HTMLElement | null} norm  of a scope's parameters
 * @property {Map<string, unknown>} drawn  slot -> what is drawn there; "said" -> the states that its label tells
 */

/** @param {GraphNode} node @param {HTMLElement} value @param {HTMLElement | null} grad @param {Actions} actions */
export function card(node, value, grad, actions) {
  const isArray = node.shape.some((n) => n !== 1);
  const element = h(
    "button",
    {
      type: "button",
      class: "node",
      dataset: { node: node.name, kind: node.kind, form: isArray ? "array" : "number" },
      style: { left: `${node.x}px`, top: `${node.y}px`, width: `${node.width}px`, height: `${node.height}px` },
      title: isArray ? null : node.summary,
    },
    h(
      "span",
      { class: "node-head" },
      node.symbol && h("span", { class: "node-symbol", dataset: { long: [...node.symbol].length > 2 ? "" : null } }, node.symbol),
      h("span", { class: "node-label", dataset: { long: [...node.label].length > 11 ? "very" : [...node.label].length > 7 ? "" : null } }, node.label),
      h("span", { class: "node-kind" }, isArray ? shape(node.shape) : KINDS[node.kind]),
    ),
    h("span", { class: "node-slots" }, value, grad),
  );
  element.addEventListener("click", () => {
    actions.select(node.name);
    if (node.editable) actions.edit(node.name);
  });
  element.addEventListener("pointerenter", () => actions.hover(node.name));
  element.addEventListener("pointerleave", () => actions.hover(null));
  return element;
}

/**
 * @param {DrawnNode} drawn @param {"value" | "grad"} slot @param {ArrayData | null} array @param {boolean} old @param {string} [sign]  of a gradient
 */
export function drawSlot(drawn, slot, array, old, sign = "∂") {
  const element = drawn[slot];
  if (!element) return;
  element.classList.toggle("is-old", old && array !== null);
  if (drawn.drawn.get(slot) === array && drawn.drawn.has(slot)) return;
  drawn.drawn.set(slot, array);
  element.classList.toggle("is-empty", array === null);
  const mark = slot === "grad" ? h("span", { class: "chip-mark" }, sign) : null;
  if (array === null) {
    fill(element, h("span", { class: "chip" }, mark, h("span", { class: "chip-number" }, "?")));
    return;
  }
  const one = only(array);
  if (one !== null) {
    fill(
      element,
      h(
        "span",
        { class: "chip", dataset: { sign: signOf(one) } },
        mark,
        h("span", { class: "chip-number" }, number(one)),
        h("span", { class: "chip-sign" }, signGlyph(one)),
      ),
    );
    return;
  }
  const columns = drawn.grad ? 2 : 1;
  const { width, height } = drawn.item;
  const room = { width: (width - 24) / columns - 8, height: height - (drawn.item.scope ? 60 : 46) };
  const { element: picture } = heat(array, room);
  fill(element, h("span", { class: "heat-frame" }, picture));
}

/** @param {{item: Item, node: GraphNode}} drawn @param {Nodes} state */
export function describe({ item, node }, state) {
  const here = state[node.name];
  /** @param {ArrayData | null | undefined} array @param {string} unknown */
  const say = (array, unknown) => {
    if (!array) return unknown;
    const one = only(array);
    return one === null ? `${shape(array.shape)}, from ${number(array.min)} to ${number(array.max)}` : number(one);
  };
  if (item.scope) return boxSays(item, item.scope, say(here?.value, "not computed yet"), node.requires_grad ? say(here?.grad, "not known yet") : null);
  return (
    `${node.label}, ${node.kind === "op" ? node.op : node.kind}. Value ${say(here?.value, "not computed yet")}.` +
    (node.requires_grad ? ` Gradient ${say(here?.grad, "not known yet")}.` : "") +
    (node.editable ? " Press to change it." : "")
  );
}

/** What a box shows: a node's array, or the outputs of a scope as one. @param {DrawnNode} drawn @param {"value" | "grad"} slot @param {Nodes} shown */
export function arrayOf({ item, node, places, drawn }, slot, shown) {
  if (!places || !item.scope) return shown[node.name]?.[slot] ?? null;
  const parts = item.scope.outputs.map((name) => shown[name]?.[slot] ?? null);
  const before = /** @type {{parts: unknown[], made: ArrayData | null} | undefined} */ (drawn.get(`${slot} parts`));
  if (before && parts.every((part, i) => part === before.parts[i])) return before.made;
  const made = together(parts, places);
  drawn.set(`${slot} parts`, { parts, made });
  return made;
}

/** @param {DrawnNode} drawn @param {Nodes} shown */
export function drawNorm({ item, norm, drawn }, shown) {
  if (!norm || !item.scope) return;
  let square = 0;
  for (const name of item.scope.parameters) square += Number(shown[name]?.value?.norm ?? NaN) ** 2;
  if (drawn.get("norm") === square) return;
  drawn.set("norm", square);
  norm.textContent = Number.isNaN(square) ? "" : `‖w‖ ${number(Math.sqrt(square))}`;
}
