// A scope on the stage: one box when it is closed, a frame with a heading when it is open. Pressing turns it.

import { toNumber } from "../format.js";
import { h } from "../h.js";
import { only } from "./heat.js";

/** @import {Actions, ArrayData, GraphNode, Scope} from "../types.js" */
/** @import {Item} from "../scopes.js" */

/** @param {import("../types.js").Rectangle} place */
const placed = ({ x, y, width, height }) => ({ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });

/** @param {Scope} scope @param {number} nodes */
const inside = ({ ops }, nodes) => (ops ? `${ops} ${ops === 1 ? "op" : "ops"}` : `${nodes} ${nodes === 1 ? "leaf" : "leaves"}`);

/**
 * What a scope's box shows of its outputs: numbers as one array, in the places that their names tell; else the last one.
 * @param {GraphNode[]} outputs
 */
export function outlet(outputs) {
  const last = outputs.at(-1) ?? null;
  if (outputs.length < 2 || outputs.some(({ shape }) => shape.some((n) => n !== 1))) return { last, places: null };
  const places = outputs.map(({ name }) => /\[([\d,]+)\]$/.exec(name)?.[1].split(",").map(Number) ?? []);
  const rank = places[0].length;
  const told = rank > 0 && places.every((place) => place.length === rank);
  return { last, places: told ? places : places.map((_, i) => [i]) };
}

/**
 * Numbers as one array; null until all are there. @param {(ArrayData | null)[]} numbers @param {number[][]} places
 * @returns {ArrayData | null}
 */
export function together(numbers, places) {
  const found = numbers.map((array) => (array ? only(array) : null));
  if (found.includes(null)) return null;
  const shape = places[0].map((_, axis) => 1 + Math.max(...places.map((place) => place[axis])));
  /** @param {number} axis @returns {any} */
  const nest = (axis) => (axis === shape.length ? 0 : Array.from({ length: shape[axis] }, () => nest(axis + 1)));
  const data = nest(0);
  places.forEach((place, i) => {
    const row = place.slice(0, -1).reduce((part, index) => part[index], data);
    row[place[place.length - 1]] = found[i];
  });
  const known = found.map((x) => toNumber(x)).filter(Number.isFinite);
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  return { shape, dtype: "float64", data, min: Math.min(...known), max: Math.max(...known), mean, norm: Math.hypot(...known), nonfinite: found.length - known.length };
}

/**
 * @param {Item} item @param {Scope} scope @param {import("../h.js").Child[]} slots @param {HTMLElement | null} norm @param {Actions} actions
 * @returns {HTMLButtonElement}
 */
export function createBox(item, scope, slots, norm, actions) {
  const array = scope.outputs.length > 1 || item.members.some((node) => scope.outputs.includes(node.name) && node.shape.some((n) => n !== 1));
  const element = h(
    "button",
    {
      type: "button",
      class: "node scope-box",
      dataset: { scope: scope.name, form: array ? "array" : "number" },
      style: placed(item),
      "aria-expanded": "false",
      title: `Open ${scope.label}${scope.says && `: ${scope.says}`}`,
      on: { click: () => actions.turnScope(scope.name) },
    },
    h("span", { class: "node-head" }, h("span", { class: "scope-sign", "aria-hidden": "true" }, "+"), h("span", { class: "scope-label" }, scope.label), h("span", { class: "node-kind" }, inside(scope, item.members.length))),
    h("span", { class: "box-says" }, h("span", { class: "box-ops" }, scope.says), norm),
    h("span", { class: "node-slots" }, slots),
  );
  return element;
}

/** What a closed scope says to those who hear the page. @param {Item} item @param {Scope} scope @param {string} value @param {string | null} grad */
export function boxSays(item, scope, value, grad) {
  const out = ` Its output: value ${value}${grad === null ? "" : `, gradient ${grad}`}.`;
  return `${scope.label}, closed: ${inside(scope, item.members.length)}${scope.says ? `, ${scope.says}` : ""}.${out} Press to open it.`;
}

/** @param {Scope} scope @param {Actions} actions */
export function createFrame(scope, actions) {
  return h(
    "div",
    { class: "frame", style: placed(scope.place ?? { x: 0, y: 0, width: 0, height: 0 }) },
    h(
      "button",
      {
        type: "button",
        class: "frame-head",
        dataset: { scope: scope.name },
        "aria-expanded": "true",
        "aria-label": `${scope.label}, open. Press to close it.`,
        title: `Close ${scope.label}`,
        on: { click: () => actions.turnScope(scope.name) },
      },
      h("span", { class: "scope-sign", "aria-hidden": "true" }, "−"),
      h("span", { class: "scope-label" }, scope.label),
      h("span", { class: "frame-says" }, scope.says),
    ),
  );
}
