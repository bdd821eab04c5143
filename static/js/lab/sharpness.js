/**
 * Theory beside practice: how sharp the valley is along a run, the limit 2/λmax that follows for plain gradient descent,
 * the same limit put to the test by lanes on both sides of it, and the range test.
 */

import { downloads } from "../download.js";
import { fill, h } from "../h.js";
import { number, toNumber } from "../format.js";
import { rangeTest, sharpness, sweep } from "../stream.js";
import { wish, readPacked } from "./address.js";
import { offer, pick, problems, queryOf, rateOf, ways } from "./frame.js";
import { rate, rateIn, typed } from "./lanes.js";
import { linesPicture, positive, range } from "./lines.js";
import { FORMULAS, asked, find, ownProblem } from "./problems.js";
import { transport } from "./transport.js";
import { working } from "./working.js";

/** @import {Problem} from "./problems.js" */
/** @import {Num} from "../types.js" */
/** @typedef {{iteration: number, sharpness: Num, limit: number | null, lr: number | null, says: string}} Point */
/** @typedef {{points: Point[], loss: Num[], lr: (number | null)[]}} Course */

const POINTS = 20;
const COUNTS = [20, 40, 60, 100, 200, 400, 1000];
const TESTED = [0.5, 0.9, 0.98, 1.02, 1.1, 1.5]; // rates, as shares of the limit at the start
const TEST_ITERATIONS = 400;

/** What theory says of a rate beside the limit, and whether a lane bore it out. @param {number} share @param {string} kind */
export const borneOut = (share, kind) => ({ predicted: share > 1 ? "diverges" : "settles", observed: kind === "diverges" ? "diverges" : "settles" });

/** The last point that is known at iteration k. @param {{iteration: number}[]} points @param {number} k */
export const pointAt = (points, k) => Math.max(0, points.findLastIndex(({ iteration }) => iteration <= k));

/** @param {string} name @param {string} title */
function figure(name, title) {
  const stage = h("div", { class: "lab-stage" });
  /** @type {import("../download.js").Columns} */
  let columns = {};
  const source = { name: `lab ${name}`, columns: () => columns, svg: () => /** @type {SVGElement | null} */ (stage.querySelector("svg")) };
  const heading = h("h2", { class: "panel-title" }, title);
  const element = h("figure", { class: `lab-figure lab-${name}` },
    h("figcaption", { class: "lab-figure-head" }, heading, downloads(source, title)), stage);
  /** @type {{update: (k: number) => void} | null} */
  let picture = null;
  let shown = -1;
  new ResizeObserver(() => picture?.update(shown)).observe(stage);
  return {
    element,
    /** @param {import("./lines.js").Line[]} lines @param {import("./lines.js").Axes} axes @param {import("../download.js").Columns} table */
    draw(lines, axes, table) {
      columns = table;
      picture = linesPicture(stage, lines, axes);
      picture.update(shown);
    },
    update(/** @type {number} */ k) {
      shown = k;
      picture?.update(k);
    },
    empty(/** @type {string} */ words) {
      picture = null;
      columns = {};
      fill(stage, h("p", { class: "lab-empty" }, words));
    },
  };
}

/** @param {HTMLElement} root */
export function sharpnessPage(root) {
  const asks = new URLSearchParams(location.search);
  const wanted = wish(location.search);
  /** @type {Problem} */
  let on = find(asks.get("on") || asks.has("lesson") ? wanted.on : "ravine") ?? FORMULAS[1];
  let lr = rate(asks.get("rate") ?? "");
  let iterations = asks.get("iterations") ? wanted.iterations : on.iterations;
  /** @type {Problem[]} */
  let known = FORMULAS;
  /** @type {AbortController | null} */
  let running = null;
  /** @type {Course | null} */
  let course = null;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const choose = h("select", { id: "lab-problem" });
  const field = h("input", { id: "lab-rate", type: "text", inputmode: "decimal", class: "lab-number", autocomplete: "off" });
  const count = h("select", { id: "lab-iterations" });
  const complaint = h("p", { class: "complaint", role: "alert", hidden: true });
  const facts = h("dl", { class: "limit-facts" });
  const says = h("p", { class: "limit-says", role: "status" });
  const test = h("div", { class: "limit-test" });
  const interval = h("p", { class: "limit-says" });
  const curve = figure("sharpness", "Sharpness λmax, and 2/η");
  const losses = figure("loss", "Loss");
  const tested = figure("range", "Range test: loss against the rate");
  const clock = transport({ show, ended: () => {}, held: () => {} });
  const work = working(() => {
    running?.abort();
    complain("Cancelled: what is shown is from before.");
  });

  root.append(
    h("header", { class: "lab-head" }, h("div", { class: "lab-title" },
      h("h1", null, "How large may a step be?"),
      h("p", null, "λmax says how sharp the valley is. Plain gradient descent settles only with a rate below 2/λmax: theory, and what really happens."))),
    h("div", { class: "lab-bar" }, ways("sharpness", () => queryOf(on)), pick("Train", choose), pick("Rate η", field), pick("Iterations", count)),
    complaint, work.element,
    h("div", { class: "lab-body" },
      h("div", { class: "lab-side" },
        h("section", { class: "plate" }, h("h2", { class: "panel-title" }, "Here"), facts, says),
        h("section", { class: "plate" }, h("h2", { class: "panel-title" }, "Put to the test"), test),
        h("section", { class: "plate" }, h("h2", { class: "panel-title" }, "Range test"), interval)),
      h("div", { class: "lab-charts lab-limits" }, curve.element, losses.element, tested.element)),
    clock.element);

  function complain(/** @type {string} */ words) {
    complaint.hidden = !words;
    complaint.textContent = words;
  }

  function show(/** @type {number} */ k) {
    losses.update(k);
    if (!course) return;
    const at = pointAt(course.points, k);
    curve.update(at);
    const { iteration, sharpness: value, limit, lr: now, says: words } = course.points[at];
    fill(facts, [["iteration", String(iteration)], ["λmax", number(value)], ["limit 2/λmax", limit === null ? "none" : number(limit)], ["rate η", now === null ? "none" : number(now)]]
      .map(([name, told]) => h("div", null, h("dt", null, name), h("dd", null, told))));
    facts.dataset.over = String(limit !== null && now !== null && now > limit);
    says.textContent = words;
  }

  /** @param {Course} found */
  function drawCourse(found) {
    course = found;
    const xs = found.points.map(({ iteration }) => iteration);
    const values = found.points.map((point) => toNumber(point.sharpness));
    const bounds = found.points.map((point) => (point.lr ? 2 / point.lr : NaN));
    const all = [...values, ...bounds].filter((v) => v > 0 && Number.isFinite(v));
    const log = Math.max(...all) > 30 * Math.min(...all) && values.every((v) => !(v <= 0));
    curve.draw([
      { place: 0, name: "λmax", xs, ys: values }, { place: 1, name: "2/η", xs, ys: bounds },
    ], { x: "iteration", y: "sharpness", logY: log, ...(log || !all.length ? {} : { range: /** @type {[number, number]} */ ([Math.min(0, ...values.filter(Number.isFinite)), Math.max(...all) * 1.15]) }) },
    { iteration: xs, lambda_max: found.points.map((point) => point.sharpness), two_over_rate: bounds, limit: found.points.map((point) => point.limit) });
    const ys = found.loss.map(toNumber);
    const even = !positive([found]);
    losses.draw([{ place: 0, name: "", xs: ys.map((_, i) => i), ys }], { x: "iteration", y: "loss", logY: !even, ...(even ? {} : { range: range([found]) }) },
      { iteration: ys.map((_, i) => i), loss: found.loss });
    clock.ready(found.loss.length - 1);
  }

  /** Lanes on both sides of the limit at the start. @param {AbortSignal} signal */
  async function putToTheTest(signal) {
    const limit = course?.points[0].limit;
    if (!limit) {
      fill(test, h("p", null, "There is no limit at the start: the loss curves upward in no direction."));
      return;
    }
    const lanes = TESTED.map((share) => ({ lr: share * limit, optimizer: { type: "sgd" }, schedule: null }));
    const found = (await sweep({ ...asked(on), lanes, iterations: TEST_ITERATIONS }, { signal })).lanes;
    const rows = TESTED.map((share, i) => ({ share, lr: lanes[i].lr, at: found[i].verdict.at, ...borneOut(share, found[i].verdict.kind) }));
    const agree = rows.filter(({ predicted, observed }) => predicted === observed).length;
    fill(test,
      h("table", { class: "limit-table" },
        h("thead", null, h("tr", null, ["of the limit", "η", "theory", "seen"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", null, rows.map(({ share, lr: tried, predicted, observed, at }) => h("tr", { "data-agree": String(predicted === observed) },
          h("td", null, `${number(share * 100)} %`), h("td", null, number(tried)), h("td", null, predicted),
          h("td", null, predicted === observed ? "✓ " : "✗ ", observed, observed === "diverges" ? ` at ${at}` : ""))))),
      h("p", null, `Plain gradient descent, ${TEST_ITERATIONS} iterations: ${agree} of ${rows.length} as predicted. `,
        agree === rows.length ? "" : "The limit is that of the start; where λmax changes on the way, so does the limit."));
  }

  /** @param {AbortSignal} signal */
  async function findRange(signal) {
    const found = await rangeTest({ ...asked(on) }, { signal });
    const smooth = found.smooth.map(toNumber);
    const start = smooth[0];
    interval.textContent = found.says;
    const shown = found.loss.map(toNumber);
    const even = shown.some((/** @type {number} */ v) => v < 0);
    const least = Math.min(...smooth.filter((/** @type {number} */ v) => v > 0));
    tested.draw([{ place: 0, name: "", xs: found.lr, ys: smooth, faint: shown }], {
      x: "rate η", y: "loss", logX: true, logY: !even,
      ...(even ? {} : { range: /** @type {[number, number]} */ ([least * 0.8, start * 4]) }),
      ...(found.interval ? { band: { from: found.interval[0], to: found.interval[1], name: "worth trying" } } : {}),
      marks: found.diverges ? [{ at: found.diverges, name: "climbs" }] : [],
    }, { rate: found.lr, loss: found.loss, smooth: found.smooth });
  }

  function draw() {
    offer(choose, known, on);
    field.value = lr === null ? "" : typed(Number(lr.toPrecision(4)));
    fill(count, [...new Set([...COUNTS, iterations])].sort((a, b) => a - b).map((n) => h("option", { value: n, selected: n === iterations }, String(n))));
  }

  async function run() {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    const { signal } = mine;
    clock.toggle(false);
    complain("");
    root.setAttribute("aria-busy", "true");
    lr ??= await rateOf(on);
    draw();
    history.replaceState(null, "", `?${new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(queryOf(on))), rate: String(lr), iterations: String(iterations) })}${on.id === "own" ? location.hash : ""}`);
    try {
      work.begin("Training, and looking how sharp the valley is …");
      const found = await sharpness({ ...asked(on), lane: { lr }, iterations, points: POINTS }, { signal, heard: work.heard });
      if (signal.aborted) return;
      drawCourse(found);
      if (still.matches) clock.show(iterations);
      else clock.toggle(true);
      work.begin("Testing rates on both sides of the limit …");
      await Promise.all([
        putToTheTest(signal),
        findRange(signal).catch((error) => tested.empty(error.message)),
      ]);
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") complain(/** @type {Error} */ (error).message);
    } finally {
      if (running === mine) {
        work.end();
        root.removeAttribute("aria-busy");
      }
    }
  }

  choose.addEventListener("change", () => {
    on = find(choose.value, known) ?? on;
    lr = null;
    ({ iterations } = on);
    run();
  });
  field.addEventListener("change", () => {
    const value = rateIn(field, complain);
    if (value === null) return;
    lr = value;
    run();
  });
  count.addEventListener("change", () => {
    iterations = Number(count.value);
    run();
  });

  async function begin() {
    const packed = await readPacked(location.hash);
    if (packed.spec) on = ownProblem(packed.spec);
    draw();
    clock.show(0);
    const there = packed.spec || find(wanted.on) ? run() : null;
    try {
      known = await problems(on);
      if (!there) on = known.find(({ id }) => id === wanted.on) ?? on;
    } catch (error) {
      complain(/** @type {Error} */ (error).message);
    }
    draw();
    if (!there) run();
  }
  begin();
}
