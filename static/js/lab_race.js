/**
 * All lanes' losses over each other on a log axis, each line named at its end.
 */

import { fill, svg } from "./h.js";
import { number, toNumber } from "./format.js";
import { decades, linear, logarithmic, path, ticks } from "./scale.js";

const EDGE = { left: 58, right: 86, top: 28, bottom: 30 };
const ABOVE = 1e4;
const BELOW = 1e-12;
const GAP = 17;

/**
 * The axis: from a little under the best loss to a little over the start, cut where lanes explode.
 * @param {{loss: any[]}[]} lanes
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
 * @param {HTMLElement} figure @param {{lr: number, loss: any[]}[]} lanes
 * @returns {{update: (k: number) => void}}
 */
export function racePicture(figure, lanes) {
  const [low, high] = range(lanes);
  const last = Math.max(1, ...lanes.map((lane) => lane.loss.length - 1));
  return {
    update(k) {
      if (!lanes.length) return;
      const width = Math.max(300, figure.clientWidth);
      const height = Math.max(150, figure.clientHeight);
      const x = linear(0, last, EDGE.left, width - EDGE.right);
      const up = logarithmic(low, high, height - EDGE.bottom, EDGE.top);
      const y = (/** @type {number} */ v) => (v > high ? EDGE.top - 8 : up(v));
      const lines = lanes.map((lane) => {
        const losses = lane.loss.slice(0, k + 1).map(toNumber);
        const stop = losses.findIndex((v) => !(v <= high));
        const drawnLosses = stop < 0 ? losses : losses.slice(0, stop + 1).map((v) => (v <= high ? v : high * 10));
        const points = drawnLosses.map((v, i) => /** @type {[number, number]} */ ([x(i), y(v)]));
        return { points, end: points.at(-1) ?? [x(0), EDGE.top], gone: stop >= 0 };
      });
      const labels = apart(lines.map(({ end }) => end[1]), GAP, EDGE.top + 4, height - EDGE.bottom);
      fill(figure, svg("svg", { class: "race", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": says(lanes, k) },
        svg("g", { class: "race-grid" }, decades(low, high, 6).map((v) => svg("path", { d: `M${EDGE.left} ${up(v)}H${width - EDGE.right}` }))),
        svg("g", { class: "race-ticks" },
          decades(low, high, 6).map((v) => svg("text", { x: EDGE.left - 8, y: up(v) + 4, "text-anchor": "end" }, power(v))),
          ticks(0, last, Math.round(width / 160)).filter(Number.isInteger).map((v) => svg("text", { x: x(v), y: height - 10, "text-anchor": "middle" }, String(v))),
          svg("text", { class: "race-axis", x: width - EDGE.right + 18, y: height - 10 }, "iteration"),
          svg("text", { class: "race-axis", x: 10, y: 17 }, "loss")),
        lines.map(({ points, end, gone }, i) => svg("g", { class: `race-lane lane-${i}` },
          svg("path", { class: "lane-line", d: path(points) }),
          svg("circle", { class: "lane-end", cx: end[0], cy: end[1], r: gone ? 0 : 4.5 }),
          svg("path", { class: "race-lead", d: `M${end[0] + 5} ${end[1]}L${end[0] + 12} ${labels[i]}` }),
          svg("text", { class: "lane-label", x: end[0] + 15, y: labels[i] + 5 }, `${number(lanes[i].lr)}${gone ? " ↗" : ""}`))),
      ));
    },
  };
}

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** 0.001 → "0.001", 1e-7 → "10⁻⁷". @param {number} value a power of ten */
export function power(value) {
  const exponent = Math.round(Math.log10(value));
  if (exponent >= -3 && exponent <= 4) return String(10 ** exponent).replace(/^(0\.\d*?[1-9])0+\d$/, "$1");
  return `10${[...String(exponent)].map((c) => RAISED[/** @type {keyof typeof RAISED} */ (c)]).join("")}`;
}

/** @param {{lr: number, loss: any[]}[]} lanes @param {number} k */
const says = (lanes, k) => `Losses at iteration ${k}: ${lanes
  .map((lane) => `rate ${number(lane.lr)}: ${number(lane.loss[Math.min(k, lane.loss.length - 1)])}`).join("; ")}`;
