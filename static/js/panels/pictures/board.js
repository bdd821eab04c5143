// The mixing board: each weight a fader with the arrow of its gradient. Move them by hand and hear of the loss at once; then
// let gradient descent move all of them together.

import { number, signGlyph } from "../../format.js";
import { fill, h, svg } from "../../h.js";
import { linear, logarithmic, path } from "../../scale.js";
import { lossHere } from "../chart.js";
import { arrowsOf, fadersOf, reachOf, readings, replaced } from "./faders.js";

/** @import {Actions, Graph, Nodes, State} from "../../types.js" */

const [TALL, HALF] = [200, 46]; // of a fader's picture; the longest arrow
const ROW = 9; // faders beside each other on a desk
const KEPT = 60; // losses on the strip
const [WIDE, HIGH] = [260, 56];

/** @param {Graph} graph @param {Actions} actions @returns {import("./pictures.js").Picture} */
export function create(graph, actions) {
  const faders = fadersOf(graph);
  let reach = 0;
  /** @type {number | null} the fader in a hand */
  let held = null;
  /** @type {{loss: number, by: "hand" | "descent" | "start"}[]} */
  const tried = [];
  /** @type {"hand" | "descent" | "start"} who moved last */
  let mover = "start";
  let descending = false;
  /** @type {State | null} */
  let state = null;
  /** @type {Nodes} */
  let nodes = {};
  /** @type {number[]} where the faders stood before the last descent */
  let stood = [];

  const loss = h("output", { class: "board-loss" });
  const best = h("span", { class: "board-best" });
  const strip = h("div", { class: "board-strip" });
  const said = h("p", { class: "pic-caption", role: "status" });
  const one = h("button", { type: "button", class: "button", on: { click: () => descend(1) } }, "Let descent move them");
  const ten = h("button", { type: "button", class: "button", "aria-label": "Let descent move them 10 times", on: { click: () => descend(10) } }, "10 times");
  const parts = faders.map(faderView);
  const element = h("div", { class: `pic pic-board${faders.length > ROW ? " is-many" : ""}`, role: "group", "aria-label": "Mixing board: a fader for each weight" }, said,
    h("div", { class: "board-head" }, h("div", { class: "board-number" }, h("span", {}, "loss"), loss, best), strip, h("div", { class: "board-ways" }, one, ten)),
    h("div", { class: "board-faders" }, parts.map((part) => part.element)));
  element.style.setProperty("--wide", String(Math.min(58, Math.max(50, 6.2 * faders.length))));
  element.style.setProperty("--high", faders.length > ROW ? "34" : "27");

  return {
    element,
    draw(now, there) {
      [state, nodes] = [now, there];
      if (!ready(now)) return settle(now);
      show();
    },
  };

  /** The step after which loss and gradients are those of the faders as they stand. @param {State} now */
  function measured({ plan }) {
    return plan.findLastIndex((step) => step.phase === "backward") + 1;
  }

  /** @param {State} now */
  function ready(now) {
    return now.position.step === measured(now) && !now.busy;
  }

  /** Goes there, once what is under way has ended. @param {State} now */
  function settle(now) {
    if (now.busy || now.playing || now.progress || now.error) return;
    if (!descending && tried.length > 0 && now.position.step !== 0) {
      fill(said, "The board stands still while you walk. Move a fader, or let descent do it, to come back to it.");
      return;
    }
    descending = false;
    queueMicrotask(() => actions.seek({ iteration: now.position.iteration, step: measured(now) }));
  }

  /** @param {number} times */
  function descend(times) {
    stood = readings(faders, nodes).values;
    mover = "descent";
    descending = true;
    actions.iteration(times);
  }

  /** @param {number} i @param {number} value */
  function move(i, value) {
    if (!state) return;
    const { node, index } = faders[i];
    const array = nodes[node]?.value;
    if (!array || array.data === null) return;
    mover = "hand";
    if (state.position.step !== measured(state)) actions.seek({ iteration: state.position.iteration, step: measured(state) });
    actions.setValue(node, replaced(array.data, index, value));
  }

  function show() {
    if (!state) return;
    const { values, grads } = readings(faders, nodes);
    reach = reachOf(values, reach);
    const arrows = arrowsOf(grads);
    const now = Number(lossHere(state) ?? NaN);
    if (!state.stale && (tried.length === 0 || tried[tried.length - 1].loss !== now)) {
      tried.push({ loss: now, by: mover });
      if (tried.length > KEPT) tried.shift();
    }
    loss.textContent = number(now);
    const byHand = tried.filter(({ by, loss }) => by === "hand" && Number.isFinite(loss)).map(({ loss }) => loss);
    best.textContent = byHand.length ? `your best: ${number(byHand.reduce((a, b) => Math.min(a, b)))}` : "";
    one.disabled = ten.disabled = !state.session.spec.optimizer;
    const steepest = arrows.findIndex((arrow) => arrow !== null && Math.abs(arrow) === 1);
    fill(said, steepest < 0 ? "No slope anywhere: this is a flat place, or the bottom."
      : h("span", {}, "Arrows point downhill, for each weight by itself. Steepest: ", h("strong", {}, faders[steepest].label), `, ∂ = ${number(grads[steepest])}. Drag a fader.`));
    fill(strip, stripView());
    parts.forEach((part, i) => part.update(values[i], grads[i], arrows[i], i));
  }

  /** The losses so far, by hand and by descent. */
  function stripView() {
    const losses = tried.map((it) => it.loss);
    const finite = losses.filter(Number.isFinite);
    const [low, high] = [finite.reduce((a, b) => Math.min(a, b), Infinity), finite.reduce((a, b) => Math.max(a, b), -Infinity)];
    const x = linear(0, Math.max(10, tried.length - 1), 8, WIDE - 8);
    const y = (low > 0 && high / low > 30 ? logarithmic : linear)(low, high > low ? high : low + 1, HIGH - 8, 8);
    return svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": `The last ${tried.length} losses, from ${number(losses[0])} to ${number(losses[losses.length - 1])}` },
      svg("path", { class: "board-line", d: path(losses.map((v, i) => [x(i), Number.isFinite(v) ? y(v) : NaN])) }),
      tried.map(({ loss, by }, i) => Number.isFinite(loss) && svg("circle", { class: `board-dot by-${by}`, cx: x(i), cy: y(loss), r: by === "descent" ? 3.5 : 3 })));
  }

  /** @param {import("./faders.js").Fader} fader @param {number} i */
  function faderView(fader, i) {
    const input = h("input", { type: "range", class: "board-slider", "aria-label": fader.label, on: {
      input: () => move(i, Number(input.value)),
      pointerdown: () => (held = i),
      keydown: (/** @type {KeyboardEvent} */ event) => event.stopPropagation(),
    } });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) input.addEventListener(end, () => (held = null));
    const arrow = svg("g", { class: "board-arrow" });
    const ghost = svg("path", { class: "board-ghost" });
    const picture = svg("svg", { class: "board-scale", viewBox: `0 0 40 ${TALL}`, "aria-hidden": "true" }, ghost, arrow);
    const value = h("output", { class: "board-value role-value" });
    const grad = h("span", { class: "board-grad role-grad" });
    const ends = [h("span", { class: "board-end" }), h("span", { class: "board-end" })];
    const element = h("div", { class: "board-fader" },
      h("button", { type: "button", class: "board-name", on: { click: () => actions.select(fader.node) } }, fader.label),
      ends[0], h("div", { class: "board-track" }, input, picture), ends[1], value, grad);
    return { element,
      /** @param {number} now @param {number} slope @param {number | null} direction @param {number} place */
      update(now, slope, direction, place) {
        for (const [name, v] of Object.entries({ min: -reach, max: reach, step: reach / 500 })) input.setAttribute(name, String(v));
        if (held !== place) input.value = String(now);
        input.setAttribute("aria-valuetext", `${number(now)}, gradient ${number(slope)}`);
        ends[0].textContent = number(reach);
        ends[1].textContent = number(-reach);
        value.textContent = number(now);
        fill(grad, "∂ ", Number.isFinite(slope) ? number(slope) : "?", h("span", { class: "chip-sign" }, signGlyph(slope)));
        const y = linear(-reach, reach, TALL - 10, 10);
        const from = y(Math.max(-reach, Math.min(reach, now)));
        const before = stood[place];
        ghost.setAttribute("d", Number.isFinite(before) && before !== now && Math.abs(before) <= reach ? `M0 ${y(before)}H14` : "");
        if (direction === null || direction === 0) return fill(arrow, svg("circle", { cx: 22, cy: from, r: 3 }));
        const to = Math.max(4, Math.min(TALL - 4, from - HALF * direction));
        const tip = direction > 0 ? 7 : -7;
        fill(arrow, svg("path", { class: "board-shaft", d: `M22 ${from}V${to}` }), svg("path", { class: "board-tip", d: `M22 ${to - tip * 0.6}l7 ${tip * 1.3}h-14z` }));
      } };
  }
}
