// What is said on the stage: the legend, an edit's effect, how far a training is, and in projection mode the step's formula
// and sentence under the graph.

import { count, number } from "../format.js";
import { widthOf } from "../geometry.js";
import { fill, h, math, svg } from "../h.js";
import { sentenceOf } from "../live.js";
import { worked } from "../mathml.js";
import { effectWords } from "./edits.js";

/** @import {Actions, Line, State} from "../types.js" */
/** @import {Store} from "../store.js" */
/** @import {Stage} from "./stage.js" */

const SMALLEST = 0.6; // of a formula's size in a hall, and still to be read from the last row
const TOAST = 7000; // ms an edit's effect stands on the stage

/** @param {Stage} stage @param {Store<State>} store @param {Actions} actions */
export function mountWords({ viewport, strip }, store, actions) {
  const toast = h("div", { class: "toast plate stage-over", role: "status", hidden: true });
  viewport.after(legendView(), toast, trainingView(store, actions));

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let fading;
  /** Words that stand on the stage for a while. @param {...import("../h.js").Child} words */
  function say(...words) {
    clearTimeout(fading);
    fill(toast, words);
    toast.hidden = false;
    fading = setTimeout(() => (toast.hidden = true), TOAST);
  }

  store.watch(
    (s) => s.effect,
    (effect) => {
      if (!effect) return;
      const { said, why } = effectWords(effect);
      const { session, position } = store.get();
      const later = (session.changes.at(-1)?.iteration ?? 0) > position.iteration;
      say(
        h("strong", {}, `Loss ${number(effect.before)} → ${number(effect.after)}`),
        h("span", {}, `${said}: ${why}.`),
        later && h("span", {}, " It counts from the next iteration on, since this one has updated the number already."),
      );
    },
  );

  /** The formula under the stage: as many of the step's lines as there is room for beside the whole sentence. @param {State} state */
  function drawStrip(state) {
    if (!state.projection) return;
    const says = h("p", { class: "strip-says" }, sentenceOf(state) || `Iteration ${state.position.iteration} is about to begin.`);
    const lines = state.frame?.lines ?? [];
    for (let many = Math.min(2, lines.length); many >= 0; many--) {
      fill(strip, lines.slice(0, many).map(stripLine), says);
      for (const tight of [false, true]) {
        strip.classList.toggle("is-tight", tight);
        narrow();
        if (strip.scrollHeight <= strip.clientHeight + 1) return;
      }
    }
  }

  /** A formula wider than the screen is written smaller, so that no number of it is cut off. */
  function narrow() {
    const room = parseFloat(getComputedStyle(strip).gridTemplateColumns);
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (strip.querySelectorAll(".strip-line > math"))) {
      part.style.fontSize = "";
      const { width } = part.getBoundingClientRect();
      if (width > room) part.style.fontSize = `calc(var(--formula) * ${Math.max(SMALLEST, room / width)})`;
    }
  }
  store.watch((s) => [s.moved, s.graph, s.projection], () => drawStrip(store.get()));
  drawStrip(store.get());
  return { say };
}

/** Symbols = numbers = result, with fractions at full size. @param {Line} line */
function stripLine(line) {
  const written = (/** @type {string | null} */ markup) => (markup ? math(markup) : null);
  const { parts: numbers, results } = worked(written(line.numbers), written(line.result));
  const parts = [math(line.symbols), ...numbers, ...results];
  for (const part of parts) {
    part.setAttribute("display", "inline");
    part.setAttribute("displaystyle", "true");
  }
  return h("div", { class: "strip-line" }, parts);
}

/** How far a long training is, and the way to end it. @param {Store<State>} store @param {Actions} actions */
function trainingView(store, actions) {
  const bar = h("progress", { "aria-label": "Training", max: 1, value: 0 });
  const words = h("span");
  const stop = h("button", { type: "button", class: "button", on: { click: actions.stopTraining } }, "Stop here");
  const plate = h("div", { class: "training plate stage-over", hidden: true }, words, bar, stop);
  let from = 0;
  store.watch(
    (s) => s.progress,
    (progress, before) => {
      plate.hidden = progress === null;
      if (!progress) return;
      if (!before) from = progress.iteration;
      words.textContent = `Iteration ${count(progress.iteration)} of ${count(progress.of)}${progress.loss === null ? "" : `, loss ${number(progress.loss)}`}`;
      bar.value = (progress.iteration - from) / Math.max(1, progress.of - from);
    },
  );
  return plate;
}

/** What hue, glyph, shape and width mean, with numbers. */
function legendView() {
  const widths = [0.001, 0.1, 10].map((size) =>
    h(
      "span",
      { class: "legend-width" },
      svg("svg", { width: 26, height: 10, "aria-hidden": "true" }, svg("path", { d: "M0 5H26", "stroke-width": widthOf(size) })),
      String(size),
    ),
  );
  return h(
    "div",
    { class: "legend", "aria-label": "Legend", role: "note" },
    h("span", { class: "role-value" }, h("span", { class: "swatch" }), "value"),
    h("span", { class: "role-grad" }, h("span", { class: "swatch" }), "∂ gradient"),
    h("span", { class: "role-update" }, h("span", { class: "swatch" }), "Δ update"),
    h("span", {}, h("span", { class: "chip-sign" }, "▲"), "positive"),
    h("span", {}, h("span", { class: "chip-sign" }, "▼"), "negative, dashed"),
    h("span", { class: "role-grad legend-widths" }, "|∂|", widths),
  );
}
