/**
 * An activation's curve, with the tangent at the point where this run stands: the local factor
 * of the chain rule, seen as a slope.
 */

import { svg } from "../h.js";
import { number, toNumber } from "../format.js";
import { linear, path, ticks } from "../scale.js";

const WIDTH = 240;
const HEIGHT = 88;
const EDGE = { left: 26, right: 8, top: 6, bottom: 16 };

/**
 * Where everything lies: maps, the curve, the tangent cut off at the frame, the ticks.
 * @param {{x: number, y: number, slope: number, xs: number[], ys: number[]}} curve
 */
export function drawing(curve, width = WIDTH, height = HEIGHT) {
  const x = toNumber(curve.x);
  const y = toNumber(curve.y);
  const slope = toNumber(curve.slope);
  const xs = curve.xs.map(toNumber);
  const ys = curve.ys.map(toNumber);
  const finite = [...ys, y].filter(Number.isFinite);
  let low = Math.min(0, ...finite);
  let high = Math.max(0, ...finite);
  if (low === high) high = low + 1;
  const room = (high - low) * 0.12;
  low -= room;
  high += room;
  const left = Math.min(...xs, Number.isFinite(x) ? x : xs[0]);
  const right = Math.max(...xs, Number.isFinite(x) ? x : xs[0]);
  const across = linear(left, right, EDGE.left, width - EDGE.right);
  const up = linear(low, high, height - EDGE.bottom, EDGE.top);
  /** @param {[number, number]} at @returns {[number, number]} */
  const place = ([a, b]) => [across(a), up(b)];
  const line = xs.map((at, i) => place([at, ys[i]]));
  const touching = tangent({ x, y, slope }, { left, right, low, high }).map(place);
  const frame = { left: EDGE.left, right: width - EDGE.right, top: EDGE.top, bottom: height - EDGE.bottom };
  return {
    across,
    up,
    curve: path(line),
    point: place([x, y]),
    tangent: touching,
    corner: emptyCorner([...line, ...between(touching), place([x, y])], frame),
    xTicks: ticks(left, right, 4),
    yTicks: ticks(low, high, 2),
    frame,
  };
}

/** @typedef {{left: number, right: number, top: number, bottom: number}} Frame */

/** Points along a line from end to end. @param {[number, number][]} ends @returns {[number, number][]} */
const between = (ends) =>
  ends.length < 2 ? [] : Array.from({ length: 25 }, (_, i) => [ends[0][0] + (i / 24) * (ends[1][0] - ends[0][0]), ends[0][1] + (i / 24) * (ends[1][1] - ends[0][1])]);

/**
 * The corner of the frame in which a word of this size meets the fewest points; of equal ones the first: above on the
 * left, above on the right, below.
 * @param {[number, number][]} points @param {Frame} frame
 */
function emptyCorner(points, { left, right, top, bottom }, [wide, high] = [76, 20]) {
  const corners = [false, true].flatMap((below) => [false, true].map((rightmost) => {
    const [x, y] = [rightmost ? right - wide : left, below ? bottom - high : top];
    const met = points.filter(([a, b]) => a >= x && a <= x + wide && b >= y && b <= y + high).length;
    return { below, rightmost, met };
  }));
  return corners.reduce((best, corner) => (corner.met < best.met ? corner : best));
}

/**
 * The straight line through a point, cut to a box; two ends, or none when it has no slope to show.
 * @param {{x: number, y: number, slope: number}} line
 * @param {{left: number, right: number, low: number, high: number}} box
 * @returns {[number, number][]}
 */
export function tangent({ x, y, slope }, { left, right, low, high }) {
  if (![x, y, slope].every(Number.isFinite)) return [];
  let [from, to] = [left, right];
  if (slope !== 0) {
    const [a, b] = [x + (low - y) / slope, x + (high - y) / slope].sort((p, q) => p - q);
    from = Math.max(from, a);
    to = Math.min(to, b);
  }
  return to > from ? [[from, y + slope * (from - x)], [to, y + slope * (to - x)]] : [];
}

/**
 * @param {{fn: string, x: number, y: number, slope: number, xs: number[], ys: number[]}} curve
 * @returns {SVGElement}
 */
export function curveView(curve) {
  const d = drawing(curve);
  const { frame } = d;
  const [px, py] = d.point;
  const zeroX = d.across(0);
  const zeroY = d.up(0);
  const says = `${curve.fn}: at ${number(curve.x)} it is ${number(curve.y)}, slope ${number(curve.slope)}`;
  const { below, rightmost } = d.corner;
  return svg(
    "svg",
    { class: "curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": says },
    svg("g", { class: "curve-ticks" },
      d.xTicks.map((at) => svg("text", { x: d.across(at), y: HEIGHT - 5, "text-anchor": "middle" }, number(at))),
      d.yTicks.map((at) => svg("text", { x: frame.left - 5, y: d.up(at) + 4, "text-anchor": "end" }, number(at))),
    ),
    svg("path", {
      class: "curve-axes",
      d: `M${frame.left} ${zeroY}H${frame.right}` +
        (zeroX > frame.left && zeroX < frame.right ? `M${zeroX} ${frame.top}V${frame.bottom}` : ""),
    }),
    Number.isFinite(px + py) &&
      svg("path", { class: "curve-drop", d: `M${px} ${frame.bottom}V${py}H${frame.left}` }),
    svg("path", { class: "curve-line", d: d.curve }),
    d.tangent.length === 2 && svg("path", { class: "curve-tangent", d: path(d.tangent) }),
    Number.isFinite(px + py) && svg("circle", { class: "curve-point", cx: px, cy: py, r: 5 }),
    svg("text", {
      class: "curve-slope",
      x: rightmost ? frame.right - 4 : frame.left + 6,
      y: below ? frame.bottom - 8 : frame.top + 12,
      "text-anchor": rightmost ? "end" : "start",
    }, `slope ${number(curve.slope)}`),
  );
}
