// The neurons tab: the same model as its users know it, circles and weights, with activations and, on the way back,
// gradients. Loaded when the tab is first opened.

import { number, sign, signGlyph, toNumber } from "../format.js";
import { fill, h, svg } from "../h.js";

/** @import {Actions, ArrayData, Nodes, Num, State} from "../types.js" */
/** @import {Layer} from "./layers.js" */

const MOST = 6; // neurons shown in a layer: more could not be read
const [COLUMN, ROW, SIZE, HEAD] = [230, 86, 64, 56];

/** One sample's row of an array. @param {ArrayData | null | undefined} array @param {number} sample @returns {Num[] | null} */
function row(array, sample) {
  if (!array?.data) return null;
  return array.shape.length >= 2 ? array.data[sample] : array.shape.length === 1 ? array.data : [array.data];
}

/** 1 to 9 px by size, on the scale of the layer. @param {Num} x @param {number} limit */
const thickness = (x, limit) => (limit > 0 ? 1 + 8 * Math.min(1, Math.abs(toNumber(x)) / limit) : 1);

/** @param {Layer[]} layers @param {Actions} actions */
export function createNeurons(layers, actions) {
  let sample = 0;
  const counts = [layers[0].inputs, ...layers.map((l) => l.outputs)];
  const shown = counts.map((n) => Math.min(n, MOST));
  const tallest = Math.max(...shown);
  const width = (counts.length - 1) * COLUMN + SIZE + 40;
  const height = HEAD + tallest * ROW + 30;
  /** @param {number} column @param {number} i @returns {[number, number]} the middle of a circle */
  const place = (column, i) => [20 + SIZE / 2 + column * COLUMN, HEAD + ((tallest - shown[column]) * ROW) / 2 + i * ROW + SIZE / 2];

  const lines = svg("svg", { class: "weights", width, height, "aria-hidden": "true" });
  const circles = h("div", { class: "neuron-layer", role: "group", "aria-label": "Neurons" });
  const sampleName = h("span", { class: "sample-name" });
  const samples = h(
    "div",
    { class: "samples stage-over", hidden: true },
    h("button", { type: "button", class: "tool", "aria-label": "Sample before", on: { click: () => turn(-1) } }, "‹"),
    sampleName,
    h("button", { type: "button", class: "tool", "aria-label": "Next sample", on: { click: () => turn(1) } }, "›"),
  );
  const element = h("div", { class: "neurons", style: { width: `${width}px`, height: `${height}px` } }, lines, circles);
  /** @type {(() => void)} */
  let redraw = () => {};

  /** @param {number} by */
  function turn(by) {
    sample += by;
    redraw();
  }

  return {
    element,
    samples,
    box: { x: 0, y: 0, width, height },

    /** @param {State} state @param {Nodes} nodes */
    draw(state, nodes) {
      redraw = () => this.draw(state, nodes);
      const input = nodes[layers[0].from]?.value;
      const batch = input && input.shape.length >= 2 ? input.shape[0] : 1;
      sample = Math.max(0, Math.min(batch - 1, sample));
      samples.hidden = batch < 2;
      sampleName.textContent = `sample ${sample + 1} of ${batch}`;
      const current = state.frame?.node ?? null;
      const active = layers.findIndex((l) => current !== null && l.members.includes(current));
      lines.replaceChildren(...layers.map((layer, l) => weightLines(layer, l, nodes, active)));
      fill(
        circles,
        counts.map((_, column) => {
          const name = column === 0 ? layers[0].from : layers[column - 1].out;
          const title = column === 0 ? "input" : layers[column - 1].activation || (column === counts.length - 1 ? "output" : "linear");
          const far = active >= 0 && column !== active && column !== active + 1;
          const values = row(nodes[name]?.value, sample);
          const grads = row(nodes[name]?.grad, sample);
          const [x] = place(column, 0);
          return h(
            "div",
            { class: far ? "is-far" : null },
            h("span", { class: "neuron-title", style: { left: `${x}px` } }, title, counts[column] > MOST && h("small", {}, ` first ${MOST} of ${counts[column]}`)),
            Array.from({ length: shown[column] }, (_, i) => neuron(column, i, name, values?.[i] ?? null, grads?.[i] ?? null, active === column - 1)),
          );
        }),
      );
    },
  };

  /** @param {number} column @param {number} i @param {string} name @param {Num | null} value @param {Num | null} grad @param {boolean} centre */
  function neuron(column, i, name, value, grad, centre) {
    const [x, y] = place(column, i);
    const say = `Neuron ${i + 1} of layer ${column}: ${value === null ? "no activation yet" : `activation ${number(value)}`}${grad === null ? "" : `, gradient ${number(grad)}`}`;
    return h(
      "button",
      { type: "button", class: `neuron${centre ? " is-centre" : ""}`, style: { left: `${x}px`, top: `${y}px` }, "aria-label": say, on: { click: () => actions.select(name) } },
      h("span", { class: "neuron-value" }, value === null ? "?" : number(value)),
      grad !== null && h("span", { class: "neuron-grad role-grad" }, h("span", { class: "chip-mark" }, "∂"), number(grad), h("span", { class: "chip-sign" }, signGlyph(grad))),
    );
  }

  /** @param {Layer} layer @param {number} l @param {Nodes} nodes @param {number} active */
  function weightLines(layer, l, nodes, active) {
    const weights = nodes[layer.weight]?.value;
    const grads = nodes[layer.weight]?.grad;
    const reach = (/** @type {ArrayData | null | undefined} */ a) => Math.max(Math.abs(toNumber(a?.min)), Math.abs(toNumber(a?.max))) || 0;
    const group = svg("g", { class: active >= 0 && active !== l ? "is-far" : null });
    if (!weights?.data) return group;
    for (let o = 0; o < shown[l + 1]; o++) {
      for (let i = 0; i < shown[l]; i++) {
        const w = weights.data[o][i];
        const g = grads?.data?.[o][i] ?? null;
        const [x0, y0] = place(l, i);
        const [x1, y1] = place(l + 1, o);
        const d = `M${x0 + SIZE / 2} ${y0}L${x1 - SIZE / 2} ${y1}`;
        group.append(
          svg("path", { class: `weight is-${sign(w)}`, d, "stroke-width": thickness(w, reach(weights)) }, svg("title", {}, `w[${o}, ${i}] = ${number(w)}`)),
        );
        if (g === null) continue;
        const back = `M${x1 - SIZE / 2} ${y1 + 7}L${x0 + SIZE / 2} ${y0 + 7}`;
        group.append(svg("path", { class: `weight-grad is-${sign(g)}`, d: back, "stroke-width": thickness(g, reach(grads)) * 0.8 }, svg("title", {}, `∂w[${o}, ${i}] = ${number(g)}`)));
      }
    }
    return group;
  }
}
