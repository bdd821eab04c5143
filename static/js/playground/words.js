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
export function shows(scene, neuron) {
  const { flat, columns, domain, classes, sequences } = scene;
  if (sequences) {
    if (!neuron || neuron.column === columns.length - 1) return "✓ right, ✗ wrong; the darker, the surer.";
    const before = columns[0].looked_up ? 1 : 0;
    const who = neuron.column < before ? `number ${neuron.unit + 1} of the embedding` : `neuron ${neuron.unit + 1} of layer ${neuron.column + 1 - before}`;
    return `What ${who} says: a row for each sequence, a column for each step (${columns[neuron.column].title || "linear"}).`;
  }
  if (!flat) return ofSamples(scene, neuron);
  if (neuron && neuron.column < columns.length - 1) {
    return `What neuron ${neuron.unit + 1} of layer ${neuron.column + 1} says (${columns[neuron.column].title || "linear"}).`;
  }
  if (classes > 2) return `How sure it is of class ${scene.labels?.[neuron?.unit ?? 0] ?? neuron?.unit ?? 0}.`;
  const click = "Click to add a sample.";
  return domain.length === 1 ? `The curve is the network's answer. ${click}` : `Dark: trained on. White: held back. ${click}`;
}

/** Of inputs that are no plane. @param {Scene} scene @param {Neuron | null} neuron */
function ofSamples({ gallery, picture, features, columns, classes, labels }, neuron) {
  if (neuron?.column === 0 && picture.length) {
    const each = picture[1] > 1 ? "pixel" : `feature${features ? `, from the top: ${features.join(", ")}` : ", from the top"}`;
    return `What neuron ${neuron.unit + 1} of layer 1 looks for: its weight for each ${each}.`;
  }
  if (!gallery) return "These inputs are no plane and no picture: there is nothing to draw, but all to measure.";
  const part = gallery.part === "train" ? "trained on" : "held back";
  const rows = gallery.classes ? "a row for each class" : "from the lowest target to the highest";
  if (!neuron) return gallery.classes ? `Samples ${part}, ${rows}. ✗: taken for another.` : `Samples ${part}, ${rows}: the target, and below it what is said.`;
  const last = neuron.column === columns.length - 1;
  const who = last ? (classes > 2 ? `How sure it is of class ${labels?.[neuron.unit] ?? neuron.unit}` : "What the output says") : `What neuron ${neuron.unit + 1} of layer ${neuron.column + 1} says`;
  return `${who}, of samples ${part}: ${rows}.`;
}
