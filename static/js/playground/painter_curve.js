// Loss against updates, both in powers of ten: over all training samples, over those held back (dashed), and as a band
// between which bounds the batches moved.

import { number, toNumber } from "../format.js";
import { power } from "../lab/lines.js";
import { decades, logarithmic, ticks } from "../scale.js";

/** @import {Brush, Inks, Size} from "./painter.js" */
/** @import {Point} from "./live.js" */

const MOST = 1200;

/** The same points in half as many: of two neighbours the later one, with the bounds of both. @param {Point[]} points @returns {Point[]} */
export function thinned(points) {
  if (points.length <= MOST) return points;
  /** @type {Point[]} */
  const found = [points[0]];
  for (let i = 1; i + 1 < points.length; i += 2) {
    const [a, b] = [points[i], points[i + 1]];
    const bound = (/** @type {(...all: number[]) => number} */ which, /** @type {3 | 4} */ k) => {
      const both = [toNumber(a[k]), toNumber(b[k])].filter((v) => !Number.isNaN(v));
      return both.length ? which(...both) : NaN;
    };
    found.push([b[0], b[1], b[2], /** @type {any} */ (bound(Math.min, 3)), /** @type {any} */ (bound(Math.max, 4))]);
  }
  if (points.length % 2 === 0) found.push(/** @type {Point} */ (points.at(-1)));
  return found;
}

/** From the lowest to the highest loss, as whole as can be. @param {Point[]} points @returns {[number, number]} */
export function bounds(points) {
  let [low, high] = [Infinity, 0];
  for (const [, train, validation] of points) {
    for (const value of [toNumber(train), toNumber(validation)]) {
      if (!(value > 0) || !Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (!(high > 0)) return [0.1, 1];
  return [Math.min(low * 0.8, high / 4), high * 1.25];
}

/** The curve with more points; those that lie after them belong to a run that was taken back. @param {Point[]} points @param {Point[]} more @returns {Point[]} */
export function joined(points, more) {
  if (!more.length) return points;
  const kept = points.filter((point) => point[0] < more[0][0]);
  return thinned([...kept, ...more]);
}

/**
 * Round numbers from low to high: powers of ten, with 2 and 5 between where there are few, or even steps where there is none;
 * those that would stand in another's way are left out.
 * @param {number} low @param {number} high @param {number} apart  how near two may be, as a share of the axis
 */
export function levels(low, high, apart) {
  const tens = decades(low, high, 5).filter((v) => v >= low && v <= high);
  const span = Math.log10(high / low);
  const finer = span < 3 ? tens.concat([-1, 0].flatMap((by) => tens.length ? tens.flatMap((ten) => [2, 5].map((n) => n * ten * 10 ** by)) : [])) : tens;
  const all = tens.length ? finer : ticks(low, high, 5);
  /** @type {number[]} */
  const found = [];
  for (const v of all.map((value) => Number(value.toPrecision(6)))) {
    const free = found.every((other) => Math.abs(Math.log10(v / other)) >= apart * span);
    if (v > 0 && v >= low && v <= high && free) found.push(v);
  }
  return found;
}

/** @param {Brush} brush @param {Point[]} points @param {Size} size @param {Inks} inks @param {number} text  px of the figures */
export function drawCurve(brush, points, { width, height }, inks, text) {
  const edge = { left: 3.6 * text, right: 8, top: 0.5 * text + 3, bottom: 1.8 * text };
  const last = Math.max(10, points.at(-1)?.[0] ?? 10);
  const [low, high] = bounds(points);
  const x = logarithmic(1, last, edge.left, width - edge.right);
  const up = logarithmic(low, high, height - edge.bottom, edge.top);
  const y = (/** @type {number} */ v) => Math.max(edge.top - 4, Math.min(height - edge.bottom, up(v)));
  brush.font = `${text}px system-ui, sans-serif`;
  brush.fillStyle = inks.faint;
  brush.strokeStyle = inks.line;
  brush.lineWidth = 1;
  brush.textAlign = "right";
  brush.textBaseline = "middle";
  const apart = (1.3 * text) / (height - edge.top - edge.bottom);
  for (const v of levels(low, high, apart)) {
    brush.beginPath();
    brush.moveTo(edge.left, y(v));
    brush.lineTo(width - edge.right, y(v));
    brush.stroke();
    brush.fillText(Number.isInteger(Math.log10(v)) ? power(v) : number(v, 2), edge.left - 5, y(v));
  }
  brush.textAlign = "center";
  brush.textBaseline = "alphabetic";
  for (const v of decades(1, last, 6)) brush.fillText(power(v), Math.min(x(v), width - 1.7 * text), height - 0.45 * text);
  if (!points.length) return;
  brush.fillStyle = inks.tint;
  brush.beginPath();
  points.forEach((p, i) => p[4] !== "NaN" && brush[i ? "lineTo" : "moveTo"](x(p[0]), y(toNumber(p[4]))));
  for (let i = points.length - 1; i >= 0; i -= 1) if (points[i][3] !== "NaN") brush.lineTo(x(points[i][0]), y(toNumber(points[i][3])));
  brush.fill();
  path(1, [], inks.value, 2);
  if (points.some((p) => p[2] !== null)) path(2, [5, 3], inks.ink, 1.75);

  /** @param {1 | 2} column @param {number[]} dash @param {string} colour @param {number} thick */
  function path(column, dash, colour, thick) {
    brush.setLineDash(dash);
    brush.strokeStyle = colour;
    brush.lineWidth = thick;
    brush.lineJoin = "round";
    brush.beginPath();
    let down = false;
    for (const point of points) {
      const value = toNumber(point[column]);
      if (!Number.isFinite(value)) down = false;
      else {
        brush[down ? "lineTo" : "moveTo"](x(Math.max(1, point[0])), y(value));
        down = true;
      }
    }
    brush.stroke();
    brush.setLineDash([]);
  }
}
