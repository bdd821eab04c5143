// The health of a run: how large the gradient is that reaches each layer, how large the steps are against the weights,
// and how outputs and gradients are distributed in each layer over time. Asked of the server only while it is looked at.

import * as api from "../../api.js";
import { downloads } from "../../download.js";
import { count, number } from "../../format.js";
import { fill, h, svg } from "../../h.js";
import { decades, linear, logarithmic, path } from "../../scale.js";
import { mapColumns, mapPicture } from "./health_file.js";
import { ladderOf, ladderSays, middleOf, nearestLook, overTime, ratiosOf } from "./health_scales.js";

/** @import {Actions, Graph, State} from "../../types.js" */
/** @import {Layer, Vitals} from "./health_scales.js" */

const LOOKS = 25;
const STEPS = 5000; // that the server walks for one answer; a long iteration is looked at less often
const WAIT = 400; // ms without anything new until the server is asked
const [WIDE, HIGH] = [430, 180]; // of a chart, in the drawing's units
const EDGE = { left: 50, right: 58, top: 24, bottom: 26 };
const LABELS = 14; // layers up to which each is named

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
/** "10⁻⁷". @param {number} exponent */
const power = (exponent) => (exponent === 0 ? "1" : exponent === 1 ? "10" : `10${[...String(exponent)].map((c) => RAISED[/** @type {keyof typeof RAISED} */ (c)]).join("")}`);
/** @param {number} value a power of ten */
const powerOf = (value) => power(Math.round(Math.log10(value)));

/** @param {Graph} _graph @param {Actions} actions @returns {import("./pictures.js").Picture} */
export function create(_graph, actions) {
  const element = h("div", { class: "pic pic-health", role: "group", "aria-label": "Health: gradients, steps and distributions of every layer" },
    h("p", { class: "pic-caption", role: "status" }, "Looking into the run …"));
  element.style.setProperty("--wide", "64");
  element.style.setProperty("--high", "38");
  /** @type {Vitals | null} */
  let vitals = null;
  let known = "";
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {State} state */
  async function ask(state) {
    const turn = ++asked;
    const { session } = state;
    try {
      const affordable = Math.max(5, Math.min(LOOKS, Math.floor(STEPS / state.plan.length)));
      const told = await api.vitals(session.id, session.seen.iteration, Math.max(2, Math.min(affordable, session.seen.iteration + 1)));
      if (turn !== asked) return;
      vitals = told;
      show(state);
    } catch (error) {
      if (turn === asked) fill(element, h("p", { class: "pic-caption", role: "alert" }, /** @type {Error} */ (error).message));
    }
  }

  return {
    element,
    draw(state) {
      const { seen, changes, settings } = state.session;
      const now = JSON.stringify([seen.iteration, changes.length, settings]);
      if (now !== known) {
        clearTimeout(timer);
        timer = setTimeout(() => ask(state), known ? WAIT : 0);
        known = now;
      }
      if (vitals) show(state);
    },
  };

  /** @param {State} state */
  function show({ position }) {
    if (!vitals) return;
    const told = vitals;
    const { iterations, layers } = vitals;
    if (layers.length === 0) return fill(element, h("p", { class: "pic-caption" }, "No weight of this model takes part in the loss."));
    const look = nearestLook(iterations, position.iteration);
    const ladder = ladderOf(layers, look);
    const held = element.contains(document.activeElement) ? document.activeElement?.getAttribute("data-node") : null;
    fill(element,
      h("p", { class: "pic-caption" }, h("strong", {}, `Iteration ${count(iterations[look])}. `), ladderSays(ladder)),
      h("div", { class: "health-charts" }, ladderView(ladder, iterations[look]), ratioView(vitals, look)),
      h("p", { class: "health-over" }, h("strong", {}, "Spread in each layer, over time"),
        downloads({ name: "distributions", columns: () => mapColumns(told), svg: () => mapPicture(told) }, "how layers are spread")),
      h("div", { class: "health-maps", style: { "--layers": layers.length } },
        mapsRow("Outputs", "outputs", look),
        mapsRow("|∂| of weights", "sizes", look)),
      h("p", { class: "health-note" }, `Each map: ${iterations.length > 1 ? `from left to right iterations ${count(iterations[0])} to ${count(iterations.at(-1) ?? 0)}` : `iteration ${count(iterations[0])}`}, the stronger the colour the more entries${iterations.length > 1 ? "; the frame: the iteration above" : ""}. ${vitals.weights > layers.length ? `The first ${layers.length} of ${vitals.weights} layers.` : ""}`));
    if (held) /** @type {HTMLElement | null} */ (element.querySelector(`[data-node="${CSS.escape(held)}"]`))?.focus({ preventScroll: true });
  }

  /** The staircase: one bar a layer. @param {ReturnType<typeof ladderOf>} ladder @param {number} iteration */
  function ladderView({ span, rungs }, iteration) {
    const slot = (WIDE - EDGE.left - 10) / rungs.length;
    const floor = HIGH - EDGE.bottom;
    const up = linear(0, 1, floor, EDGE.top);
    const y = span ? logarithmic(span[0], span[1], floor, EDGE.top) : () => floor;
    const every = Math.ceil(rungs.length / LABELS);
    const columns = () => ({ layer: rungs.map(({ label }) => label), node: rungs.map(({ node }) => node), gradient: rungs.map(({ delta }) => delta) });
    return figure("Gradient that reaches each layer", "root mean square of ∂; press a bar to walk to it", columns,
      svg("svg", { class: "health-chart", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "group", "aria-label": "Ladder of gradients" },
        grid(span, y, 10), svg("text", { class: "health-tick", x: 4, y: 12 }, "|∂|"),
        rungs.map((rung, i) => {
          const says = `${rung.label}: gradient ${number(rung.delta)}`;
          const bar = svg("g", { class: "health-rung", role: "button", tabindex: "0", dataset: { node: rung.node }, "aria-label": `${says}. Walk there` },
            svg("rect", { class: "health-hit", x: EDGE.left + i * slot, y: EDGE.top, width: slot, height: floor - EDGE.top }),
            svg("title", {}, says),
            rung.share === null
              ? svg("text", { class: "health-tick", x: EDGE.left + (i + 0.5) * slot, y: floor - 4, "text-anchor": "middle" }, number(rung.delta))
              : svg("rect", { class: "health-bar", x: EDGE.left + i * slot + slot * 0.12, y: up(rung.share), width: slot * 0.76, height: Math.max(2, floor - up(rung.share)) }),
            i % every === 0 && svg("text", { class: "health-tick", x: EDGE.left + (i + 0.5) * slot, y: HIGH - 8, "text-anchor": "middle" }, rung.label));
          const go = () => (rung.step === null ? actions.select(rung.node) : actions.goto(iteration, rung.step));
          bar.addEventListener("click", go);
          bar.addEventListener("keydown", (event) => {
            if (event.key !== "Enter" && event.key !== " ") return;
            event.preventDefault();
            event.stopPropagation();
            go();
          });
          return bar;
        })));
  }

  /** Sizes of the steps, on a log axis with the guide line. @param {Vitals} told @param {number} look */
  function ratioView({ iterations, layers, usual_step, usual_step_source }, look) {
    const { lines, span, moving } = ratiosOf(layers, usual_step);
    const floor = HIGH - EDGE.bottom;
    const y = span ? logarithmic(span[0], span[1], floor, EDGE.top) : () => floor;
    const x = linear(iterations[0], Math.max(1, iterations.at(-1) ?? 1), EDGE.left, WIDE - EDGE.right);
    const named = lines.length > 1 ? [lines[0], lines[lines.length - 1]] : lines;
    const says = named.map(({ label, values }) => `${label} ${number(values[look])}`).join(", ");
    const columns = () => ({ iteration: iterations, ...Object.fromEntries(lines.map(({ label, values }) => [label, values])) });
    return figure("Update : weight", moving ? `${says}; dashed: ${number(usual_step)}, a usual step` : "nothing is updated here", columns, svg("svg", { class: "health-chart", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": `Size of each step over that of the weight: ${says}. A usual one is ${number(usual_step)}` },
      grid(span, y, EDGE.right), svg("text", { class: "health-tick", x: 4, y: 12 }, "update : weight"),
      svg("path", { class: "health-here", d: `M${x(iterations[look])} ${EDGE.top}V${floor}` }),
      svg("path", { class: "health-guide", d: `M${EDGE.left} ${y(usual_step)}H${WIDE - EDGE.right}` }, svg("title", {}, usual_step_source)),
      lines.map(({ label, values }, i) => svg("g", { class: "health-line", style: { "--place": lines.length > 1 ? i / (lines.length - 1) : 1 } },
        svg("title", {}, label),
        svg("path", { d: path(values.map((v, k) => [x(iterations[k]), v > 0 && Number.isFinite(v) ? y(v) : NaN])) }),
        values.map((v, k) => v > 0 && Number.isFinite(v) && iterations.length < 4 && svg("circle", { cx: x(iterations[k]), cy: y(v), r: 3 })))),
      ends(named, y, floor),
      svg("text", { class: "health-tick", x: EDGE.left, y: HIGH - 8 }, `iteration ${count(iterations[0])}`),
      iterations.length > 1 && svg("text", { class: "health-tick", x: WIDE - EDGE.right, y: HIGH - 8, "text-anchor": "end" }, count(iterations.at(-1) ?? 0))),
    usual_step_source.split(", Ratio")[0]);
  }

  /** Names at the lines' ends, moved apart. @param {{label: string, values: number[]}[]} named @param {(v: number) => number} y @param {number} floor */
  function ends(named, y, floor) {
    const places = named.map(({ label, values }) => ({ label, at: y(values.findLast((v) => v > 0 && Number.isFinite(v)) ?? NaN) })).filter(({ at }) => Number.isFinite(at)).sort((a, b) => a.at - b.at);
    if (places.length === 2 && places[1].at - places[0].at < 15) places[1].at = Math.min(floor, places[0].at + 15);
    return places.map(({ label, at }) => svg("text", { class: "health-tick", x: WIDE - EDGE.right + 6, y: at + 4 }, label));
  }

  /** @param {[number, number] | null} span @param {(v: number) => number} y @param {number} right */
  function grid(span, y, right) {
    if (!span) return null;
    return svg("g", { class: "health-grid" }, decades(span[0], span[1], 6).map((v) => [
      svg("path", { d: `M${EDGE.left} ${y(v)}H${WIDE - right}` }),
      svg("text", { class: "health-tick", x: EDGE.left - 6, y: y(v) + 4, "text-anchor": "end" }, powerOf(v))]));
  }

  /** @param {string} name @param {string} more @param {() => import("../../download.js").Columns} columns @param {SVGElement} picture @param {string} [source] */
  function figure(name, more, columns, picture, source) {
    const file = name.toLowerCase().replace(/[^a-z]+/g, "-");
    return h("figure", { class: "health-figure" },
      h("figcaption", {}, h("strong", {}, name), h("span", {}, more), downloads({ name: file, columns, svg: () => picture }, name)), picture, source && h("small", {}, source));
  }

  /** @param {string} name @param {"outputs" | "sizes"} kind @param {number} look */
  function mapsRow(name, kind, look) {
    const { layers } = /** @type {Vitals} */ (vitals);
    return [h("span", { class: "health-row" }, name), layers.map((layer) => map(layer, kind, look))];
  }

  /** One heat map: time to the right, bins upward. @param {Layer} layer @param {"outputs" | "sizes"} kind @param {number} look */
  function map(layer, kind, look) {
    const { low, high, bins, columns } = overTime(layer, kind);
    const label = kind === "outputs" ? (layer.output?.label ?? layer.label) : `∂${layer.label}`;
    if (!columns.some(Boolean)) return h("span", { class: "health-map is-empty" }, h("span", { class: "health-name" }, label), "?");
    const canvas = h("canvas", { width: columns.length, height: bins, "aria-hidden": "true" });
    const brush = canvas.getContext("2d");
    columns.forEach((column, x) => column?.forEach((share, bin) => {
      if (!brush || share === 0) return;
      brush.globalAlpha = 0.12 + 0.88 * share;
      brush.fillRect(x, bins - 1 - bin, 1, 1);
    }));
    const end = (/** @type {number} */ v) => (kind === "sizes" ? power(Math.round(v)) : number(v, 2));
    const middle = middleOf(layer.looks[look]?.[kind]);
    const words = `${label}: from ${end(low)} to ${end(high)}, the middle at ${kind === "sizes" ? number(10 ** middle) : number(middle)}`;
    const url = canvas.toDataURL();
    return h("button", { type: "button", class: `health-map role-${kind === "sizes" ? "grad" : "value"}`, title: words, "aria-label": `${words}. Look at it`, dataset: { node: `${kind} ${layer.node}` }, on: { click: () => actions.select(kind === "outputs" ? (layer.output?.node ?? layer.node) : layer.node) } },
      h("span", { class: "health-name" }, label),
      h("span", { class: "health-end" }, end(high)),
      h("span", { class: "health-cells" },
        h("span", { class: "health-ink", style: { "mask-image": `url(${url})` } }),
        h("span", { class: "health-now", style: { left: `${(100 * look) / columns.length}%`, width: `${100 / columns.length}%` } })),
      h("span", { class: "health-end" }, end(low)));
  }
}
