/**
 * Lines over each other, each with its colour, its dashes and its name at its end: losses over updates or samples,
 * rates over iterations, a range test. Shown up to a place, so that all lanes run in lock-step.
 */

import { fill, svg } from "../h.js";
import { number, toNumber } from "../format.js";
import { decades, linear, logarithmic, path, thin, ticks } from "../scale.js";

/** @import {Num} from "../types.js" */
/**
 * @typedef {object} Line
 * @property {number} place  of the lane, for colour and dashes
 * @property {string} name
 * @property {number[]} xs
 * @property {number[]} ys
 * @property {number[] | null} [faint]  what `ys` is a mean of
 */
/**
 * @typedef {object} Axes
 * @property {string} x  its title
 * @property {string} y
 * @property {boolean} [logX]
 * @property {boolean} [logY]
 * @property {[number, number]} [range]  of y; what is above is cut
 * @property {{at: number, name: string}[]} [marks]  places on x
 * @property {{from: number, to: number, name: string}} [band]  an interval on x
 */

const ABOVE = 1e4;
const BELOW = 1e-12;
const GAP = 17;
const LABEL = 7.6; // px a letter of a label takes
const USUAL = 13; // px, the size of type for which these are meant

/** How much larger type is here than usual, as in projection. @param {Element} element */
export const enlarged = (element) => (parseFloat(getComputedStyle(element).fontSize) || USUAL) / USUAL;

/**
 * The loss axis: from a little under the best loss to a little over the start, cut where lanes explode.
 * @param {{loss: Num[]}[]} lanes
 * @returns {[number, number]}
 */
export function range(lanes) {
  const all = lanes.flatMap((lane) => lane.loss.map(toNumber)).filter((v) => Number.isFinite(v) && v > 0);
  if (!all.length) return [0.1, 1];
  const start = Math.max(...lanes.map((lane) => toNumber(lane.loss[0])).filter(Number.isFinite), Number.MIN_VALUE);
  const low = Math.max(all.reduce((a, b) => Math.min(a, b)), start * BELOW);
  const high = Math.min(all.reduce((a, b) => Math.max(a, b)), start * ABOVE);
  return high > low * 1.01 ? [low, high] : [low / 2, low * 2];
}

/**
 * The same on an even axis, for losses that go below zero.
 * @param {{loss: Num[]}[]} lanes
 * @returns {[number, number]}
 */
export function evenRange(lanes) {
  const all = lanes.flatMap((lane) => lane.loss.map(toNumber)).filter(Number.isFinite);
  const start = Math.max(...lanes.map((lane) => Math.abs(toNumber(lane.loss[0]))).filter(Number.isFinite), 1e-12);
  const kept = all.filter((v) => Math.abs(v) <= 5 * start);
  const low = kept.reduce((a, b) => Math.min(a, b), 0);
  const high = kept.reduce((a, b) => Math.max(a, b), low);
  return high > low ? [low, high] : [low - 1, low + 1];
}

/** Whether losses can stand on a log axis. @param {{loss: Num[]}[]} lanes */
export const positive = (lanes) => lanes.every((lane) => lane.loss.every((v) => !(toNumber(v) < 0)));

/**
 * Labels moved apart so that none covers another, in their order, kept inside.
 * @param {number[]} places @param {number} gap @param {number} low @param {number} high
 * @returns {number[]}
 */
export function apart(places, gap, low, high) {
  const order = places.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y);
  let floor = low;
  for (const label of order) {
    label.y = Math.max(label.y, floor);
    floor = label.y + gap;
  }
  let ceiling = high;
  for (const label of order.reverse()) {
    label.y = Math.min(label.y, ceiling);
    ceiling = label.y - gap;
  }
  const moved = Array(places.length);
  for (const { y, i } of order) moved[i] = y;
  return moved;
}

/**
 * Which labels stand over each other, by their places across: none of one group covers one of another.
 * @param {number[]} places @param {number} wide @returns {number[][]}
 */
export function beside(places, wide) {
  /** @type {number[][]} */
  const groups = [];
  let edge = -Infinity;
  for (const i of places.map((_, k) => k).sort((a, b) => places[a] - places[b])) {
    if (places[i] >= edge) groups.push([i]);
    else groups[groups.length - 1].push(i);
    edge = Math.max(edge, places[i] + wide);
  }
  return groups;
}

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** 0.001 → "0.001", 1e-7 → "10⁻⁷". @param {number} value a power of ten */
export function power(value) {
  const exponent = Math.round(Math.log10(value));
  if (exponent >= -3 && exponent <= 4) return String(10 ** exponent).replace(/^(0\.\d*?[1-9])0+\d$/, "$1");
  return `10${[...String(exponent)].map((c) => RAISED[/** @type {keyof typeof RAISED} */ (c)]).join("")}`;
}

/** The extent of all finite numbers. @param {number[][]} rows @param {boolean} log @returns {[number, number]} */
function extent(rows, log) {
  let [low, high] = [Infinity, -Infinity];
  for (const row of rows) {
    for (const v of row) {
      if (!Number.isFinite(v) || (log && v <= 0)) continue;
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
  }
  if (low > high) return log ? [0.1, 1] : [0, 1];
  if (low < high) return [low, high];
  return log ? [low / 2, low * 2] : [low - Math.abs(low) / 2 - 1e-9, low + Math.abs(low) / 2 + 1e-9];
}

/** @param {number} low @param {number} high @param {boolean} log @param {number} most */
const gridOf = (low, high, log, most) => {
  const tens = log ? decades(low, high, most) : [];
  return tens.length > 1 ? tens.map((v) => ({ v, text: power(v) })) : ticks(low, high, most).map((v) => ({ v, text: number(v) }));
};

/**
 * @param {HTMLElement} figure @param {Line[]} lines @param {Axes} axes
 * @returns {{update: (k: number) => void}}  k: places of each line that are shown; negative: all
 */
export function linesPicture(figure, lines, axes) {
  const [firstX, lastX] = extent(lines.map(({ xs }) => xs), Boolean(axes.logX));
  const [low, high] = axes.range ?? extent(lines.map(({ ys }) => ys), Boolean(axes.logY));
  const widest = Math.max(0, ...lines.map(({ name }) => name.length));
  return {
    update(k) {
      if (!lines.length) return;
      const width = Math.max(260, figure.clientWidth);
      const height = Math.max(120, figure.clientHeight);
      const em = enlarged(figure);
      const room = lines.length > 1 || lines[0].name ? Math.min(width * 0.36, em * (30 + LABEL * widest)) : 24;
      const edge = { left: 52 * em, right: Math.max(room, 40), top: 26 * em, bottom: 28 * em };
      const x = (axes.logX ? logarithmic : linear)(firstX, lastX, edge.left, width - edge.right);
      const up = (axes.logY ? logarithmic : linear)(low, high, height - edge.bottom, edge.top);
      const y = (/** @type {number} */ v) => (v > high ? edge.top - 8 : up(Math.max(v, low)));
      const drawn = lines.map((line) => {
        const count = k < 0 ? line.xs.length : Math.min(line.xs.length, k + 1);
        const ys = line.ys.slice(0, count);
        const stop = ys.findIndex((v) => !(v <= high) && !(Number.isNaN(v) && ys.every(Number.isNaN)));
        const kept = stop < 0 ? ys : ys.slice(0, stop + 1);
        const points = thin(kept, Math.round(width)).map((i) => /** @type {[number, number]} */ ([
          x(line.xs[i]), i === stop ? edge.top - 8 : y(kept[i])]));
        const faint = line.faint?.slice(0, count);
        const cloud = faint ? thin(faint, Math.round(width)).map((i) => /** @type {[number, number]} */ ([x(line.xs[i]), y(faint[i])])) : [];
        return { points, cloud, end: points.at(-1) ?? [x(firstX), edge.top], gone: stop >= 0 };
      });
      const groups = beside(drawn.map(({ end }) => end[0]), em * (20 + LABEL * (widest + 2)));
      const gap = Math.min(GAP * em, ...groups.map((group) => (height - edge.bottom - edge.top) / group.length));
      const names = Array(drawn.length);
      for (const group of groups) apart(group.map((i) => drawn[i].end[1]), gap, edge.top + 2, height - edge.bottom).forEach((at, i) => { names[group[i]] = at; });
      const most = Math.max(2, Math.round((width - edge.left - edge.right) / (90 * em)));
      const across = [0, 1, 2, 3].map((more) => gridOf(firstX, lastX, Boolean(axes.logX), most + more)
        .filter(({ v, text }) => x(v) + 4 * em * text.length < width - 16 - em * LABEL * axes.x.length)).find((found) => found.length > 1) ?? [];
      const grid = gridOf(low, high, Boolean(axes.logY), Math.max(2, Math.round(height / (45 * em))));
      fill(figure, svg("svg", { class: "lines", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": says(lines, axes, k) },
        axes.band && svg("g", { class: "lines-band" },
          svg("rect", { x: x(axes.band.from), y: edge.top, width: Math.max(2, x(axes.band.to) - x(axes.band.from)), height: height - edge.top - edge.bottom }),
          svg("text", { x: (x(axes.band.from) + x(axes.band.to)) / 2, y: edge.top + 15 * em, "text-anchor": "middle" }, axes.band.name)),
        svg("g", { class: "lines-grid" }, grid.map(({ v }) => svg("path", { d: `M${edge.left} ${up(v)}H${width - edge.right}` }))),
        svg("g", { class: "lines-ticks" },
          grid.map(({ v, text }) => svg("text", { x: edge.left - 8, y: up(v) + 4 * em, "text-anchor": "end" }, text)),
          across.map(({ v, text }) => svg("text", { x: x(v), y: height - 9, "text-anchor": "middle" }, text)),
          svg("text", { class: "lines-axis", x: width - 8, y: height - 9, "text-anchor": "end" }, axes.x),
          svg("text", { class: "lines-axis", x: 8, y: 16 * em }, axes.y)),
        (axes.marks ?? []).map(({ at, name }) => svg("g", { class: "lines-mark" },
          svg("path", { d: `M${x(at)} ${edge.top}V${height - edge.bottom}` }),
          svg("text", { x: x(at) + 5, y: edge.top + 15 * em }, name))),
        drawn.map(({ points, cloud, end, gone }, i) => svg("g", { class: `lines-lane lane-${lines[i].place}`, "data-lane": lines[i].place, "font-size": gap < GAP * em ? gap * 0.8 : undefined },
          cloud.length > 0 && svg("path", { class: "lane-cloud", d: path(cloud) }),
          svg("path", { class: "lane-line", d: path(points) }),
          svg("circle", { class: "lane-end", cx: end[0], cy: end[1], r: gone || !Number.isFinite(end[1]) ? 0 : 4 }),
          lines[i].name && svg("path", { class: "lane-lead", d: `M${end[0] + 5} ${end[1]}L${end[0] + 12} ${names[i]}` }),
          lines[i].name && svg("text", { class: "lane-label", x: end[0] + 15, y: names[i] + 5 * em }, `${lines[i].name}${gone ? " ↗" : ""}`))),
      ));
    },
  };
}

/** @param {Line[]} lines @param {Axes} axes @param {number} k */
const says = (lines, axes, k) => `${axes.y} by ${axes.x}. ${lines
  .map(({ name, ys }) => `${name ? `${name}: ` : "ends at "}${number(/** @type {Num} */ (ys[k < 0 ? ys.length - 1 : Math.min(k, ys.length - 1)]))}`).join("; ")}`;
