/**
 * The lab's two pictures: the loss of every lane, and beside it what tells most about them: their ways over the
 * landscape, their rates, or the same losses over the samples seen.
 */

import { downloads } from "../download.js";
import { fill, h } from "../h.js";
import { toNumber } from "../format.js";
import { landscape } from "../stream.js";
import { evenRange, linesPicture, positive, range } from "./lines.js";
import { noisePicture, sizesOf } from "./noise.js";
import { extentOf, terrainPicture } from "./terrain.js";
import { waysPicture } from "./ways.js";

/** @import {Result} from "./row.js" */
/** @import {Field} from "./lanes.js" */
/** @typedef {{id: string, title: string, make: (stage: HTMLElement) => {update: (k: number) => void}, columns: () => import("../download.js").Columns}} View */

const POINTS = { 1: 97, 2: 41 };

/** @param {Result[]} results @param {string[]} names @param {(one: Result, i: number) => {xs: number[], ys: number[], faint?: number[] | null}} pick */
const linesOf = (results, names, pick) => results.map((one, place) => ({ place, name: names[place], ...pick(one, place) }));

/** A lane's loss: over an epoch's batches where one batch alone says little. @param {Result} one */
const losses = (one) => (one.smooth ?? one.loss).map(toNumber);

/** @param {Result[]} results @returns {Pick<import("./lines.js").Axes, "logY" | "range">} */
function lossAxis(results) {
  const shown = results.map((one) => ({ loss: one.smooth ?? one.loss }));
  const log = positive(shown);
  return { logY: log, range: log ? range(shown) : evenRange(shown) };
}

/** Columns of all lanes by name. @param {Result[]} results @param {string[]} names @param {string} first @param {(one: Result) => Record<string, any[]>} more */
function table(results, names, first, more) {
  const length = Math.max(...results.map((one) => one.loss.length));
  /** @type {import("../download.js").Columns} */
  const columns = { [first]: Array.from({ length }, (_, i) => i) };
  results.forEach((one, i) => {
    for (const [what, values] of Object.entries(more(one))) columns[`${names[i]} ${what}`.trim()] = values;
  });
  return columns;
}

/** @param {Result[]} results @param {string[]} names @returns {View} */
const overUpdates = (results, names) => ({
  id: "updates",
  title: results.some((one) => one.smooth) ? "Loss over updates (means over an epoch)" : "Loss",
  make: (stage) => linesPicture(stage, linesOf(results, names, (one) => ({
    xs: one.loss.map((_, i) => i), ys: losses(one), faint: one.smooth ? one.loss.map(toNumber) : null,
  })), { x: results.some((one) => one.smooth) ? "updates" : "iteration", y: "loss", ...lossAxis(results) }),
  columns: () => table(results, names, "iteration", (one) => ({ "": one.loss, ...(one.smooth ? { "mean over an epoch": one.smooth } : {}) })),
});

/** @param {Result[]} results @param {string[]} names @returns {View} */
const overSamples = (results, names) => ({
  id: "samples", title: "Loss over samples seen",
  make: (stage) => linesPicture(stage, linesOf(results, names, (one) => ({
    xs: (one.samples ?? []).slice(1), ys: losses(one).slice(1),
  })), { x: "samples", y: "loss", logX: true, ...lossAxis(results) }),
  columns: () => table(results, names, "iteration", (one) => ({ samples: one.samples ?? [], loss: losses(one) })),
});

/** @param {Result[]} results @param {string[]} names @returns {View} */
function overRates(results, names) {
  const rows = results.map((one) => (one.rates ?? one.loss.slice(1).map(() => one.lr)).map(toNumber));
  const peaks = rows.map((row) => row.reduce((a, b) => Math.max(a, b), 0)).filter((v) => v > 0);
  const log = Math.max(...peaks) > 30 * Math.min(...peaks);
  return {
    id: "rates", title: "Learning rate",
    make: (stage) => linesPicture(stage, linesOf(results, names, (_, i) => ({ xs: rows[i].map((_v, t) => t), ys: rows[i] })),
      { x: "iteration", y: "η", logY: log, ...(log ? {} : { range: /** @type {[number, number]} */ ([0, Math.max(...peaks, 1e-12)]) }) }),
    columns: () => table(results, names, "iteration", (one) => ({ "": rows[results.indexOf(one)] })),
  };
}

/** @param {Result[]} results @param {string[]} names @param {import("./terrain.js").Ground} ground @returns {View} */
const overTerrain = (results, names, ground) => ({
  id: "terrain", title: "The ways over the loss",
  make: (stage) => terrainPicture(stage, results.map((one, i) => ({ path: one.path ?? [], loss: one.loss, verdict: one.verdict, name: names[i] })), ground),
  columns: () => table(results, names, "iteration", (one) => Object.fromEntries(ground.axes.map((axis, which) =>
    [axis, (one.path ?? []).map((x) => (Array.isArray(x) ? x[which] : x))]))),
});

/** @param {Result[]} results @param {string[]} names @param {{body: object, signal: AbortSignal}} about @returns {View} */
function overWays(results, names, about) {
  /** @type {import("./ways.js").Common | null} */
  let ground = null;
  return {
    id: "terrain", title: "The ways over the loss",
    make: (stage) => waysPicture(stage, results, names, about, (found) => { ground = found; }),
    columns: () => Object.fromEntries((ground?.paths ?? []).flatMap((path, i) => /** @type {const} */ (["iteration", "a", "b", "loss"])
      .map((what) => [`${names[i]} ${what}`, path.map((place) => place[what])]))),
  };
}

/** @param {Result[]} results @returns {View} */
function overNoise(results) {
  /** @type {import("./noise.js").Noise | null} */
  let noise = null;
  const arrows = () => (noise?.sizes ?? []).flatMap(({ size, batches }) => batches.map((one) => ({ size, ...one })));
  return {
    id: "noise", title: "Gradient noise",
    make: (stage) => noisePicture(stage, results[0].spec ?? {}, sizesOf(results), (found) => { noise = found; }),
    columns: () => ({ samples: arrows().map(({ size }) => size), ...Object.fromEntries(/** @type {const} */ (["x", "y", "norm", "cosine"]).map((name) =>
      [name, arrows().map((one) => one[name])])) }),
  };
}

/** The ground under the lanes' ways, or null where there is none to be drawn. @param {object} problem @param {object} lane @param {Result[]} results @param {AbortSignal} signal */
async function groundOf(problem, lane, results, signal) {
  const { axes, path } = results[0];
  if (!axes || !path || results.some((one) => JSON.stringify(one.axes) !== JSON.stringify(axes))) return null;
  const start = [path[0]].flat().map(toNumber);
  const extent = extentOf(results.map((one) => ({ path: one.path ?? [], loss: one.loss, verdict: one.verdict, name: "" })));
  if (!start.every(Number.isFinite)) return null;
  const ranges = [0, 1].map((axis) => (axis < start.length ? extent[axis].map((v) => v - start[axis]) : [0, 0]));
  const found = await landscape({
    ...problem, lane, plane: "parameters", parameters: axes, ranges, points: POINTS[/** @type {1 | 2} */ (axes.length)],
  }, { signal });
  return {
    a: found.a.map((/** @type {number} */ v) => v + start[0]), b: found.b.map((/** @type {number} */ v) => v + (start[1] ?? 0)),
    loss: found.loss, axes: axes.length > 1 ? found.axes : [found.axes[0]],
  };
}

/** A picture with its title, its numbers as files, and tabs where there is more than one. @param {string} kind @param {(view: View) => void} chosen */
function frame(kind, chosen) {
  const title = h("h2", { class: "panel-title" });
  const tabs = h("div", { class: "lab-tabs", role: "group", "aria-label": "Which picture" });
  const stage = h("div", { class: "lab-stage" });
  const source = { name: "lanes", columns: () => view?.columns() ?? {}, svg: () => /** @type {SVGElement | null} */ (stage.querySelector("svg")) };
  const element = h("figure", { class: `lab-figure lab-${kind}`, hidden: true },
    h("figcaption", { class: "lab-figure-head" }, title, tabs, downloads(source, kind === "race" ? "the losses" : "the second picture")), stage);
  /** @type {View | null} */
  let view = null;
  /** @type {{update: (k: number) => void} | null} */
  let picture = null;
  return {
    element,
    update: (/** @type {number} */ k) => picture?.update(k),
    /** @param {View[]} views @param {string | null} wanted */
    show(views, wanted) {
      const found = views.find(({ id }) => id === wanted) ?? views[0] ?? null;
      view = found;
      element.hidden = !found;
      if (!found) return;
      source.name = `lab ${found.id}`;
      title.textContent = found.title;
      title.hidden = views.length > 1;
      fill(tabs, views.length > 1 && views.map((one) => h("button", {
        type: "button", class: "tool", "aria-pressed": String(one === found), on: { click: () => chosen(one) },
      }, one.title)));
      stage.replaceChildren();
      picture = found.make(stage);
    },
  };
}

export function charts() {
  let shown = 0;
  /** @type {View[]} */
  let beside = [];
  const race = frame("race", () => {});
  const second = frame("second", (view) => {
    wanted = view.id;
    second.show(beside, wanted);
    second.update(shown);
  });
  /** @type {string | null} */
  let wanted = null;
  const element = h("div", { class: "lab-charts" }, race.element, second.element);
  new ResizeObserver(() => update(shown)).observe(element);

  function update(/** @type {number} */ k) {
    shown = k;
    race.update(k);
    second.update(k);
  }

  return {
    element, update,
    /** @param {boolean} on @param {number} place */
    look(on, place) {
      for (const one of element.querySelectorAll("[data-lane]")) {
        one.classList.toggle("is-far", on && /** @type {SVGElement} */ (one).dataset.lane !== String(place));
      }
    },
    /**
     * New lanes: their pictures; the ground under them may come a moment later.
     * @param {Result[]} results @param {string[]} names @param {{problem: object, lanes: object[], by: Field, signal: AbortSignal}} about
     */
    async show(results, names, { problem, lanes, by, signal }) {
      race.show([overUpdates(results, names)], null);
      const fed = results.every((one) => one.samples) && results.some((one) => one.batches > 1);
      beside = [
        ...(results.some((one) => one.rates) ? [overRates(results, names)] : []),
        ...(fed ? [overSamples(results, names), overNoise(results)] : []),
      ];
      if (by === "batch_size") beside = [...beside.slice(-2), ...beside.slice(0, -2)];
      const drawn = Boolean(results[0].axes);
      const last = results[0].loss.length - 1;
      if (!drawn && last > 1) beside = [...beside, overWays(results, names, { body: { ...problem, lanes, iterations: last }, signal })];
      if (!drawn || beside.length) second.show(beside, wanted);
      const ground = drawn ? await groundOf(problem, lanes[0], results, signal) : null;
      if (signal.aborted) return;
      if (ground) beside = by === "schedule" ? [...beside, overTerrain(results, names, ground)] : [overTerrain(results, names, ground), ...beside];
      if (drawn) second.show(beside, wanted);
      element.dataset.beside = String(beside.length > 0);
    },
  };
}
