/**
 * What a mini-batch sees of the slope: the gradient of all samples as one arrow, those of mini-batches of each lane's
 * size around it, laid by the server on the plane on which they differ most.
 */

import * as api from "../api.js";
import { fill, h, svg } from "../h.js";
import { number, toNumber } from "../format.js";
import { linear } from "../scale.js";
import { enlarged } from "./lines.js";

/** @import {Num} from "../types.js" */
/** @typedef {{x: Num, y: Num, norm: Num, cosine?: Num | null}} Arrow */
/** @typedef {{iteration: number, full: Arrow, sizes: {size: number, spread: Num | null, batches: Arrow[]}[]}} Noise */

const ARROWS = 12; // mini-batches of each size
const MOST_SIZES = 5;
const QUIET = 300; // ms without another move

/** The lane that draws batches of a size: for its colour. @param {number[]} sizes of the lanes @param {number} size */
export const laneOf = (sizes, size) => Math.max(0, sizes.indexOf(size));

/** How many samples each lane takes at once. @param {{samples: number[] | null}[]} results */
export const sizesOf = (results) => results.map(({ samples }) => samples?.[1] ?? 1);

/** @param {object} spec @param {number} iteration @param {number[]} sizes @returns {Promise<Noise>} */
async function ask(spec, iteration, sizes) {
  const made = await api.createSession({ spec, position: { iteration, step: 0 } });
  const path = `/api/sessions/${encodeURIComponent(made.id)}`;
  try {
    const told = [...new Set(sizes)].slice(0, MOST_SIZES).join(",");
    return await api.request("GET", `${path}/gradient-noise?iteration=${iteration}&batches=${ARROWS}&sizes=${told}`);
  } finally {
    api.request("DELETE", path).catch(() => {});
  }
}

/** A line with a head. @param {string} name @param {[number, number]} from @param {[number, number]} to */
function arrow(name, [x0, y0], [x1, y1]) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (!(length > 1)) return svg("circle", { class: `${name} noise-dot`, cx: x0, cy: y0, r: 2 });
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  const size = Math.min(9, length / 2);
  const [bx, by] = [x1 - size * ux, y1 - size * uy];
  const half = size * 0.45;
  return svg("g", { class: name },
    svg("path", { class: "noise-shaft", d: `M${x0} ${y0}L${bx} ${by}` }),
    svg("path", { class: "noise-head", d: `M${x1} ${y1}L${bx - half * uy} ${by + half * ux}L${bx + half * uy} ${by - half * ux}Z` }));
}

/** @param {HTMLElement} stage @param {Noise} noise @param {number[]} lanes  sizes of the lanes */
function draw(stage, noise, lanes) {
  const width = Math.max(260, stage.clientWidth);
  const height = Math.max(120, stage.clientHeight);
  const em = enlarged(stage);
  const all = [noise.full, ...noise.sizes.flatMap(({ batches }) => batches)].map(({ x, y }) => [toNumber(x), toNumber(y)]).filter((p) => p.every(Number.isFinite));
  const reach = Math.max(1e-300, ...all.map(([x, y]) => Math.max(Math.abs(x), Math.abs(y))));
  const room = Math.min(width, height) / 2 - 26;
  const at = (/** @type {Arrow} */ { x, y }) => /** @type {[number, number]} */ ([width / 2 + linear(0, reach, 0, room)(toNumber(x)), height / 2 - linear(0, reach, 0, room)(toNumber(y))]);
  const origin = /** @type {[number, number]} */ ([width / 2, height / 2]);
  const told = noise.sizes.filter(({ batches }) => batches.length > 1);
  const key = (/** @type {string} */ name, /** @type {number} */ y) => arrow(name, [10, (y - 4) * em], [10 + 22 * em, (y - 4) * em]);
  fill(stage, svg("svg", { class: "noise", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label":
    `Gradients at iteration ${noise.iteration}: the full one has norm ${number(noise.full.norm)}. ${told.map(({ size, spread }) => `Batches of ${size} spread by ${number(spread)} times that`).join("; ")}` },
  told.toSorted((a, b) => a.size - b.size).map(({ size, batches }) => svg("g", { class: `lane-${laneOf(lanes, size)}`, "data-lane": laneOf(lanes, size) },
    batches.map((one) => arrow("noise-part", origin, at(one))))),
  arrow("noise-full", origin, at(noise.full)),
  svg("g", { class: "lines-ticks" },
    key("noise-full", 18), svg("text", { x: 10 + 28 * em, y: 18 * em }, `all samples: norm ${number(noise.full.norm)}`),
    told.map(({ size, spread }, row) => [key(`noise-part lane-${laneOf(lanes, size)}`, 36 + 17 * row),
      svg("text", { x: 10 + 28 * em, y: em * (36 + 17 * row) }, `${size} at once: spread ${number(spread)} × the norm`)]),
    svg("text", { x: 10, y: height - 10 }, `at iteration ${noise.iteration} of the first lane`))));
}

/**
 * @param {HTMLElement} stage @param {object} spec  of the lane whose weights are looked at @param {number[]} sizes  of each lane
 * @param {(noise: Noise) => void} known
 */
export function noisePicture(stage, spec, sizes, known) {
  let timer = 0;
  let wanted = -1;
  /** @type {Noise | null} */
  let shown = null;
  fill(stage, h("p", { class: "lab-empty" }, "Computing gradients …"));
  return {
    update(/** @type {number} */ k) {
      if (shown) draw(stage, shown, sizes);
      if (k === wanted) return;
      wanted = k;
      clearTimeout(timer);
      timer = window.setTimeout(async () => {
        try {
          const found = await ask(spec, k, sizes);
          if (k !== wanted || !stage.isConnected) return;
          shown = found;
          known(found);
          draw(stage, found, sizes);
        } catch (error) {
          if (k === wanted) fill(stage, h("p", { class: "lab-empty" }, /** @type {Error} */ (error).message));
        }
      }, QUIET);
    },
  };
}
