// The network's neurons as buttons that stand where the painter draws them, with + and − for layers and neurons.

import { number } from "../format.js";
import { fill, h, icon } from "../h.js";
import { MOST_LAYERS, MOST_UNITS } from "./choices.js";
import { matrices } from "./painter_network.js";

/** @import {Scene} from "./live.js" */
/** @import {Neuron} from "./painter.js" */
/** @typedef {{changeLayers: (layers: number[]) => void, look: (neuron: Neuron | null) => void, measured: () => void}} Ways */

const NAMES = ["x₁", "x₂"];
const MOST_NAMES = 8; // of features
const LONGEST_LABEL = 7; // letters
const NEAR = 9; // px from a line

/** @param {HTMLElement} root @param {Ways} ways */
export function mountNetwork(root, ways) {
  const lines = h("canvas", { class: "net-lines", "aria-hidden": "true" });
  const world = h("div", { class: "net-columns" });
  const tip = h("div", { class: "net-tip plate", "aria-hidden": "true", hidden: true });
  root.append(lines, world, tip);
  /** @type {Scene | null} */
  let scene = null;
  let text = ""; // the latest picture, read when somebody points at a weight
  /** @type {HTMLElement[][]} neurons by column; the inputs are the first */
  let neurons = [];
  /** @type {[number, number][][]} */
  let middles = [];
  let half = 20;
  /** @type {Neuron | null} */
  let pinned = null;
  let layers = /** @type {number[]} */ ([]);

  /** @param {Neuron} neuron @param {string} name */
  function neuronButton(neuron, name) {
    const button = h("button", {
      type: "button", class: "net-neuron", "aria-pressed": "false", "aria-label": `${name}: show what it says, large`,
      on: {
        click: () => pin(neuron),
        pointerenter: () => ways.look(neuron), pointerleave: () => ways.look(pinned),
        focus: () => button.matches(":focus-visible") && ways.look(neuron), blur: () => ways.look(pinned),
      },
    });
    return button;
  }

  /** @param {Neuron} neuron */
  function pin(neuron) {
    const same = pinned?.column === neuron.column && pinned.unit === neuron.unit;
    pinned = same ? null : neuron;
    press();
    ways.look(pinned);
  }

  function press() {
    neurons.slice(1).forEach((column, c) => column.forEach((button, u) => {
      button.setAttribute("aria-pressed", String(pinned?.column === c && pinned.unit === u));
    }));
  }

  /** @param {string} does @param {string} what @param {string} sign @param {boolean} off @param {() => void} run */
  const small = (does, what, sign, off, run) => h("button", {
    type: "button", class: "tool net-change", "aria-label": `${does} ${what}`, title: `${does} ${what}`, disabled: off, on: { click: run },
  }, icon(sign, 14));

  /** @param {number} at @param {boolean} recurrent */
  function head(at, recurrent) {
    const units = layers[at];
    const changed = (/** @type {number} */ by) => ways.changeLayers(layers.map((n, i) => (i === at ? n + by : n)));
    return h("div", { class: "net-head" },
      small("Remove a neuron from", `layer ${at + 1}`, "minus", units <= 1, () => changed(-1)),
      h("span", { class: "net-count" }, String(units), recurrent && h("span", { class: "net-again", title: "its states of one step come back in the next" }, " ↻")),
      small("Add a neuron to", `layer ${at + 1}`, "plus", units >= MOST_UNITS, () => changed(1)));
  }

  /** @param {Scene} next @param {number[]} hidden  units as chosen */
  function build(next, hidden) {
    const focused = root.contains(document.activeElement) ? document.activeElement?.getAttribute("aria-label") : null;
    if (JSON.stringify(scene?.columns) !== JSON.stringify(next.columns)) pinned = null;
    scene = next;
    layers = hidden;
    const looked = next.columns[0]?.looked_up ?? 0;
    const before = looked ? 1 : 0; // columns that are no hidden layer
    const features = next.flat ? next.domain.length : next.sequences ? looked || 1 : 0;
    const labelled = next.classes > 2;
    const inputs = Array.from({ length: features }, (_, i) =>
      h("span", { class: "net-neuron net-input" }, h("span", { class: "net-name" }, looked ? String(i) : features === 1 ? "x" : NAMES[i])));
    const columns = next.columns.map(({ units }, c) => Array.from({ length: units }, (_, u) => {
      const last = c === next.columns.length - 1;
      const button = neuronButton({ column: c, unit: u }, last ? `Output${units > 1 ? ` ${u}` : ""}` : c < before ? `Number ${u + 1} of the embedding` : `Neuron ${u + 1} of layer ${c + 1 - before}`);
      if (last && labelled) button.append(h("span", { class: "net-name is-class", "aria-hidden": "true" }, next.labels?.[u]?.slice(0, LONGEST_LABEL) ?? String(u)));
      return button;
    }));
    neurons = [inputs, ...columns];
    world.style.setProperty("--most", String(Math.max(...neurons.map((column) => column.length))));
    const eye = features ? null : h("p", { class: "net-eye" }, eyeOf(next));
    fill(world,
      h("div", { class: "net-column net-inputs" }, h("div", { class: "net-head" }, h("span", { class: "net-title" }, "input")), h("div", { class: "net-units" }, inputs, eye)),
      columns.map((buttons, c) => h("div", { class: "net-column", role: "group", "aria-label": c < before ? "Embedding" : c < columns.length - 1 ? `Layer ${c + 1 - before}` : "Output" },
        c >= before && c - before < layers.length ? head(c - before, Boolean(next.sequences)) : h("div", { class: "net-head" }, h("span", { class: "net-title" }, c < before ? "embedding" : "output")),
        h("div", { class: "net-units" }, buttons))));
    press();
    if (focused) /** @type {HTMLElement | null} */ (world.querySelector(`[aria-label="${CSS.escape(focused)}"]`))?.focus();
    measure();
  }

  /** Where the neurons stand: asked for after a change of the layout alone. */
  function measure() {
    const box = root.getBoundingClientRect();
    middles = neurons.map((column) => column.map((element) => {
      const at = element.getBoundingClientRect();
      half = at.width / 2;
      return /** @type {[number, number]} */ ([at.left + half - box.left + root.scrollLeft, at.top + at.height / 2 - box.top]);
    }));
    ways.measured();
  }

  /** @param {PointerEvent} event */
  function point(event) {
    if (!scene || !text || event.pointerType === "touch") return;
    const box = lines.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const found = nearest(matrices(scene, JSON.parse(text).weights), x, y);
    tip.hidden = !found;
    if (!found) return;
    const { column, from, to, weight } = found;
    const token = scene.sequences && (scene.columns[0].looked_up ? `token ${from}` : "token");
    const source = column ? `neuron ${from + 1}` : token || (scene.domain.length === 1 ? "x" : NAMES[from] ?? `x${from + 1}`);
    fill(tip, h("b", null, `w = ${number(weight)}`), ` ${source} → ${column === scene.columns.length - 1 ? "output" : `neuron ${to + 1}`}`);
    tip.style.setProperty("left", `${Math.min(x + 12, root.clientWidth - 150)}px`);
    tip.style.setProperty("top", `${y + 12}px`);
  }

  /** The weight whose line passes here. @param {number[][][]} all @param {number} x @param {number} y */
  function nearest(all, x, y) {
    let best = NEAR;
    let found = null;
    for (const [column, matrix] of all.entries()) {
      for (const [to, row] of matrix.entries()) {
        for (const [from, weight] of row.entries()) {
          const [a, b] = [middles[column]?.[from], middles[column + 1]?.[to]];
          if (!a || !b) continue;
          const [x0, x1] = [a[0] + half, b[0] - half];
          if (x < x0 || x > x1) continue;
          const u = along((x - x0) / (x1 - x0));
          const away = Math.abs(a[1] + (b[1] - a[1]) * (3 - 2 * u) * u * u - y);
          if (away < best) [best, found] = [away, { column, from, to, weight }];
        }
      }
    }
    return found;
  }
  root.addEventListener("pointermove", point);
  root.addEventListener("pointerleave", () => (tip.hidden = true));
  new ResizeObserver(measure).observe(root);

  return {
    canvas: lines,
    build,
    /** @param {string} next */
    picture: (next) => (text = next),
    layout: () => ({ width: root.scrollWidth, height: root.clientHeight, middles, half }),
    more: () => ways.changeLayers([...layers, Math.min(MOST_UNITS, Math.max(2, layers.at(-1) ?? 2))]),
    fewer: () => ways.changeLayers(layers.slice(0, -1)),
    /** The neuron that was clicked. */
    chosen: () => pinned,
    canGrow: () => layers.length < MOST_LAYERS,
  };
}

/** What the network looks at, where that is no plane. @param {Scene} scene */
function eyeOf({ picture, features }) {
  if (picture[1] > 1) return [picture.join(" × "), h("br"), "pixels"];
  if (features && features.length <= MOST_NAMES) return features.map((name) => [name, h("br")]);
  return [picture[0] ? String(picture[0]) : "more than 2", h("br"), "features"];
}

/** The u at which a line's Bézier, whose handles are halfway, is at the share t of its width. @param {number} t */
export function along(t) {
  let u = t;
  for (let i = 0; i < 4; i += 1) u -= (((u - 1.5) * u + 1.5) * u - t) / (3 * u * (u - 1) + 1.5);
  return u;
}
