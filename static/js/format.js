// Every number on the page is written here: three significant digits, a true minus sign, no "−0.00", and the three
// strings that stand for non-finite numbers. What is written short is exact: 0.5 is 0.5, while 0.50004 is "0.500".

/** @typedef {number | "NaN" | "Infinity" | "-Infinity"} Num */
/** @typedef {"positive" | "negative" | "zero" | "nan"} Sign */

const MINUS = "−";

/** A number from JSON as a JavaScript number. @param {Num | null | undefined} x @returns {number} */
export function toNumber(x) {
  return x === null || x === undefined ? NaN : Number(x);
}

/** @param {Num | null | undefined} x @returns {Sign} */
export function sign(x) {
  const value = toNumber(x);
  if (Number.isNaN(value)) return "nan";
  return value > 0 ? "positive" : value < 0 ? "negative" : "zero";
}

/** The shape that stands for a sign: ▲, ▼ or nothing. @param {Num | null | undefined} x */
export function signGlyph(x) {
  return { positive: "▲", negative: "▼", zero: "", nan: "" }[sign(x)];
}

/** @param {string} text a number as JavaScript writes it */
function typographic(text) {
  return text.replace("e+", "e").replaceAll("-", MINUS);
}

/**
 * Three significant digits: "0.646", "−3.1e−5", "12.3", "1230", "NaN", "∞".
 * @param {Num | null | undefined} x @param {number} [digits] @returns {string}
 */
export function number(x, digits = 3) {
  const value = toNumber(x);
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e5) {
    const mantissa = value.toExponential(digits - 2);
    return typographic(mantissa.replace(/\.0+e/, "e"));
  }
  const rounded = Number(value.toPrecision(digits));
  if (Math.abs(rounded) >= 10 ** digits) return typographic(String(Math.round(value)));
  const exact = Math.abs(rounded - value) <= 1e-12 * size;
  return typographic(exact ? String(rounded) : value.toPrecision(digits));
}

/** With its sign in any case: "+0.5", "−0.5", "0". @param {Num | null | undefined} x @param {number} [digits] */
export function signed(x, digits = 3) {
  return (sign(x) === "positive" ? "+" : "") + number(x, digits);
}

/** All digits that the number has, for titles and editors. @param {Num | null | undefined} x */
export function full(x) {
  const value = toNumber(x);
  return Number.isFinite(value) ? typographic(String(value)) : number(x);
}

/** What a person typed, as a number or one of the three strings; null if it is none. @param {string} text @returns {Num | null} */
export function parse(text) {
  const plain = text.trim().replaceAll(MINUS, "-").replace(",", ".");
  if (/^[+-]?(inf(inity)?|∞)$/i.test(plain)) return plain.startsWith("-") ? "-Infinity" : "Infinity";
  if (/^nan$/i.test(plain)) return "NaN";
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null;
  const value = Number(plain);
  return Number.isFinite(value) ? value : null;
}

/** "2 × 3", closer "1×1×2×2", "4" for a vector, "" for a scalar. @param {number[]} dimensions */
export function shape(dimensions) {
  return dimensions.join(dimensions.length > 3 ? "×" : " × ");
}

/** 12345 → "12 345" with thin no-break spaces. @param {number} n */
export function count(n) {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** 0.2287 → "22.9 %". @param {number} fraction */
export function percent(fraction) {
  return `${number(fraction * 100)} %`;
}
