// The small editor of a leaf, beside it on the stage: type, arrow keys, or drag a number sideways. Every change is sent
// at once, so that loss and gradients follow while the hand still moves.

import { full, number, parse, shape, toNumber } from "../format.js";
import { h, icon } from "../h.js";
import { draggable } from "./drag.js";
import { nudged, stepOf, withEntry } from "./edits.js";
import { plane } from "./arrays.js";

/** @import {Actions, ArrayData, GraphNode, Num} from "../types.js" */

const GRID = 48; // entries shown at once

/** All entries of nested lists with their indices. @param {any} data @param {number[]} [index] @returns {{index: number[], value: Num}[]} */
export function entries(data, index = []) {
  if (!Array.isArray(data)) return [{ index, value: data }];
  return data.flatMap((part, i) => entries(part, [...index, i]));
}

/**
 * @param {GraphNode} node @param {ArrayData} array @param {Actions} actions
 * @returns {HTMLElement}
 */
export function createEditor(node, array, actions) {
  let data = array.data;
  const send = (/** @type {number[]} */ index, /** @type {Num} */ value) => {
    data = index.length ? withEntry(data, index, value) : value;
    actions.setValue(node.name, data);
  };
  const all = entries(data);
  const shown = all.slice(0, GRID);
  const fields = shown.map(({ index, value }) => field(index, value));
  const close = h("button", { type: "button", class: "tool", "aria-label": "Close the editor" }, icon("close", 16));
  const editor = h(
    "div",
    { class: "editor plate stage-over", role: "group", "aria-label": `Change ${node.label}`, dataset: { node: node.name } },
    h(
      "div",
      { class: "editor-head" },
      h("strong", { class: "node-label" }, node.label),
      h("span", {}, node.kind, all.length > 1 && ` ${shape(array.shape)}`),
      close,
    ),
    h(
      "div",
      { class: "editor-fields", style: { "--columns": String(all.length > 1 ? Math.min(plane(array.shape).cols, 8) : 1) } },
      fields,
    ),
    h("p", { class: "editor-hint" }, all.length > GRID ? `the first ${GRID} of ${all.length}; the inspector reaches all` : "type · ↑ ↓ · drag ↔"),
  );
  close.addEventListener("click", () => actions.edit(null));
  editor.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" && !(event.key === "Enter" && event.defaultPrevented)) return;
    event.stopPropagation();
    actions.edit(null);
  });
  return editor;

  /** @param {number[]} index @param {Num} value */
  function field(index, value) {
    const name = index.length ? `${node.label} [${index.join(", ")}]` : node.label;
    // 15 digits: without the dust of binary fractions; what is not touched is not sent
    let shown = all.length > 1 ? number(value, 4) : full(Number(toNumber(value).toPrecision(15)));
    const input = h("input", {
      type: "text",
      size: 8,
      inputmode: "decimal",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": name,
      value: shown,
      title: full(value),
    });
    let now = value;
    const set = (/** @type {Num} */ next) => {
      now = next;
      input.value = shown = input.title = full(next);
      input.removeAttribute("aria-invalid");
      send(index, next);
    };
    const commit = () => {
      const typed = parse(input.value);
      input.toggleAttribute("aria-invalid", false);
      if (typed === null) input.setAttribute("aria-invalid", "true");
      else if (typed !== now && input.value !== shown) set(typed);
      return typed !== null;
    };
    input.addEventListener("change", commit);
    input.addEventListener("focus", () => input.select());
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        if (!commit()) event.stopPropagation(); // what is no number keeps the editor open
      }
      if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
      event.preventDefault();
      const size = stepOf(toNumber(now)) * (event.shiftKey ? 10 : 1);
      set(nudged(toNumber(now), event.key === "ArrowUp" ? size : -size));
    });
    draggable(input, () => toNumber(now), set);
    return input;
  }
}
