// The answer over the whole plane with the line on which it changes its mind, or the curve over one input; or, instead of
// the answer, one neuron.

import { boundary, stamp } from "./pixels.js";

/** @import {Brush, Inks, Layout, Neuron, Place} from "./painter.js" */
/** @import {Picture, Scene} from "./live.js" */

/**
 * @param {Brush} brush @param {Brush} small @param {Scene} scene @param {Picture} picture @param {Place[][]} places
 * @param {{neuron: Neuron | null, output: number}} look @param {Layout} layout @param {Inks} inks
 */
export function drawPlane(brush, small, scene, picture, places, { neuron, output }, { plane: { width: size }, range }, inks) {
  const last = places.findLastIndex((column) => column.length > 0);
  if (last < 0) return;
  const at = neuron ?? { column: last, unit: Math.min(output, places[last].length - 1) };
  const where = places[at.column]?.[at.unit];
  if (!where) return;
  if (scene.domain.length === 1) {
    curve(brush, picture.maps, where, size, neuron ? [-1, 1] : range, neuron ? 1 : picture.limits[at.column], inks);
    return;
  }
  stamp(brush, small, picture.maps, where, 0, 0, size, scene.flat);
  if (!scene.flat || (!neuron && scene.classes === 0)) return;
  const cell = size / (where.columns - 1);
  brush.beginPath();
  for (const cuts of borders(scene.classes > 2 && !neuron ? places[last] : [], picture.maps, where)) {
    for (let i = 0; i < cuts.length; i += 4) {
      brush.moveTo(cuts[i] * cell, cuts[i + 1] * cell);
      brush.lineTo(cuts[i + 2] * cell, cuts[i + 3] * cell);
    }
  }
  brush.strokeStyle = "#1a1a1a";
  brush.lineWidth = neuron ? 1 : 2;
  brush.stroke();
}

/** Where the answer changes: from each class to all others, or where one map changes its sign. @param {Place[]} classes @param {Int8Array} bytes @param {Place} where */
const borders = (classes, bytes, where) => (classes.length
  ? classes.map((one) => boundary(bytes, one, classes.filter((other) => other !== one)))
  : [boundary(bytes, where)]);

/** @param {Brush} brush @param {Int8Array} bytes @param {Place} place @param {number} size @param {[number, number]} range @param {number} limit @param {Inks} inks */
function curve(brush, bytes, { start, columns }, size, [low, high], limit, inks) {
  const y = (/** @type {number} */ v) => ((high - v) / (high - low)) * size;
  brush.fillStyle = "#f7f7f7";
  brush.fillRect(0, 0, size, size);
  brush.strokeStyle = "#c4c4c0";
  brush.lineWidth = 1;
  brush.beginPath();
  brush.moveTo(0, y(0));
  brush.lineTo(size, y(0));
  brush.stroke();
  brush.strokeStyle = inks.curve;
  brush.lineWidth = 3;
  brush.beginPath();
  for (let x = 0; x < columns; x += 1) {
    const value = bytes[start + x];
    if (value !== -128) brush.lineTo((x / (columns - 1)) * size, y((value / 127) * limit));
  }
  brush.stroke();
}
