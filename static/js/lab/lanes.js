/**
 * A lane is what it changes of the base spec, exactly as POST /api/sweeps takes it, with a key of its own on the page.
 * Here is also what lanes may differ in, how a lane is called, and how it is written in the address.
 */

import { number } from "../format.js";

/** @typedef {{type: string, [argument: string]: any}} Choice */
/** @typedef {Record<string, any>} Changes  lr, optimizer, schedule, batch_size, init: as in a spec */
/** @typedef {{key: number, changes: Changes}} Lane */
/** @typedef {"lr" | "optimizer" | "schedule" | "batch_size" | "init"} Field */

export const MOST = 12;
export const FEWEST = 1;
export const MOST_ITERATIONS = 5000;
const SPARE = [0.3, 0.03, 0.5, 0.003, 3, 0.001, 10, 0.01, 0.1, 1, 0.05, 0.2];

/** What lanes may differ in; `table` names the catalogue's rows that can be chosen. @type {Record<Field, {title: string, table: string | null, usual: string}>} */
export const FIELDS = {
  lr: { title: "learning rate", table: null, usual: "" },
  optimizer: { title: "optimizer", table: "optimizers", usual: "sgd" },
  schedule: { title: "schedule", table: "schedules", usual: "constant" },
  batch_size: { title: "batch size", table: null, usual: "all" },
  init: { title: "initialisation", table: "inits", usual: "as usual" },
};

/** @type {Record<string, string>} */
const NAMES = {
  sgd: "SGD", momentum: "Momentum", rmsprop: "RMSprop", adagrad: "Adagrad", adam: "Adam", adamw: "AdamW",
  zeros: "zeros", xavier_uniform: "Xavier", xavier_normal: "Xavier, normal", kaiming_uniform: "He", kaiming_normal: "He, normal",
};

/** How a row of the catalogue is called on the page. @param {string} name */
export const named = (name) => NAMES[name] ?? name.replaceAll("_", " ");

/** A rate as it stands in a field, however large. @param {number} value */
export const typed = (value) => (value >= 1e5 ? value.toExponential().replace("+", "") : String(value));

/** A rate as typed: a positive number, or null. @param {string} text */
export function rate(text) {
  const value = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && Number.isFinite(value) && value > 0 ? value : null;
}

/** @param {string} text */
export const noRate = (text) => `"${text}" is not a learning rate; a number above 0, such as 0.1`;

/** The rate that stands in a field; null, and a complaint, where it is none. @param {HTMLInputElement} field @param {(words: string) => void} complain */
export function rateIn(field, complain) {
  const value = rate(field.value);
  field.setAttribute("aria-invalid", String(value === null));
  if (value === null) complain(noRate(field.value));
  return value;
}

/** A rate for a new lane that no lane has yet. @param {number[]} rates */
export const spareRate = (rates) =>
  SPARE.find((r) => !rates.includes(r)) ?? Number((Math.max(...rates) * 2).toPrecision(2));

/** Lanes around the rate that a lesson uses itself. @param {number | null | undefined} own @param {number[]} otherwise */
export const ratesAround = (own, otherwise) =>
  (own ? [0.1, 1, 10, 100, 1000].map((times) => Number((own * times).toPrecision(2))) : otherwise);

/** A schedule that fits a run of n iterations. @param {string} type @param {number} n @returns {Choice} */
export function schedule(type, n) {
  /** @type {Record<string, object>} */
  const usual = {
    step: { step_size: Math.max(1, Math.round(n / 4)), gamma: 0.3 },
    exponential: { gamma: Number((0.01 ** (1 / n)).toPrecision(4)) },
    cosine: { T_max: n },
    warmup: { warmup_steps: Math.max(1, Math.round(n / 8)) },
  };
  return { type, ...usual[type] };
}

/** One lane's word for a field. @param {Field} field @param {any} value @param {boolean} closely  with its arguments */
function word(field, value, closely) {
  if (field === "lr") return value === undefined ? "own η" : number(value);
  if (field === "batch_size") return value ? `batch ${value}` : "whole batch";
  const choice = value ?? null;
  if (choice === null) return field === "optimizer" ? "own optimizer" : FIELDS[field].usual;
  const { type, ...more } = typeof choice === "string" ? { type: choice } : choice;
  const told = Object.entries(more).filter(([, v]) => typeof v === "number").map(([, v]) => number(v));
  return closely && told.length ? `${named(type)} ${told.join(" ")}` : named(type);
}

/**
 * What each lane is called: what it differs in from the others, and no more.
 * @param {Changes[]} lanes @returns {string[]}
 */
export function labels(lanes) {
  const fields = /** @type {Field[]} */ (Object.keys(FIELDS));
  const differ = fields.filter((field) => new Set(lanes.map((lane) => JSON.stringify(lane[field]))).size > 1);
  const order = differ.filter((field) => field !== "lr");
  const rate = (/** @type {Changes} */ lane) => (lane.lr === undefined ? [] : [order.length ? `η ${number(lane.lr)}` : number(lane.lr)]);
  const ways = [
    (/** @type {Changes} */ lane) => (order.length ? order.map((field) => word(field, lane[field], false)) : rate(lane)),
    (/** @type {Changes} */ lane) => (order.length ? [...order.map((field) => word(field, lane[field], false)), ...rate(lane)] : rate(lane)),
    (/** @type {Changes} */ lane) => [...order.map((field) => word(field, lane[field], true)), ...rate(lane)],
  ];
  const found = ways.map((way) => lanes.map((lane) => lane.label || way(lane).join(" · ") || "as it is"));
  return lanes.map((_, i) => {
    const plain = found.find((names) => names.filter((name) => name === names[i]).length === 1);
    return plain ? plain[i] : `${found[2][i]} (${i + 1})`;
  });
}

/** The field that lanes differ in most visibly. @param {Changes[]} lanes @returns {Field} */
export function differing(lanes) {
  const fields = /** @type {Field[]} */ (["optimizer", "schedule", "batch_size", "init"]);
  return fields.find((field) => lanes.some((lane) => lane[field] !== undefined)) ?? "lr";
}

// --- in the address: 0.1, or lr:0.1;optimizer:adam(eps:1e-8);schedule:step(step_size:100,gamma:0.3) ------------------

/** @param {any} value @returns {string | null} */
function written(value) {
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return /^[\w ]+$/.test(value) ? value : null;
  if (Array.isArray(value)) return value.every((v) => typeof v === "number") ? value.join("|") : null;
  if (typeof value !== "object" || typeof value.type !== "string") return null;
  const { type, ...more } = value;
  const parts = Object.entries(more).map(([key, v]) => (typeof v === "object" && !Array.isArray(v) ? null : written(v)) && `${key}:${written(v)}`);
  if (parts.includes(null)) return null;
  return parts.length ? `${type}(${parts.join(",")})` : type;
}

/** Null if the address has no words for it. @param {Changes} changes @returns {string | null} */
export function laneText(changes) {
  const entries = Object.entries(changes);
  if (entries.length === 1 && typeof changes.lr === "number") return String(changes.lr);
  const parts = entries.map(([key, value]) => (key in FIELDS ? written(value) && `${key}:${written(value)}` : null));
  return parts.includes(null) ? null : parts.join(";");
}

/** @param {string} text @returns {any} */
function read(text) {
  if (text === "null") return null;
  if (text === "true" || text === "false") return text === "true";
  if (/^[-+\d.e|]+$/i.test(text)) {
    const numbers = text.split("|").map(Number);
    if (numbers.every(Number.isFinite)) return numbers.length > 1 ? numbers : numbers[0];
  }
  return text;
}

/** Null if it cannot be read. @param {string} text @returns {Changes | null} */
export function readLane(text) {
  const alone = rate(text);
  if (alone !== null) return { lr: alone };
  /** @type {Changes} */
  const changes = {};
  for (const part of text.split(";")) {
    const [, field, told] = /^(\w+):(.+)$/.exec(part) ?? [];
    if (!field || !(field in FIELDS)) return null;
    const [, type, more] = /^([a-z]\w*)(?:\((.*)\))?$/i.exec(told) ?? [];
    if (type && type !== "null") {
      const given = (more ?? "").split(",").filter(Boolean).map((one) => one.split(":"));
      changes[field] = { type, ...Object.fromEntries(given.map(([key, value]) => [key, read(value ?? "")])) };
    } else changes[field] = read(told);
  }
  if (changes.lr !== undefined && !(typeof changes.lr === "number" && changes.lr > 0)) return null;
  return Object.keys(changes).length ? changes : null;
}
