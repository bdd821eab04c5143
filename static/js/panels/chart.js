/**
 * Loss over the iterations: a light picture that is there at once and leads back to any iteration,
 * and behind a button the same run in Plotly, with gradient norm and learning rate.
 */

import { wholeHistory } from "../api.js";
import { attributes, h, svg } from "../h.js";
import { number, toNumber } from "../format.js";
import { decades, linear, logarithmic, path, thin, ticks } from "../scale.js";

/** @import {Store} from "../store.js" */
/** @import {State, Actions, History, Num} from "../types.js" */

const EDGE = { left: 46, right: 14, top: 10, bottom: 22 };
const BARE = { left: 6, right: 8, top: 7, bottom: 7 };
const TICKS_FROM = 64; // px of height: below, the picture is a bare line
const LOG_FROM = 30;
/** @type {History} */
const NOTHING = { iteration: [], train_loss: [], validation_loss: [], lr: [], grad_norm: [] };

/** @param {number} height */
const edgeOf = (height) => (height < TICKS_FROM ? BARE : EDGE);

/**
 * What the small picture shows: maps, line, alarms (values that are not finite), ticks.
 * @param {Pick<History, "iteration" | "train_loss"> & Partial<History>} history
 * @param {{width: number, height: number}} size
 */
export function lossPicture(history, { width, height }) {
  const iterations = history.iteration;
  const edge = edgeOf(height);
  const train = history.train_loss.map(toNumber);
  const validation = (history.validation_loss ?? []).map(toNumber);
  const finite = [...train, ...validation].filter(Number.isFinite);
  const last = Math.max(1, iterations.at(-1) ?? 0);
  const x = linear(iterations[0] ?? 0, last, edge.left, width - edge.right);
  const positive = finite.filter((v) => v > 0);
  const least = Math.min(...positive);
  const most = Math.max(...positive);
  const log = positive.length > 0 && positive.length >= finite.length - 1 && most / least > LOG_FROM
    && !finite.some((v) => v < 0);
  let low = log ? least : Math.min(0, ...finite);
  let high = log ? most : Math.max(...finite);
  if (!finite.length) [low, high] = [0, 1];
  if (low === high) high = low + 1;
  const y = (log ? logarithmic : linear)(low, high, height - edge.bottom, edge.top);
  const line = (/** @type {number[]} */ values) => path(thin(values, Math.max(1, Math.round(width)))
    .map((i) => [x(iterations[i]), Number.isFinite(values[i]) ? y(values[i]) : Number.NaN]));
  return {
    x, y, log, last,
    line: line(train),
    validation: validation.some(Number.isFinite) ? line(validation) : "",
    alarms: iterations.filter((_, i) => !Number.isFinite(train[i])),
    edge,
    xTicks: edge === BARE ? [] : ticks(iterations[0] ?? 0, last, Math.max(2, Math.round(width / 110))).filter(Number.isInteger),
    yTicks: edge === BARE ? [] : log ? decades(low, high, 4) : ticks(low, high, 3),
  };
}

/** The iteration nearest to a place on the picture. @param {Pick<History, "iteration">} history @param {number} px @param {number} width @param {number} [height] */
export function iterationAt(history, px, width, height = TICKS_FROM) {
  const edge = edgeOf(height);
  const first = history.iteration[0] ?? 0;
  const last = Math.max(1, history.iteration.at(-1) ?? 0);
  const back = linear(edge.left, width - edge.right, first, last);
  return Math.min(history.iteration.at(-1) ?? 0, Math.max(first, Math.round(back(px))));
}

/** The loss of an iteration, or of the nearest one before it that a thinned history has. @param {History} history @param {number} iteration */
function lossAt({ iteration: known, train_loss }, iteration) {
  return iteration > (known.at(-1) ?? -1) ? undefined : train_loss[known.findLastIndex((i) => i <= iteration)];
}

/** The loss where the page stands, or null before it is computed. @param {Pick<State, "plan" | "nodes">} state @returns {Num | null} */
export function lossHere({ plan, nodes }) {
  const output = plan?.find((entry) => entry.phase === "loss")?.node;
  const loss = output ? nodes?.[output]?.value?.data : null;
  return loss === undefined || Array.isArray(loss) ? null : loss;
}

/** @param {HTMLElement} element @param {Store<State>} store @param {Actions} actions */
export function mount(element, store, actions) {
  const now = h("output", { class: "chart-now" });
  const open = h("button", { type: "button", class: "tool", on: { click: () => show() } }, "Open chart");
  const stage = h("div", {
    class: "chart-stage", role: "slider", tabindex: "0", "aria-label": "Loss by iteration: go to an iteration",
  });
  const empty = h("p", { class: "chart-empty" }, "One point for every finished iteration");
  element.classList.add("chart");
  element.append(h("header", { class: "chart-head" }, h("h2", { class: "panel-title" }, "Loss"), now, open), stage);
  /** @type {ReturnType<typeof import("./chart_large.js").openLarge> | null} */
  let large = null;
  let asked = false;

  const history = () => store.get().history ?? NOTHING;
  const here = () => store.get().position?.iteration ?? 0;

  function redraw() {
    asked = false;
    const runs = history();
    const at = here();
    const loss = lossHere(store.get());
    now.textContent = loss === null ? "" : number(loss);
    const last = runs.iteration.at(-1) ?? 0;
    attributes(stage, { "aria-valuemin": runs.iteration[0] ?? 0, "aria-valuemax": last, "aria-valuenow": Math.min(at, last) });
    const known = lossAt(runs, at);
    stage.setAttribute("aria-valuetext",
      known === undefined ? `iteration ${at}` : `iteration ${at}, loss ${number(known)}`);
    if (!runs.iteration.length) {
      stage.replaceChildren(empty);
      return;
    }
    const width = Math.max(80, stage.clientWidth || 400);
    const height = Math.max(36, stage.clientHeight || 96);
    const d = lossPicture(runs, { width, height });
    const value = toNumber(known);
    const seen = at <= last;
    const cx = d.x(at);
    stage.replaceChildren(svg("svg", {
      class: "chart-svg", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true",
    },
    svg("g", { class: "chart-grid" }, d.yTicks.map((t) => svg("path", { d: `M${d.edge.left} ${d.y(t)}H${width - d.edge.right}` }))),
    svg("g", { class: "chart-ticks" },
      d.yTicks.map((t) => svg("text", { x: d.edge.left - 6, y: d.y(t) + 4, "text-anchor": "end" }, number(t))),
      d.xTicks.map((t) => svg("text", { x: d.x(t), y: height - 6, "text-anchor": "middle" }, String(t)))),
    d.validation && svg("path", { class: "chart-line validation", d: d.validation }),
    svg("path", { class: "chart-line", d: d.line }),
    runs.iteration.length === 1 && svg("circle", { class: "chart-dot", cx: d.x(runs.iteration[0]), cy: d.y(toNumber(runs.train_loss[0])), r: 3 }),
    d.alarms.slice(0, 1).map((i) => svg("text", { class: "chart-alarm", x: d.x(i), y: d.edge.top + 10, "text-anchor": d.x(i) > width / 2 ? "end" : "start" }, "not finite")),
    seen && svg("path", { class: "chart-here", d: `M${cx} ${d.edge.top}V${height - d.edge.bottom}` }),
    seen && Number.isFinite(value) && svg("circle", { class: "chart-dot here", cx, cy: d.y(value), r: 5 }),
    ));
    large?.draw(runs);
  }
  const later = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(redraw);
  };

  const go = (/** @type {number} */ iteration) => actions.seek({ iteration, step: 0 });
  let held = false;
  const point = (/** @type {PointerEvent} */ event) => {
    const runs = history();
    if (!runs.iteration.length) return;
    const edge = stage.getBoundingClientRect();
    go(iterationAt(runs, event.clientX - edge.left, edge.width, edge.height));
  };
  stage.addEventListener("pointerdown", (event) => {
    held = true;
    stage.setPointerCapture(event.pointerId);
    point(event);
  });
  stage.addEventListener("pointermove", (event) => held && point(event));
  stage.addEventListener("pointerup", () => { held = false; });
  stage.addEventListener("pointercancel", () => { held = false; });
  stage.addEventListener("keydown", (event) => {
    const runs = history();
    const last = runs.iteration.at(-1) ?? 0;
    const leap = Math.max(1, Math.round(last / 10));
    const to = {
      ArrowLeft: here() - 1, ArrowRight: here() + 1, ArrowDown: here() - 1, ArrowUp: here() + 1,
      PageDown: here() - leap, PageUp: here() + leap, Home: 0, End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    go(Math.min(last, Math.max(0, to)));
  });

  async function show() {
    const { openLarge } = await import("./chart_large.js");
    large = openLarge(() => wholeHistory(store.get().session.id), () => {
      large = null;
      open.focus();
    }, store.get().session.id);
    large.draw(history());
  }

  store.watch((s) => s.history, later);
  store.watch((s) => s.position, later);
  store.watch((s) => s.nodes, later);
  store.watch((s) => s.theme, later);
  new ResizeObserver(later).observe(stage);
  later();
}
