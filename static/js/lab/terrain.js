/**
 * Trajectories on the same landscape: the lanes' balls in one bowl where there is one number, their paths over lines of
 * equal loss where there are two. The ground comes from the server, as the lanes do.
 */

import { fill, svg } from "../h.js";
import { number, toNumber } from "../format.js";
import { linear, path as drawn, ticks } from "../scale.js";
import { contour, levels } from "./contour.js";
import { enlarged } from "./lines.js";

/** @import {Num} from "../types.js" */
/** @typedef {{path: any[], loss: Num[], verdict: {kind: string}, name: string}} Walker */
/** @typedef {{a: number[], b: number[], loss: Num[][], axes: string[], dots?: boolean}} Ground  dots: false where places are not those of single steps */

const TRAIL = 14;
const LINES = 14;
const ROOM = 0.18;

/** A lane's places as points; of one number the second is left to the loss. @param {any[]} path @returns {[number, number][]} */
export const places = (path) => path.map((x) => (Array.isArray(x) ? [toNumber(x[0]), toNumber(x[1])] : [toNumber(x), 0]));

/**
 * How much ground is drawn: around the start, and where the lanes that are not thrown out go.
 * @param {Walker[]} walkers
 * @returns {[[number, number], [number, number]]}  for each axis from, to
 */
export function extentOf(walkers) {
  const kept = walkers.filter(({ verdict }) => verdict.kind !== "diverges");
  const start = places(walkers[0].path)[0];
  const points = (kept.length ? kept : []).flatMap(({ path }) => places(path)).concat([start]);
  const best = kept.reduce((a, b) => (toNumber(b.loss.at(-1)) < toNumber(a.loss.at(-1)) ? b : a), kept[0]);
  const goal = best ? places(best.path).at(-1) ?? start : start;
  return /** @type {[[number, number], [number, number]]} */ ([0, 1].map((axis) => {
    const all = points.map((point) => point[axis]).filter(Number.isFinite);
    const away = Math.abs(start[axis] - goal[axis]) * 1.25;
    const low = Math.min(...all, goal[axis] - away);
    const high = Math.max(...all, goal[axis] + away);
    const room = high > low ? ROOM * (high - low) : 1;
    return [low - room, high + room];
  }));
}

/**
 * The places that are still on the picture, up to step k, and the step at which the lane left it.
 * @param {[number, number][]} all @param {number} k @param {(point: [number, number]) => boolean} inside
 */
export function kept(all, k, inside) {
  const seen = all.slice(0, k + 1);
  const lost = seen.findIndex((point) => !inside(point));
  return { points: lost < 0 ? seen : seen.slice(0, lost), out: lost < 0 ? null : lost };
}

/**
 * @param {HTMLElement} figure @param {Walker[]} walkers @param {Ground} ground  absolute places, not offsets
 * @returns {{update: (k: number) => void}}
 */
export function terrainPicture(figure, walkers, ground) {
  const flat = ground.loss.length === 1;
  const heights = ground.loss.map((row) => row.map(toNumber));
  const all = walkers.map(({ path, loss }) =>
    (flat ? places(path).map(([x], i) => /** @type {[number, number]} */ ([x, toNumber(loss[i])])) : places(path)));
  const [left, right] = [ground.a[0], ground.a.at(-1) ?? 1];
  const peak = heights[0].filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0);
  const foot = heights[0].filter(Number.isFinite).reduce((a, b) => Math.min(a, b), peak);
  const [low, high] = flat ? [foot - 0.04 * (peak - foot), peak] : [ground.b[0], ground.b.at(-1) ?? 1];
  const inside = (/** @type {[number, number]} */ [x, y]) => x >= left && x <= right && (flat ? Number.isFinite(y) : y >= low && y <= high);
  const rows = flat ? [] : levels(heights, LINES).map((level) => contour(heights, ground.a, ground.b, level));

  return {
    update(k) {
      const width = Math.max(260, figure.clientWidth);
      const height = Math.max(120, figure.clientHeight);
      const em = enlarged(figure);
      const edge = { left: 44 * em, right: 14, top: 24 * em, bottom: 28 * em };
      const x = linear(left, right, edge.left, width - edge.right);
      const y = linear(low, high, height - edge.bottom, edge.top);
      const at = (/** @type {[number, number]} */ [px, py]) => /** @type {[number, number]} */ ([x(px), y(py)]);
      const ways = all.map((points) => kept(points, k, inside));
      const out = ways.map(({ out: step }, i) => ({ step, i })).filter(({ step }) => step !== null);
      fill(figure, svg("svg", { class: "terrain", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": says(walkers, ways) },
        flat
          ? svg("path", { class: "terrain-curve", d: drawn(ground.a.map((px, i) => at([px, heights[0][i]]))) })
          : rows.map((pieces) => svg("path", { class: "terrain-level", d: pieces.map(([from, to]) => drawn([at(from), at(to)])).join("") })),
        svg("g", { class: "lines-ticks" },
          ticks(left, right, Math.round(width / (90 * em))).filter((v) => x(v) < width - em * (40 + 7 * ground.axes[0].length)).map((v) => svg("text", { x: x(v), y: height - 9, "text-anchor": "middle" }, number(v))),
          ticks(low, high, Math.round(height / (50 * em))).map((v) => svg("text", { x: edge.left - 7, y: y(v) + 4, "text-anchor": "end" }, number(v))),
          svg("text", { class: "lines-axis", x: width - 8, y: height - 9, "text-anchor": "end" }, ground.axes[0]),
          svg("text", { class: "lines-axis", x: 8, y: 16 * em }, flat ? "loss" : ground.axes[1])),
        ways.map(({ points, out: step }, i) => {
          const shown = points.map(at);
          const from = Math.max(0, shown.length - 1 - TRAIL);
          const end = shown.at(-1);
          return svg("g", { class: `terrain-lane lane-${i}`, "data-lane": i },
            svg("path", { class: "terrain-path", d: drawn(shown) }),
            ground.dots !== false && shown.slice(from, -1).map(([cx, cy]) => svg("circle", { class: "terrain-step", cx, cy, r: 2.4 })),
            end && step === null && svg("circle", { class: "terrain-ball", cx: end[0], cy: end[1], r: 7 }));
        }),
        out.map(({ step, i }, row) => svg("text", { class: "terrain-out", x: width / 2, y: edge.top + em * (12 + 17 * row), "text-anchor": "middle" },
          `${walkers[i].name}: thrown out at step ${step}`)),
        legend(walkers.map(({ name }) => name), width, height, em)));
    },
  };
}

/** Which line is which, for a file: on the page the lanes stand beside the picture. @param {string[]} names @param {number} width @param {number} height @param {number} em */
function legend(names, width, height, em) {
  const column = em * (48 + 8 * Math.max(0, ...names.map((name) => name.length)));
  const inRow = Math.max(1, Math.floor((width - 16) / column));
  return svg("g", { class: "file-only", "data-height": em * (10 + 18 * Math.ceil(names.length / inRow)) }, names.map((name, i) => {
    const [left, y] = [8 + column * (i % inRow), height + em * (10 + 18 * Math.floor(i / inRow))];
    return svg("g", { class: `lane-${i}` },
      svg("path", { class: "terrain-key", d: `M${left} ${y}h${30 * em}` }),
      svg("text", { class: "lane-label", x: left + 36 * em, y: y + 4 * em }, name));
  }));
}

/** @param {Walker[]} walkers @param {{out: number | null}[]} ways */
const says = (walkers, ways) => `The ways of the lanes over the loss. ${walkers
  .map(({ name }, i) => (ways[i].out === null ? `${name} is on the picture` : `${name} was thrown out at step ${ways[i].out}`)).join("; ")}`;
