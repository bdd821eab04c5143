// Neurons as maps of what they say, weights as lines: the width is the size, dashes are the minus sign.

import { stamp } from "./pixels.js";

/** @import {Brush, Inks, Layout, Place} from "./painter.js" */
/** @import {Picture, Scene} from "./live.js" */

const WIDEST = 7; // px of a weight's line
const FAINTEST = 0.35;

/** A weight's line. @param {number} weight @param {number} limit */
export const stroke = (weight, limit) => ({
  width: Number.isFinite(weight) ? 0.75 + WIDEST * Math.min(1, Math.abs(weight) / limit) : 1.5,
  strength: Number.isFinite(weight) ? FAINTEST + (1 - FAINTEST) * Math.min(1, Math.abs(weight) / limit) : 1,
  negative: weight < 0,
});

/** The largest size of all weights, at least 1: where lines are widest. @param {number[][][]} weights */
export function widest(weights) {
  return Math.max(1, ...weights.flat(2).map(Math.abs).filter(Number.isFinite));
}

/**
 * All weights as numbers, [column][to][from]. Of gates only the rows that make new content; a table that is looked up has its
 * tokens on the other side.
 * @param {Scene} scene @param {Record<string, any>} weights @returns {number[][][]}
 */
export const matrices = (scene, weights) => scene.columns.map(({ weight, units, first = 0, looked_up: tokens = 0 }) => {
  const rows = /** @type {any[][]} */ (weights[weight] ?? []).map((row) => row.map(Number));
  if (tokens) return Array.from({ length: rows.length ? units : 0 }, (_, u) => rows.map((row) => row[u]));
  return rows.slice(first, first + units);
});

/** @param {Brush} brush @param {Brush} small @param {Scene} scene @param {Picture} picture @param {Place[][]} places @param {Layout} layout @param {Inks} inks */
export function drawNetwork(brush, small, scene, picture, places, { middles, half }, inks) {
  const all = matrices(scene, picture.weights);
  const limit = widest(all);
  all.forEach((matrix, c) => matrix.forEach((row, to) => row.forEach((weight, from) => {
    const [a, b] = [middles[c]?.[from], middles[c + 1]?.[to]];
    if (!a || !b) return;
    const { width, strength, negative } = stroke(weight, limit);
    const [x0, x1] = [a[0] + half, b[0] - half];
    const middle = (x0 + x1) / 2;
    brush.beginPath();
    brush.moveTo(x0, a[1]);
    brush.bezierCurveTo(middle, a[1], middle, b[1], x1, b[1]);
    brush.lineWidth = width;
    brush.strokeStyle = negative ? inks.negative : inks.positive;
    brush.setLineDash(negative ? [6, 4] : []);
    brush.globalAlpha = strength;
    brush.stroke();
  })));
  brush.globalAlpha = 1;
  brush.setLineDash([]);
  const side = 2 * half;
  blank(brush, middles, half, inks);
  inputs(brush, small, scene, middles[0] ?? [], half);
  places.forEach((column, c) => column.forEach((place, u) => {
    const at = middles[c + 1]?.[u];
    if (!at) return;
    if (scene.domain.length === 1) line(brush, picture.maps, place, at[0] - half, at[1] - half, side, inks);
    else stamp(brush, small, picture.maps, place, at[0] - half, at[1] - half, side, scene.flat);
  }));
}

/** What stands under the maps, so that no line shines through. @param {Brush} brush @param {[number, number][][]} middles @param {number} half @param {Inks} inks */
function blank(brush, middles, half, inks) {
  brush.fillStyle = inks.surface;
  for (const [x, y] of middles.flat()) brush.fillRect(x - half, y - half, 2 * half, 2 * half);
}

const RAMP = 16;

/** An input says itself: a ramp along its axis, or a straight line. @param {Brush} brush @param {Brush} small @param {Scene} scene @param {[number, number][]} middles @param {number} half */
function inputs(brush, small, scene, middles, half) {
  if (scene.sequences) {
    const rows = scene.sequences.inputs;
    const looked = scene.columns[0]?.looked_up;
    middles.forEach(([x, y], token) => {
      const bytes = Int8Array.from(rows.flat(), (value) => (looked ? Number(value === token) : Math.max(-1, Math.min(1, Number(value)))) * 127);
      stamp(brush, small, bytes, { start: 0, rows: rows.length, columns: rows[0].length }, x - half, y - half, 2 * half, false);
    });
  }
  if (!scene.flat) return;
  middles.forEach(([x, y], axis) => {
    const bytes = new Int8Array(RAMP * RAMP);
    for (let i = 0; i < bytes.length; i += 1) {
      const along = axis ? RAMP - 1 - Math.floor(i / RAMP) : i % RAMP;
      const value = (2 * along) / (RAMP - 1) - 1;
      bytes[i] = Math.round(127 * Math.sign(value) * Math.sqrt(Math.abs(value)));
    }
    stamp(brush, small, bytes, { start: 0, rows: RAMP, columns: RAMP }, x - half, y - half, 2 * half);
  });
}

/** A neuron over one input is a curve. @param {Brush} brush @param {Int8Array} bytes @param {Place} place @param {number} x @param {number} y @param {number} side @param {Inks} inks */
function line(brush, bytes, { start, columns }, x, y, side, inks) {
  brush.fillStyle = "#f7f7f7";
  brush.fillRect(x, y, side, side);
  brush.strokeStyle = "#85857f";
  brush.lineWidth = 1;
  brush.beginPath();
  brush.moveTo(x, y + side / 2);
  brush.lineTo(x + side, y + side / 2);
  brush.stroke();
  brush.strokeStyle = inks.curve;
  brush.lineWidth = 2.5;
  brush.beginPath();
  for (let i = 0; i < columns; i += 2) {
    const value = bytes[start + i];
    if (value !== -128) brush.lineTo(x + (i / (columns - 1)) * side, y + side / 2 - (value / 127) * (side / 2 - 2));
  }
  brush.stroke();
}
