// Two runs over each other: as it is, and with the cure. Losses on one axis, validation losses dotted.

import { number, toNumber } from "../format.js";
import { svg } from "../h.js";
import { decades, linear, logarithmic, path, thin, ticks } from "../scale.js";

/** @import {Num} from "../types.js" */

/** @typedef {{label: string, spec: any, loss: Num[], validation: (Num | null)[], final: Num}} Lane */
/** @typedef {{check: string, cure: string, iterations: number, lanes: [Lane, Lane], healed: boolean, comparable: boolean, findings: string[], says: string}} Treatment */

const EDGE = { left: 44, right: 10, top: 28, bottom: 20 };
const TITLE = 62; // px of the title of x
const LOG_FROM = 30;
const LOST = 20; // times the largest start: above, a curve leaves the picture
const SMALLEST = 1e-15; // of the start: below, a curve has arrived

/**
 * Scales, lines and ticks. A curve that leaves upward ends at the upper edge.
 * @param {Pick<Lane, "loss" | "validation">[]} lanes @param {{width: number, height: number}} size
 */
export function lanesPicture(lanes, { width, height }) {
  const curves = lanes.flatMap((lane) => [lane.loss, lane.validation]).map((values) => values.map(toNumber));
  const start = Math.max(...lanes.map((lane) => Math.abs(toNumber(lane.loss[0]))).filter(Number.isFinite), 0) || 1;
  const finite = curves.flat().filter((v) => Number.isFinite(v) && v <= LOST * start);
  const last = Math.max(1, ...lanes.map((lane) => lane.loss.length - 1));
  const most = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const positive = finite.every((v) => v >= 0);
  const least = finite.filter((v) => v > SMALLEST * start).reduce((a, b) => Math.min(a, b), Infinity);
  const log = positive && least > 0 && most / least > LOG_FROM;
  const low = !finite.length ? 0 : log ? least : Math.min(0, finite.reduce((a, b) => Math.min(a, b)));
  const high = most > low ? most : low + 1;
  const x = linear(0, last, EDGE.left, width - EDGE.right);
  const y = (log ? logarithmic : linear)(low, high, height - EDGE.bottom, EDGE.top);
  /** @param {number[]} values */
  const line = (values) => path(thin(values, Math.max(1, Math.round(width)))
    .map((i) => [x(i), Number.isNaN(values[i]) ? Number.NaN : y(Math.min(values[i], high))]));
  return {
    log, x, y,
    lines: lanes.map((lane) => ({
      loss: line(lane.loss.map(toNumber)),
      validation: lane.validation.some((v) => v !== null) ? line(lane.validation.map(toNumber)) : "",
      lost: lane.loss.some((v) => !(toNumber(v) <= LOST * start)),
    })),
    xTicks: ticks(0, last, Math.max(2, Math.round(width / 90))).filter(Number.isInteger),
    yTicks: log ? decades(low, high, 4) : ticks(low, high, 3),
  };
}

/** @param {Treatment} treatment @param {number} width @param {number} height */
export function lanesView({ lanes, comparable }, width, height) {
  const d = lanesPicture(lanes, { width, height });
  const words = lanes.map((lane) => `${lane.label}: loss ${number(lane.loss[0])} to ${number(lane.final)}`).join("; ");
  return svg("svg", { class: "doctor-lanes", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Losses of both lanes${comparable ? "" : ", which measure different things"}. ${words}` },
    svg("g", { class: "chart-grid" }, d.yTicks.map((t) => svg("path", { d: `M${EDGE.left} ${d.y(t)}H${width - EDGE.right}` }))),
    svg("g", { class: "chart-ticks" },
      d.yTicks.map((t) => svg("text", { x: EDGE.left - 6, y: d.y(t) + 4, "text-anchor": "end" }, number(t))),
      d.xTicks.filter((t) => d.x(t) < width - EDGE.right - TITLE).map((t) => svg("text", { x: d.x(t), y: height - 5, "text-anchor": "middle" }, String(t))),
      svg("text", { x: 4, y: 16 }, "loss"),
      svg("text", { x: width - EDGE.right, y: height - 5, "text-anchor": "end" }, "iteration")),
    d.lines.map((line, i) => /** @type {const} */ ([line, i])).reverse().map(([line, i]) => svg("g", { class: i ? "doctor-lane is-cured" : "doctor-lane is-sick" },
      line.validation && svg("path", { class: "is-validation", d: line.validation }),
      svg("path", { d: line.loss }))),
    svg("g", { class: "file-only chart-ticks", "data-height": 22 * lanes.length }, lanes.map((lane, i) => [
      svg("g", { class: i ? "doctor-lane is-cured" : "doctor-lane is-sick" }, svg("path", { d: `M${EDGE.left} ${height + 6 + 22 * i}h30` })),
      svg("text", { x: EDGE.left + 38, y: height + 10 + 22 * i }, `${lane.label.replaceAll("_", " ")}${lane.validation.some((v) => v !== null) ? "; dotted: held back" : ""}`)])));
}
