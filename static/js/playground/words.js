// What the page says of what it shows, and when a run has ended by itself.

import { count } from "../format.js";

/** @import {Scene} from "./live.js" */
/** @import {Neuron} from "./painter.js" */

/** @param {string} reason @param {string} told  the server's own words @param {number} limit */
export function says(reason, told, limit) {
  if (reason === "nonfinite") return `${told} The learning rate may be too high.`;
  if (reason === "limit") return `${count(limit)} updates: this is as far as one run goes. Reset begins anew.`;
  if (reason === "moved") return "Somebody has gone elsewhere in this run, so it stands still.";
  return told;
}

/** What the large picture shows: the answer, or one neuron. @param {Scene} scene @param {Neuron | null} neuron */
export function shows({ flat, shapes, columns, domain, classes, sequences }, neuron) {
  if (sequences) {
    if (!neuron || neuron.column === columns.length - 1) return "✓ right, ✗ wrong; the darker, the surer.";
    const before = columns[0].looked_up ? 1 : 0;
    const who = neuron.column < before ? `number ${neuron.unit + 1} of the embedding` : `neuron ${neuron.unit + 1} of layer ${neuron.column + 1 - before}`;
    return `What ${who} says: a row for each sequence, a column for each step (${columns[neuron.column].title || "linear"}).`;
  }
  if (!flat) {
    if (!shapes[0]) return "These inputs are no plane and no picture: there is nothing to draw, but all to measure.";
    if (neuron && neuron.column > 0) return "Only the first layer looks at the picture itself.";
    return `What neuron ${(neuron?.unit ?? 0) + 1} of layer 1 looks for: its weight for each pixel.`;
  }
  if (neuron && neuron.column < columns.length - 1) {
    return `What neuron ${neuron.unit + 1} of layer ${neuron.column + 1} says (${columns[neuron.column].title || "linear"}).`;
  }
  if (classes > 2) return `How sure it is of class ${neuron?.unit ?? 0}.`;
  const click = "Click to add a sample.";
  return domain.length === 1 ? `The curve is the network's answer. ${click}` : `Dark: trained on. White: held back. ${click}`;
}
