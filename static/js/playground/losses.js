// The loss curve as a file. The canvas is drawn by a thread of its own; here the same lines are drawn once more, into an SVG.

import { downloads } from "../download.js";
import { svg } from "../h.js";
import { watch } from "./live.js";
import { drawCurve } from "./painter_curve.js";

/** @import {Point} from "./live.js" */
/** @import {Brush, Inks} from "./painter.js" */

const SIZE = { width: 640, height: 360, scale: 1 };
const TEXT = 13; // px
const LEGEND = 28; // px below

/** What the server has drawn the curve of. @param {string} id @returns {Promise<Point[]>} */
const curveOf = (id) => new Promise((done) => {
  const end = watch(id, {
    scene(scene) {
      end();
      done(scene.curve);
    },
    picture() {},
    gone: () => done([]),
  });
});

/** A brush as drawCurve uses one, that leaves elements instead of paint. @param {SVGElement} root @returns {Brush} */
export function svgBrush(root) {
  let [d, dash] = ["", ""];
  const anchors = /** @type {Record<string, string>} */ ({ right: "end", center: "middle" });
  const brush = {
    font: "", fillStyle: "", strokeStyle: "", lineWidth: 1, textAlign: "", textBaseline: "", lineJoin: "",
    beginPath: () => (d = ""),
    moveTo: (/** @type {number} */ x, /** @type {number} */ y) => (d += `M${x.toFixed(2)} ${y.toFixed(2)}`),
    lineTo: (/** @type {number} */ x, /** @type {number} */ y) => (d += `${d ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`),
    setLineDash: (/** @type {number[]} */ parts) => (dash = parts.join(" ")),
    stroke: () => d && root.append(svg("path", { d, fill: "none", stroke: brush.strokeStyle, "stroke-width": brush.lineWidth, "stroke-dasharray": dash || "none" })),
    fill: () => d && root.append(svg("path", { d, fill: brush.fillStyle, stroke: "none" })),
    fillText: (/** @type {string} */ text, /** @type {number} */ x, /** @type {number} */ y) => root.append(svg("text", {
      x, y: brush.textBaseline === "middle" ? y + TEXT / 3 : y, fill: brush.fillStyle, "font-size": TEXT, "font-family": "sans-serif", "text-anchor": anchors[brush.textAlign] ?? "start",
    }, text)),
  };
  return /** @type {any} */ (brush);
}

/** @param {Point[]} points @param {Inks} inks */
function drawn(points, inks) {
  const picture = svg("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height + LEGEND}`, width: SIZE.width, height: SIZE.height + LEGEND, class: "play-file" });
  const brush = svgBrush(picture);
  drawCurve(brush, points, SIZE, inks, TEXT);
  [brush.textAlign, brush.textBaseline, brush.fillStyle] = ["left", "alphabetic", inks.ink];
  brush.fillText("loss against updates: training (line), held back (dashed), single batches (band)", 8, SIZE.height + LEGEND / 2);
  return picture;
}

/** @param {HTMLElement} root @param {() => string} session  its id @param {() => Inks | null} inks */
export function mountLosses(root, session, inks) {
  root.append(downloads({
    name: "playground-loss",
    async columns() {
      const rows = await curveOf(session());
      const names = ["iteration", "train_loss", "validation_loss", "lowest_batch", "highest_batch"];
      return Object.fromEntries(names.map((name, i) => [name, rows.map((row) => row[i])]));
    },
    async svg() {
      const now = inks();
      if (!now) return null;
      root.querySelector(".play-file")?.remove();
      const picture = drawn(await curveOf(session()), now);
      root.append(picture); // where its looks are those of the page
      return picture;
    },
  }, "the loss curve"));
}
