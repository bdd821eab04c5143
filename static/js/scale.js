/**
 * The two scales that every picture shares: sign and size as colour (maroon – near white – indigo
 * with a true zero, the same in every theme), and round numbers along an axis.
 */

const NEGATIVE = [117, 32, 23];
const ZERO = [247, 247, 247];
const POSITIVE = [37, 52, 150];

/** @typedef {[number, number, number]} Colour  red, green, blue up to 255 */

/** @param {number[]} from @param {number[]} to @param {number} share @returns {Colour} */
const mix = (from, to, share) => {
  const [r, g, b] = from.map((c, i) => Math.round(c + (to[i] - c) * share));
  return [r, g, b];
};

/**
 * Colour of a number on a scale that reaches `limit` on both sides of zero.
 * @param {number} value
 * @param {number} limit
 * @returns {Colour}
 */
export function sign(value, limit) {
  const share = Number.isFinite(value) && limit > 0 ? Math.min(1, Math.abs(value) / limit) : 0;
  return mix(ZERO, value < 0 ? NEGATIVE : POSITIVE, share);
}

/** The same as CSS. @param {number} value @param {number} limit */
export const signColour = (value, limit) => `rgb(${sign(value, limit).join(" ")})`;

/** Ink that can be read on a cell of that colour. @param {Colour} colour */
export function inkOn([r, g, b]) {
  const light = (/** @type {number} */ c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b) > 0.179 ? "#000000" : "#ffffff";
}

/**
 * Round numbers from low to high, about `count` of them.
 * @param {number} low
 * @param {number} high
 * @param {number} [count]
 * @returns {number[]}
 */
export function ticks(low, high, count = 5) {
  if (!(high > low)) return [low];
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  /** @type {number[]} */
  const found = [];
  for (let k = first; k <= last; k += 1) found.push(Number((k * step).toPrecision(12)));
  return found;
}

/** Powers of ten from low to high, thinned to at most `count`. @param {number} low @param {number} high @param {number} [count] */
export function decades(low, high, count = 6) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const skip = Math.max(1, Math.ceil((last - first + 1) / count));
  /** @type {number[]} */
  const found = [];
  for (let k = first; k <= last; k += skip) found.push(10 ** k);
  return found;
}

/**
 * A straight map from [a, b] to [p, q]; a point when a = b maps to the middle.
 * @param {number} a @param {number} b @param {number} p @param {number} q @returns {(x: number) => number}
 */
export function linear(a, b, p, q) {
  if (a === b) return () => (p + q) / 2;
  return (x) => p + ((x - a) / (b - a)) * (q - p);
}

/**
 * The same over the logarithm; what is not positive lands on the low end.
 * @param {number} a @param {number} b @param {number} p @param {number} q @returns {(x: number) => number}
 */
export function logarithmic(a, b, p, q) {
  const floor = Math.min(a, b);
  const inner = linear(Math.log10(a), Math.log10(b), p, q);
  return (x) => inner(Math.log10(Math.max(x, floor)));
}

/**
 * At most two points a pixel: of each bucket the lowest and the highest, in their order, so that
 * no spike is lost however long the run is.
 * @param {number[]} values
 * @param {number} buckets
 * @returns {number[]} indices to draw
 */
export function thin(values, buckets) {
  const n = values.length;
  if (n <= buckets * 2) return Array.from({ length: n }, (_, i) => i);
  /** @type {number[]} */
  const kept = [];
  for (let b = 0; b < buckets; b += 1) {
    const start = Math.floor((b * n) / buckets);
    const stop = Math.floor(((b + 1) * n) / buckets);
    let low = start;
    let high = start;
    for (let i = start + 1; i < stop; i += 1) {
      if (values[i] < values[low] || !Number.isFinite(values[low])) low = i;
      if (values[i] > values[high] || !Number.isFinite(values[high])) high = i;
    }
    kept.push(...(low === high ? [low] : [Math.min(low, high), Math.max(low, high)]));
  }
  if (kept[0] !== 0) kept.unshift(0);
  if (kept.at(-1) !== n - 1) kept.push(n - 1);
  return kept;
}

/**
 * An SVG path through points, broken where one is not a number.
 * @param {[number, number][]} points
 */
export function path(points) {
  let pen = "M";
  let drawn = "";
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = "M";
      continue;
    }
    drawn += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return drawn;
}
