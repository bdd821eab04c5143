// The network as a picture of what it has learned: each neuron is its value over the input plane, each weight a line whose
// width is its size and whose dashes are its minus sign. Only what changed is drawn, at most once a frame.

import { number } from "../format.js";
import { fill, h, icon } from "../h.js";
import { MOST_LAYERS, MOST_UNITS } from "./choices.js";
import { paint, placesOf } from "./pixels.js";

/** @import {Picture, Scene} from "./live.js" */
/** @typedef {{column: number, unit: number}} Neuron */
/** @typedef {{changeLayers: (layers: number[]) => void, look: (neuron: Neuron | null) => void, pin: (neuron: Neuron | null) => void}} Ways */

const WIDEST = 7; // px of a weight's line
const NAMES = ["x₁", "x₂"];

/** A weight's line: width by size, dashed below zero. @param {number} weight @param {number} limit */
export const stroke = (weight, limit) => ({
  width: Number.isFinite(weight) ? 0.75 + WIDEST * Math.min(1, Math.abs(weight) / limit) : 1.5,
  negative: weight < 0,
});

/** The largest size of all weights, at least 1: where lines are widest. @param {number[][][]} weights */
export function widest(weights) {
  const all = weights.flat(2).map(Math.abs).filter(Number.isFinite);
  return Math.max(1, ...all);
}

/** @param {HTMLElement} root @param {Ways} ways */
export function mountNetwork(root, ways) {
  const lines = h("canvas", { class: "net-lines", "aria-hidden": "true" });
  const world = h("div", { class: "net-columns" });
  const tip = h("div", { class: "net-tip plate", "aria-hidden": "true", hidden: true });
  root.append(lines, world, tip);
  const brush = /** @type {CanvasRenderingContext2D} */ (lines.getContext("2d"));
  /** @type {Scene | null} */
  let scene = null;
  /** @type {Picture | null} */
  let picture = null;
  /** @type {HTMLElement[][]} neurons by column; the inputs are the first */
  let neurons = [];
  /** @type {CanvasRenderingContext2D[][]} of all columns but the inputs */
  let brushes = [];
  /** @type {ReturnType<typeof placesOf>} */
  let places = [];
  /** @type {[number, number][][]} the middles of the neurons */
  let middles = [];
  let [half, scale] = [20, 1];
  /** @type {{x0: number, y0: number, x1: number, y1: number, weight: number, from: string, to: string}[]} */
  let drawn = [];
  /** @type {Neuron | null} */
  let pinned = null;
  let layers = /** @type {number[]} */ ([]);

  /** @param {Neuron} neuron @param {string} name @param {Element} inside */
  function neuronButton(neuron, name, inside) {
    const button = h("button", {
      type: "button", class: "net-neuron", "aria-pressed": "false", "aria-label": `${name}: show what it says, large`,
      on: {
        click: () => pin(neuron),
        pointerenter: () => ways.look(neuron), pointerleave: () => ways.look(pinned),
        focus: () => button.matches(":focus-visible") && ways.look(neuron), blur: () => ways.look(pinned),
      },
    }, inside);
    return button;
  }

  /** @param {Neuron} neuron */
  function pin(neuron) {
    const same = pinned?.column === neuron.column && pinned.unit === neuron.unit;
    pinned = same ? null : neuron;
    neurons.forEach((column, c) => column.forEach((button, u) => {
      button.setAttribute("aria-pressed", String(pinned?.column === c - 1 && pinned.unit === u));
    }));
    ways.pin(pinned);
  }

  /** @param {string} does @param {string} what @param {string} sign @param {boolean} off @param {() => void} run */
  const small = (does, what, sign, off, run) => h("button", {
    type: "button", class: "tool net-change", "aria-label": `${does} ${what}`, title: `${does} ${what}`, disabled: off, on: { click: run },
  }, icon(sign, 14));

  /** @param {number} at */
  function head(at) {
    const units = layers[at];
    const changed = (/** @type {number} */ by) => ways.changeLayers(layers.map((n, i) => (i === at ? n + by : n)));
    return h("div", { class: "net-head" },
      small("Remove a neuron from", `layer ${at + 1}`, "minus", units <= 1, () => changed(-1)),
      h("span", { class: "net-count" }, String(units)),
      small("Add a neuron to", `layer ${at + 1}`, "plus", units >= MOST_UNITS, () => changed(1)));
  }

  /** @param {Scene} next @param {number[]} hidden  units as chosen */
  function build(next, hidden) {
    const focused = document.activeElement?.getAttribute("aria-label");
    scene = next;
    layers = hidden;
    places = placesOf(next);
    pinned = null;
    brushes = [];
    const features = next.flat ? next.domain.length : 0;
    const inputs = Array.from({ length: features }, (_, i) => {
      const canvas = h("canvas", { width: 32, height: 32, "aria-hidden": "true" });
      slope(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), i);
      return h("span", { class: "net-neuron net-input" }, canvas, h("span", { class: "net-name" }, features === 1 ? "x" : NAMES[i]));
    });
    const columns = next.columns.map((column, c) => {
      const last = c === next.columns.length - 1;
      const row = /** @type {CanvasRenderingContext2D[]} */ ([]);
      const buttons = Array.from({ length: column.units }, (_, u) => {
        const canvas = h("canvas", { width: 32, height: 32, "aria-hidden": "true" });
        row.push(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")));
        return neuronButton({ column: c, unit: u }, last ? `Output${column.units > 1 ? ` ${u}` : ""}` : `Neuron ${u + 1} of layer ${c + 1}`, canvas);
      });
      brushes.push(row);
      return buttons;
    });
    neurons = [inputs, ...columns];
    fill(world,
      h("div", { class: "net-column net-inputs" }, h("div", { class: "net-head" }, h("span", { class: "net-title" }, "input")), h("div", { class: "net-units" }, inputs)),
      columns.map((buttons, c) => h("div", { class: "net-column", role: "group", "aria-label": c < layers.length ? `Layer ${c + 1}` : "Output" },
        c < layers.length ? head(c) : h("div", { class: "net-head" }, h("span", { class: "net-title" }, "output")),
        h("div", { class: "net-units" }, buttons))));
    if (focused) /** @type {HTMLElement | null} */ (world.querySelector(`[aria-label="${CSS.escape(focused)}"]`))?.focus();
    measure();
  }

  /** An input says itself: a ramp along its axis. @param {CanvasRenderingContext2D} brush @param {number} axis */
  function slope(brush, axis) {
    const bytes = new Int8Array(32 * 32);
    for (let y = 0; y < 32; y += 1) for (let x = 0; x < 32; x += 1) bytes[y * 32 + x] = Math.round((axis ? 15.5 - y : x - 15.5) * (127 / 15.5));
    paint(brush, bytes, { start: 0, rows: 32, columns: 32 });
  }

  /** Where the neurons stand; asked for after a change of the layout alone. */
  function measure() {
    const box = root.getBoundingClientRect();
    scale = Math.min(2, globalThis.devicePixelRatio || 1);
    const [width, height] = [root.clientWidth, root.clientHeight];
    lines.width = Math.round(width * scale);
    lines.height = Math.round(height * scale);
    lines.style.width = `${width}px`;
    lines.style.height = `${height}px`;
    middles = neurons.map((column) => column.map((element) => {
      const at = element.getBoundingClientRect();
      half = at.width / 2;
      return /** @type {[number, number]} */ ([at.left + half - box.left + root.scrollLeft, at.top + at.height / 2 - box.top + root.scrollTop]);
    }));
    drawLines();
  }

  function drawLines() {
    brush.setTransform(scale, 0, 0, scale, 0, 0);
    brush.clearRect(0, 0, lines.width / scale, lines.height / scale);
    if (!scene || !picture) return;
    const weights = scene.columns.map(({ weight }) => /** @type {any[][]} */ (picture?.weights[weight] ?? []).map((row) => row.map(Number)));
    const limit = widest(weights);
    const style = getComputedStyle(root);
    const [plus, minus] = [style.getPropertyValue("--edge-positive"), style.getPropertyValue("--edge-negative")];
    drawn = [];
    brush.lineCap = "butt";
    weights.forEach((matrix, c) => matrix.forEach((row, to) => row.forEach((weight, from) => {
      const [a, b] = [middles[c]?.[from], middles[c + 1]?.[to]];
      if (!a || !b) return;
      const { width, negative } = stroke(weight, limit);
      const [x0, x1] = [a[0] + half, b[0] - half];
      const middle = (x0 + x1) / 2;
      brush.beginPath();
      brush.moveTo(x0, a[1]);
      brush.bezierCurveTo(middle, a[1], middle, b[1], x1, b[1]);
      brush.lineWidth = width;
      brush.strokeStyle = negative ? minus : plus;
      brush.setLineDash(negative ? [6, 4] : []);
      brush.globalAlpha = 0.35 + 0.65 * Math.min(1, Math.abs(weight) / limit);
      brush.stroke();
      drawn.push({ x0, y0: a[1], x1, y1: b[1], weight, from: c ? `a${from + 1}` : scene?.domain.length === 1 ? "x" : NAMES[from] ?? `x${from + 1}`, to: c === weights.length - 1 ? "output" : `a${to + 1}` });
    })));
    brush.globalAlpha = 1;
  }

  /** @param {PointerEvent} event */
  function point(event) {
    const box = lines.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = 9;
    let found = null;
    for (const line of drawn) {
      if (x < line.x0 || x > line.x1) continue;
      const t = (x - line.x0) / (line.x1 - line.x0);
      const u = solve(t);
      const away = Math.abs(line.y0 + (line.y1 - line.y0) * (3 * u * u - 2 * u * u * u) - y);
      if (away < best) [best, found] = [away, line];
    }
    tip.hidden = !found;
    if (!found) return;
    fill(tip, h("b", null, `w = ${number(found.weight)}`), h("span", null, ` ${found.from} → ${found.to}`));
    tip.style.setProperty("left", `${Math.min(x + 12, root.clientWidth - 140)}px`);
    tip.style.setProperty("top", `${y + 12}px`);
  }
  root.addEventListener("pointermove", point);
  root.addEventListener("pointerleave", () => (tip.hidden = true));
  new ResizeObserver(measure).observe(root);

  return {
    build,
    measure,
    /** @param {Picture} next */
    draw(next) {
      picture = next;
      if (!scene) return;
      places.forEach((column, c) => column.forEach((place, u) => {
        const target = brushes[c][u];
        if (place.rows === 1) line(target, next.maps, place);
        else paint(target, next.maps, place);
      }));
      drawLines();
    },
    more: () => ways.changeLayers([...layers, Math.min(MOST_UNITS, Math.max(2, layers.at(-1) ?? 2))]),
    fewer: () => ways.changeLayers(layers.slice(0, -1)),
    canGrow: () => layers.length < MOST_LAYERS,
    canShrink: () => layers.length > 0,
  };

  /** A neuron over one input is a curve. @param {CanvasRenderingContext2D} target @param {Int8Array} bytes @param {{start: number, columns: number}} place */
  function line(target, bytes, { start, columns }) {
    const size = 64;
    if (target.canvas.width !== size) [target.canvas.width, target.canvas.height] = [size, size];
    const style = getComputedStyle(root);
    target.fillStyle = "#f7f7f7";
    target.fillRect(0, 0, size, size);
    target.strokeStyle = "#85857f";
    target.lineWidth = 1;
    target.beginPath();
    target.moveTo(0, size / 2);
    target.lineTo(size, size / 2);
    target.stroke();
    target.strokeStyle = style.getPropertyValue("--curve");
    target.lineWidth = 4;
    target.beginPath();
    for (let x = 0; x < columns; x += 2) {
      const value = bytes[start + x];
      if (value !== -128) target.lineTo((x / (columns - 1)) * size, size / 2 - (value / 127) * (size / 2 - 4));
    }
    target.stroke();
  }
}

/** The u at which a line's Bézier, whose handles are halfway, is at the share t of its width. @param {number} t */
function solve(t) {
  let u = t;
  for (let i = 0; i < 4; i += 1) u -= (((u - 1.5) * u + 1.5) * u - t) / (3 * u * (u - 1) + 1.5);
  return u;
}
