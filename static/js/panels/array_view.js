/**
 * An array as a heat map: colour says sign and size on one scale with a true zero, the frame says
 * the role (value, gradient, update), and every number can be reached with pointer or arrow keys.
 */

import { h } from "../h.js";
import { full, number, signGlyph, toNumber } from "../format.js";
import { inkOn, sign } from "../scale.js";
import { at, indexOf, plane, reach } from "./arrays.js";

/** @import {ArrayData, Num} from "../types.js" */

/** @typedef {[number, number]} Cell  row and column */
/** @typedef {ReturnType<typeof plane>} Plane */
/**
 * @typedef {object} Cells  what the two ways to draw cells are told
 * @property {Plane} size
 * @property {(cell: Cell) => Num} valueAt
 * @property {(cell: Cell) => string} label
 * @property {number} limit
 * @property {string} name
 * @property {(cell: Cell) => void} choose
 * @property {(cell: Cell) => void} tell
 * @property {Cell} start
 */

const DOM_CELLS = 256;
const ROOM = 236; // px for the numbers of one row; one takes 6.4 px a character

/**
 * Where an arrow key leads; null for keys that mean something else.
 * @param {[number, number]} cell
 * @param {string} key
 * @param {{rows: number, cols: number, count: number}} size
 * @returns {[number, number] | null}
 */
export function move([row, col], key, { rows, cols, count }) {
  const to = {
    ArrowLeft: [row, col - 1],
    ArrowRight: [row, col + 1],
    ArrowUp: [row - 1, col],
    ArrowDown: [row + 1, col],
    Home: [row, 0],
    End: [row, cols - 1],
  }[key];
  if (!to) return null;
  const r = Math.min(rows - 1, Math.max(0, to[0]));
  const c = Math.min(cols - 1, Math.max(0, to[1]));
  return r * cols + c < count ? [r, c] : [row, col];
}

/** "2 × 3", or "one number" for a scalar. @param {number[]} shape */
export const shapeText = (shape) => (shape.length ? shape.join(" × ") : "one number");

/**
 * @param {ArrayData} array
 * @param {{role: "value" | "grad" | "update", name: string, picked?: number[] | null,
 *          pick?: (index: number[]) => void, load?: () => void}} options
 * @returns {HTMLElement}
 */
export function arrayView(array, { role, name, picked = null, pick, load }) {
  const box = h("div", { class: `array role-${role}` });
  const facts = h("p", { class: "array-facts" },
    h("span", { class: "array-shape" }, shapeText(array.shape)),
    h("span", {}, `min ${number(array.min)}`),
    h("span", {}, `max ${number(array.max)}`),
    h("span", {}, `norm ${number(array.norm)}`),
    array.nonfinite ? h("span", { class: "array-alarm" }, `${array.nonfinite} not finite`) : null,
  );
  if (array.data === null || array.data === undefined) {
    box.append(facts, h("button", { type: "button", class: "button", on: { click: load } },
      `Show all ${array.shape.reduce((a, b) => a * b, 1)} numbers`));
    return box;
  }

  const size = plane(array.shape);
  const limit = reach(array);
  const fixed = picked && size.leading.length
    ? picked.slice(0, size.leading.length) : size.leading.map(() => 0);
  const readout = h("p", { class: "array-readout" });
  const stage = h("div", { class: "array-stage" });
  /** @type {Cell} */
  let here = picked ? cellOf(picked, size) : [0, 0];

  const place = (/** @type {Cell} */ [row, col]) => indexOf(array.shape, fixed, row, col) ?? [];
  const valueAt = (/** @type {Cell} */ cell) => at(array.data, place(cell));
  const label = (/** @type {Cell} */ cell) => `${place(cell).join(", ")}: ${number(valueAt(cell))}`;
  const tell = (/** @type {Cell} */ cell) => {
    const value = valueAt(cell);
    readout.textContent = `[${place(cell).join(", ")}] = ${full(value)} ${signGlyph(value)}`;
  };
  const choose = (/** @type {Cell} */ cell) => {
    here = cell;
    tell(cell);
    pick?.(place(cell));
  };

  const draw = () => {
    const make = size.count <= DOM_CELLS ? domCells : canvasCells;
    stage.replaceChildren(make({ size, valueAt, label, limit, name, choose, tell, start: here }));
  };

  size.leading.forEach((length, axis) => {
    const shown = h("output", {}, "0");
    const turn = (/** @type {number} */ by) => {
      fixed[axis] = (fixed[axis] + by + length) % length;
      shown.textContent = String(fixed[axis]);
      draw();
      tell(here);
    };
    shown.textContent = String(fixed[axis]);
    box.append(h("div", { class: "array-axis" },
      h("button", { type: "button", class: "tool", "aria-label": `axis ${axis}: back`, on: { click: () => turn(-1) } }, "‹"),
      h("span", {}, `axis ${axis} `, shown, ` of ${length}`),
      h("button", { type: "button", class: "tool", "aria-label": `axis ${axis}: on`, on: { click: () => turn(1) } }, "›"),
    ));
  });
  box.append(h("div", { class: "array-body" }, stage, h("div", { class: "array-side" }, readout, facts)));
  draw();
  tell(here);
  return box;
}

/** @param {number[]} index @param {Plane} size @returns {Cell} */
function cellOf(index, { cols }) {
  return index.length === 1 ? [Math.floor(index[0] / cols), index[0] % cols] : [index[index.length - 2], index[index.length - 1]];
}

/** @param {string} name @param {Plane} size */
function grid(name, { rows, cols }) {
  return h("div", {
    class: "cells", role: "grid", "aria-label": name, "aria-rowcount": rows, "aria-colcount": cols,
  });
}

/** How many digits fit into the cells, 0 if none do. @param {Plane} size @param {(cell: Cell) => Num | null | undefined} valueAt */
export function digitsFor({ rows, cols }, valueAt) {
  if (rows > 10 || cols > 6) return 0;
  const all = Array.from({ length: rows * cols }, (_, i) => valueAt([Math.floor(i / cols), i % cols]));
  const longest = (/** @type {number} */ digits) => Math.max(...all.map((value) => number(value, digits).length));
  return [3, 2].find((digits) => cols * Math.max(36, longest(digits) * 6.4 + 8) <= ROOM) ?? 0;
}

/** Few cells: each an element, small ones with their number in them. @param {Cells} told */
function domCells({ size, valueAt, label, limit, name, choose, tell, start }) {
  const box = grid(name, size);
  const digits = digitsFor(size, valueAt);
  box.classList.toggle("written", digits > 0);
  box.style.setProperty("--cols", String(size.cols));
  /** @type {HTMLElement[][]} */
  const cells = [];
  let here = start;
  const focus = (/** @type {Cell} */ cell) => {
    cells[here[0]][here[1]].tabIndex = -1;
    here = cell;
    const target = cells[here[0]][here[1]];
    target.tabIndex = 0;
    target.focus();
  };
  for (let row = 0; row < size.rows; row += 1) {
    const line = h("div", { class: "cells-row", role: "row" });
    cells.push([]);
    for (let col = 0; col < size.cols && row * size.cols + col < size.count; col += 1) {
      /** @type {Cell} */
      const own = [row, col];
      const value = valueAt(own);
      const colour = sign(toNumber(value), limit);
      const cell = h("div", {
        class: "cell", role: "gridcell", "aria-label": label(own),
        tabindex: row === start[0] && col === start[1] ? 0 : -1,
        on: {
          click: () => focus(own),
          pointerenter: () => tell(own),
          focus: () => choose(own),
          keydown: (/** @type {KeyboardEvent} */ event) => {
            const to = move(own, event.key, size);
            if (!to) return;
            event.preventDefault();
            event.stopPropagation();
            focus(to);
          },
        },
      }, Number.isFinite(toNumber(value)) ? (digits ? number(value, digits) : null) : "!");
      cell.style.background = `rgb(${colour.join(" ")})`;
      cell.style.color = inkOn(colour);
      cells[row].push(cell);
      line.append(cell);
    }
    box.append(line);
  }
  box.addEventListener("pointerleave", () => tell(here));
  return box;
}

/** Many cells: pixels, and one element that stands on the chosen one. @param {Cells} told */
function canvasCells({ size, valueAt, label, limit, name, choose, tell, start }) {
  const box = grid(name, size);
  box.classList.add("drawn");
  const canvas = h("canvas", { width: size.cols, height: size.rows, "aria-hidden": "true" });
  const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = paint.createImageData(size.cols, size.rows);
  for (let i = 0; i < size.count; i += 1) {
    const value = toNumber(valueAt([Math.floor(i / size.cols), i % size.cols]));
    const [r, g, b] = Number.isFinite(value) ? sign(value, limit) : [255, 0, 255];
    image.data.set([r, g, b, 255], i * 4);
  }
  paint.putImageData(image, 0, 0);
  let here = start;
  const cursor = h("div", { class: "cell-cursor", role: "gridcell", tabindex: "0" });
  const row = h("div", { role: "row" }, cursor);
  const place = () => {
    cursor.style.left = `${(here[1] / size.cols) * 100}%`;
    cursor.style.top = `${(here[0] / size.rows) * 100}%`;
    cursor.style.width = `${100 / size.cols}%`;
    cursor.style.height = `${100 / size.rows}%`;
    row.setAttribute("aria-rowindex", String(here[0] + 1));
    cursor.setAttribute("aria-colindex", String(here[1] + 1));
    cursor.setAttribute("aria-label", label(here));
  };
  /** @param {MouseEvent} event @returns {Cell | null} */
  const under = (event) => {
    const edge = canvas.getBoundingClientRect();
    const col = Math.floor(((event.clientX - edge.left) / edge.width) * size.cols);
    const line = Math.floor(((event.clientY - edge.top) / edge.height) * size.rows);
    /** @type {Cell} */
    const found = [Math.min(size.rows - 1, Math.max(0, line)), Math.min(size.cols - 1, Math.max(0, col))];
    return found[0] * size.cols + found[1] < size.count ? found : null;
  };
  cursor.addEventListener("keydown", (event) => {
    const to = move(here, event.key, size);
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    here = to;
    place();
    choose(here);
  });
  canvas.addEventListener("pointermove", (event) => {
    const cell = under(event);
    if (cell) tell(cell);
  });
  canvas.addEventListener("pointerleave", () => tell(here));
  canvas.addEventListener("click", (event) => {
    const cell = under(event);
    if (!cell) return;
    here = cell;
    place();
    cursor.focus();
    choose(here);
  });
  place();
  box.append(canvas, row);
  return box;
}
