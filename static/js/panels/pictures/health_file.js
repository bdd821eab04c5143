// The maps of the health picture as files: how outputs and gradients of every layer are spread over time, as rows of
// numbers and as one drawing.

import { h, svg } from "../../h.js";
import { number, toNumber } from "../../format.js";
import { overTime } from "./health_scales.js";

/** @import {Layer, Vitals} from "./health_scales.js" */
/** @typedef {"outputs" | "sizes"} Kind */

const [WIDE, HIGH, LEFT, TOP, GAP] = [150, 90, 64, 30, 18];
/** @type {Record<Kind, string>} */
const ROWS = { outputs: "outputs", sizes: "log₁₀ |∂|" };
const kinds = /** @type {Kind[]} */ (Object.keys(ROWS));

/** @param {Layer} layer @param {Kind} kind */
const labelOf = (layer, kind) => (kind === "outputs" ? layer.output?.label ?? layer.label : `∂${layer.label}`);

/**
 * One row for each bin that holds something: of which layer, when, from where to where, how many entries.
 * @param {Vitals} vitals @returns {import("../../download.js").Columns}
 */
export function mapColumns({ iterations, layers }) {
  /** @type {Record<string, any[]>} */
  const columns = { of: [], iteration: [], from: [], to: [], entries: [] };
  for (const kind of kinds) {
    for (const layer of layers) {
      layer.looks.forEach((look, k) => {
        const told = look[kind];
        const [low, high] = [toNumber(told?.low), toNumber(told?.high)];
        told?.counts.forEach((entries, bin) => {
          const edge = (/** @type {number} */ i) => low + (i * (high - low)) / told.counts.length;
          if (entries) [`${ROWS[kind]} ${labelOf(layer, kind)}`, iterations[k], edge(bin), edge(bin + 1), entries].forEach((v, i) => columns[Object.keys(columns)[i]].push(v));
        });
      });
    }
  }
  return columns;
}

/** All maps as one drawing, which stands in the document, unseen, for as long as it is saved. @param {Vitals} vitals */
export function mapPicture({ iterations, layers }) {
  const [width, height] = [LEFT + layers.length * (WIDE + GAP) + GAP, kinds.length * (HIGH + TOP + GAP) + 24];
  const words = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ told, anchor = "start") =>
    svg("text", { x, y, "text-anchor": anchor, "font-size": 12, "font-family": "sans-serif", fill: "currentColor" }, told);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height },
    kinds.map((kind, row) => layers.map((layer, i) => {
      const { low, high, bins, columns } = overTime(layer, kind);
      const [left, top] = [LEFT + GAP + i * (WIDE + GAP), TOP + row * (HIGH + TOP + GAP)];
      const [dx, dy] = [WIDE / columns.length, HIGH / bins];
      const end = (/** @type {number} */ v) => number(v, 2);
      return svg("g", { class: `health-file-${kind}` },
        i === 0 && words(8, top + HIGH / 2, ROWS[kind]),
        words(left, top - 6, labelOf(layer, kind)), words(left + WIDE, top - 6, end(high), "end"), words(left + WIDE, top + HIGH + 13, end(low), "end"),
        words(left, top + HIGH + 13, `iteration ${iterations[0]} to ${iterations.at(-1)}`),
        columns.flatMap((column, x) => (column ?? []).map((share, bin) => share > 0 && svg("rect", { class: "health-file-cell",
          x: left + x * dx, y: top + HIGH - (bin + 1) * dy, width: dx, height: dy, opacity: 0.12 + 0.88 * share }))),
        svg("rect", { class: "health-file-edge", x: left, y: top, width: WIDE, height: HIGH }));
    })));
  const holder = h("div", { class: "unseen", "aria-hidden": "true" }, picture);
  document.body.append(holder);
  setTimeout(() => holder.remove(), 5000);
  return picture;
}
