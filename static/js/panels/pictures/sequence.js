// The sequence picture: a recurrent layer unrolled in time, its state at every step, and above each step the size of the
// gradient that reached it, so that vanishing and exploding are seen; below, what each step adds to the shared weights.

import { number, signed, toNumber } from "../../format.js";
import { fill, h } from "../../h.js";
import { schedule } from "../graph.js";
import { em, scaleLegend, slot } from "./parts.js";
import { barScale, contribution, fate, tracksOf } from "./time.js";

/** @import {Actions, ArrayData, Graph, Nodes, State} from "../../types.js" */
/** @import {Step, Track} from "./time.js" */

const MANY = 10; // steps from which columns carry no numbers

/** @param {ArrayData | null | undefined} array */
const size = (array) => (array ? toNumber(array.norm) : null);

/** @param {Graph} graph @param {Actions} actions @returns {import("./pictures.js").Picture} */
export function create(graph, actions) {
  const tracks = tracksOf(graph);
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  const element = h("div", { class: "pic pic-sequence", role: "group", "aria-label": "The sequence, unrolled in time" });
  const longest = Math.max(...tracks.map((t) => t.steps.length));
  element.style.setProperty("--wide", String(11 + longest * (longest > MANY ? 3 : 8.2)));
  element.style.setProperty("--high", String(24 * tracks.length));
  /** @param {string | null} name */
  const label = (name) => byName.get(name ?? "")?.label ?? "";

  return {
    element,
    draw(state, nodes) {
      const held = element.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.node : null;
      const places = new Map([...element.querySelectorAll(".seq-scroll")].map((it, i) => [i, it.scrollLeft]));
      const unit = em(element);
      fill(element, [...tracks].reverse().map((track) => view(track, state, nodes, unit)));
      [...element.querySelectorAll(".seq-scroll")].forEach((it, i) => (it.scrollLeft = places.get(i) ?? 0));
      const centre = element.querySelector(".seq-step.is-centre");
      const scroll = centre?.closest(".seq-scroll");
      if (centre instanceof HTMLElement && scroll instanceof HTMLElement) {
        const middle = centre.offsetLeft + centre.offsetWidth / 2 - scroll.clientWidth / 2;
        if (Math.abs(middle - scroll.scrollLeft) > scroll.clientWidth / 3) scroll.scrollLeft = middle;
      }
      if (held) /** @type {HTMLElement | null} */ (element.querySelector(`[data-node="${CSS.escape(held)}"]`))?.focus({ preventScroll: true });
    },
  };

  /** @param {Track} track @param {State} state @param {Nodes} nodes @param {number} unit */
  function view(track, state, nodes, unit) {
    const many = track.steps.length > MANY;
    const sizes = track.steps.map((s) => size(nodes[s.h]?.grad));
    const scale = barScale(sizes);
    const { backward } = schedule(state.plan);
    /** What stands for a gradient that is not there: not yet, or never, because a cut lies before it. @param {string | null} name */
    const missing = (name) => (name !== null && backward.has(name) ? "?" : "none");
    const done = (/** @type {Step} */ s) => s.product !== null && (backward.get(s.product) ?? Infinity) < state.position.step;
    const before = (/** @type {number} */ i) => track.steps[i].cut ?? (i > 0 ? track.steps[i - 1].h : track.start);
    const added = track.steps.map((s, i) => (done(s) ? contribution(nodes[s.product ?? ""]?.grad, nodes[before(i) ?? ""]?.value) : null));
    const most = Math.max(...added.map((a) => Math.abs(a ?? 0)));
    const single = byName.get(track.weight ?? "")?.shape.every((n) => n === 1) ?? false;
    const current = state.frame?.node ?? null;
    const values = Math.max(...track.steps.map((s) => Math.max(Math.abs(toNumber(nodes[s.h]?.value?.min)) || 0, Math.abs(toNumber(nodes[s.h]?.value?.max)) || 0)));

    return h(
      "section",
      { class: `seq-track${many ? " is-many" : ""}`, "aria-label": track.label },
      h("p", { class: "pic-caption" }, h("strong", {}, tracks.length > 1 ? track.label : track.kind), " ", story(track, sizes, scale.log), !single && values > 0 && scaleLegend(values, "value", label(track.steps[0].h))),
      h(
        "div",
        { class: "seq-scroll" },
        h(
          "div",
          { class: "seq-row" },
          h("div", { class: "seq-names", "aria-hidden": "true" }, h("span", {}, `|∂L/∂h|`), h("span", {}, "h"), h("span", {}, track.kind), h("span", {}, "x"), h("span", {}, `∂${label(track.weight)}`)),
          track.steps.map((step, i) => [
            i > 0 ? carry(step, sizes[i - 1], sizes[i], backwardOver(step, state)) : null,
            column(step, i),
          ]),
          h(
            "div",
            { class: "seq-sum" },
            h("span", { class: "seq-total role-grad" }, "Σ ", added.some((a) => a !== null) && single ? number(added.reduce((/** @type {number} */ sum, a) => sum + (a ?? 0), 0)) : slot(nodes[track.weight ?? ""]?.grad, "grad", { unit, wide: 4, high: 3 })),
          ),
        ),
      ),
    );

    /** @param {Step} step @param {number} i */
    function column(step, i) {
      const centre = current !== null && step.members.includes(current);
      const value = nodes[step.h]?.value ?? null;
      const share = scale.share(sizes[i]);
      const add = added[i];
      const says = `Step ${step.t}: state ${value ? (single ? number(value.mean) : `norm ${number(value.norm)}`) : "not there yet"}, size of its gradient ${sizes[i] === null ? "not there yet" : number(sizes[i])}${add === null ? "" : `, adds ${number(add)} to the weights`}`;
      return h(
        "button",
        { type: "button", class: `seq-step${centre ? " is-centre" : ""}`, dataset: { node: step.h }, "aria-label": says, title: many ? says : null, on: { click: () => actions.select(step.h) } },
        h("span", { class: "seq-bar-place" }, h("span", { class: "seq-size" }, sizes[i] === null ? missing(step.h) : number(sizes[i])), h("span", { class: "seq-bar", style: { "--share": share } })),
        h("span", { class: "seq-state" }, slot(value, "value", { unit, wide: many ? 1.5 : 5, high: 2.4, limit: values })),
        h("span", { class: "seq-cell" }, many ? step.t : h("span", {}, label(step.h)), step.c && !many && slot(nodes[step.c]?.value, "value", { unit, wide: 4, high: 1.4, cell: 0.9 })),
        h("span", { class: "seq-in" }, step.x && slot(nodes[step.x]?.value, "value", { unit, wide: many ? 1.5 : 5, high: 1.6, cell: 1 })),
        h(
          "span",
          { class: "seq-add role-grad" },
          h("span", { class: "seq-add-bar", style: { width: `${most > 0 && add !== null ? (100 * Math.abs(add)) / most : 0}%` } }),
          h("span", { class: "seq-add-number" }, add === null ? missing(step.product) : single ? signed(add) : number(add)),
        ),
      );
    }
  }

  /** Has the gradient gone back over this border? @param {Step} step @param {State} state */
  function backwardOver(step, state) {
    return (schedule(state.plan).backward.get(step.product ?? "") ?? Infinity) < state.position.step;
  }

  /** Between two steps: the state goes on, the gradient comes back, or is cut off. @param {Step} step @param {number | null} left @param {number | null} right @param {boolean} over */
  function carry(step, left, right, over) {
    const cut = step.cut !== null;
    const ratio = !cut && over && left !== null && right ? left / right : null;
    return h(
      "span",
      { class: `seq-carry${cut ? " is-cut" : ""}${over ? " is-back" : ""}`, title: cut ? "The state goes on; the gradient does not." : ratio === null ? null : `|∂L/∂h| is ${number(ratio)} times as large one step earlier` },
      h("span", { class: "seq-ratio" }, cut ? "✂ cut" : ratio === null ? "" : `×${number(ratio, 2)}`),
      h("span", { class: "seq-back", "aria-hidden": "true" }, over && !cut ? "◀" : ""),
      h("span", { class: "seq-on", "aria-hidden": "true" }, "▶"),
    );
  }

  /** @param {Track} track @param {(number | null)[]} sizes @param {boolean} log */
  function story(track, sizes, log) {
    const what = fate(sizes);
    if (sizes.some((size) => size !== null && !Number.isFinite(size))) return "a gradient is not a finite number any more.";
    if (sizes.length > 0 && sizes.every((size) => size === 0)) return "no gradient comes back: it is 0 at every step.";
    if (!what) return "the same cell at every step; the gradient has not come back yet.";
    const way = `|∂L/∂h| from step ${track.steps[what.from].t} back to step ${track.steps[what.to].t}: ${number(sizes[what.from])} → ${number(sizes[what.to])}`;
    return `${way}, ×${number(what.factor, 2)} a step: ${what.word}.${log ? " Bars by powers of ten." : ""}`;
  }
}
