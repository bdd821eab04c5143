// The sequence picture: a recurrent layer unrolled in time, its state at every step, and above each step the size of the
// gradient that reached it, so that vanishing and exploding are seen; below, what each step adds to the shared weights.

import { number, signed, toNumber } from "../../format.js";
import { fill, h } from "../../h.js";
import { schedule } from "../graph_steps.js";
import { heat } from "../heat.js";
import { cutAt, keepHold, takeHold, windowOfTrack } from "./cut.js";
import { em, reveal, scaleLegend, slot } from "./parts.js";
import { barScale, contribution, fate, tracksOf } from "./time.js";

/** @import {Actions, ArrayData, Graph, Nodes, State} from "../../types.js" */
/** @import {Step, Track} from "./time.js" */

const MANY = 10; // steps from which columns carry no numbers
const EACH = 5; // of many steps, every so many are counted

const QUIET = 700; // ms without a key until a cut is made

/** @param {number} window */
const told = (window) => (window ? `cut every ${window} ${window === 1 ? "step" : "steps"}` : "never cut");

/** @param {ArrayData | null | undefined} array */
const size = (array) => (array ? toNumber(array.norm) : null);

/** @param {Graph} graph @param {Actions} actions @returns {import("./pictures.js").Picture} */
export function create(graph, actions) {
  const tracks = tracksOf(graph);
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  const element = h("div", { class: "pic pic-sequence", role: "group", "aria-label": "The sequence, unrolled in time" });
  const longest = Math.max(...tracks.map((t) => t.steps.length));
  element.style.setProperty("--wide", String(11 + longest * (longest > MANY ? 1.25 : 9)));
  const stacked = tracks.length > 1 && longest <= MANY;
  element.classList.toggle("is-stacked", stacked);
  element.style.setProperty("--high", String((stacked ? 19 : 24) * tracks.length));
  /** @param {string | null} name */
  const label = (name) => byName.get(name ?? "")?.label ?? "";
  /** The window that is being chosen, before it is taken. @type {{scope: string, window: number} | null} */
  let choosing = null;
  let complaint = "";
  /** Taken when the keys have been still for a moment. */
  let later = 0;
  /** What had the focus when another cut made the page anew. */
  let wanted = takeHold();
  /** @type {() => void} */
  let redraw = () => {};

  return {
    element,
    draw(state, nodes) {
      redraw = () => show(state, nodes);
      show(state, nodes);
    },
  };

  /** @param {State} state @param {Nodes} nodes */
  function show(state, nodes) {
    const held = element.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.hold : null;
    const places = new Map([...element.querySelectorAll(".seq-scroll")].map((it, i) => [i, it.scrollLeft]));
    const unit = em(element);
    const scale = barScale(tracks.flatMap((track) => track.steps.flatMap((s) => [size(nodes[s.h]?.grad), s.c ? size(nodes[s.c]?.grad) : null])));
    const sections = [...tracks].reverse().map((track) => view(track, state, nodes, unit, scale));
    if (element.children.length !== sections.length) fill(element, sections);
    else [...element.children].forEach((was, i) => renew(was, sections[i]));
    [...element.querySelectorAll(".seq-scroll")].forEach((it, i) => (it.scrollLeft = places.get(i) ?? 0));
    const centre = element.querySelector(".seq-step.is-centre");
    const scroll = centre?.closest(".seq-scroll");
    reveal(centre?.closest(".seq-track") ?? null);
    if (centre instanceof HTMLElement && scroll instanceof HTMLElement) {
      const middle = centre.offsetLeft + centre.offsetWidth / 2 - scroll.clientWidth / 2;
      if (Math.abs(middle - scroll.scrollLeft) > scroll.clientWidth / 3) scroll.scrollLeft = middle;
    }
    const focus = held ?? (element.isConnected ? wanted : null);
    if (element.isConnected) wanted = null;
    if (focus) /** @type {HTMLElement | null} */ (element.querySelector(`[data-hold="${CSS.escape(focus)}"]`))?.focus({ preventScroll: true });
  }

  /** @param {Track} track @param {State} state @param {Nodes} nodes @param {number} unit @param {ReturnType<typeof barScale>} scale */
  function view(track, state, nodes, unit, scale) {
    const many = track.steps.length > MANY;
    const gated = track.kind === "LSTM"; // its gradient travels along the cell
    const sizes = track.steps.map((s) => size(nodes[s.h]?.grad));
    const cells = track.steps.map((s) => (s.c ? size(nodes[s.c]?.grad) : null));
    const followed = gated ? cells : sizes;
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
    const given = windowOfTrack(state.session.spec, track.scope);
    const window = choosing?.scope === track.scope ? choosing.window : given;

    return h(
      "section",
      { class: `seq-track${many ? " is-many" : ""}`, "aria-label": track.label },
      h("p", { class: "pic-caption" }, h("strong", {}, track.label), " ", story(track, followed, scale.log, gated ? "c" : "h")),
      h(
        "p",
        { class: "pic-caption seq-keys" },
        window !== null && chooser(track, window, given ?? 0, state),
        (many || !single) && values > 0 && scaleLegend(values, "value", label(track.steps[0].h)),
      ),
      h(
        "div",
        { class: "seq-scroll" },
        h(
          "div",
          { class: "seq-row" },
          h("div", { class: "seq-names", "aria-hidden": "true" }, h("span", {}, gated ? [h("span", { class: "seq-key" }), " |∂L/∂h|", h("br"), h("span", { class: "seq-key is-cell" }), " |∂L/∂c|"] : "|∂L/∂h|"), h("span", {}, "h"), h("span", {}, track.kind), h("span", {}, "x"), h("span", {}, `∂${label(track.weight)}`)),
          track.steps.map((step, i) => [
            i > 0 ? carry(track, i, followed, backwardOver(step, state), window, given ?? 0, state) : null,
            column(step, i),
          ]),
          h(
            "div",
            { class: "seq-sum" },
            window === 0 && grip(track, 0, given ?? 0, state),
            h("span", { class: "seq-total role-grad" }, "Σ ", added.some((a) => a !== null) && single ? number(added.reduce((/** @type {number} */ sum, a) => sum + (a ?? 0), 0)) : slot(nodes[track.weight ?? ""]?.grad, "grad", { unit, wide: 4, high: 3 })),
          ),
        ),
      ),
    );

    /** A value as its number, or where there are many as a colour alone. @param {string | null} name @param {number} high @param {number} cell @param {number} [limit] */
    function shown(name, high, cell, limit) {
      const array = nodes[name ?? ""]?.value ?? null;
      if (many && array) return h("span", { class: "pic-slot is-map role-value" }, heat(array, { width: 0.75 * unit, height: high * unit, most: 0.75 * unit, limit }).element);
      return slot(array, "value", { unit, wide: 5, high, cell, limit });
    }

    /** @param {Step} step @param {number} i */
    function column(step, i) {
      const centre = current !== null && step.members.includes(current);
      const value = nodes[step.h]?.value ?? null;
      const add = added[i];
      const says = `Step ${step.t}: state ${value ? (single ? number(value.mean) : `norm ${number(value.norm)}`) : "not there yet"}, size of its gradient ${sizes[i] === null ? "not there yet" : number(sizes[i])}${cells[i] === null ? "" : `, of its cell's ${number(cells[i])}`}${add === null ? "" : `, adds ${number(add)} to the weights`}`;
      /** @param {number | null} it @param {string | null} name @param {string} kind */
      const bar = (it, name, kind) => h("span", { class: `seq-tower${kind}` }, h("span", { class: "seq-size" }, it === null ? missing(name) : number(it)), it ? h("span", { class: `seq-bar${kind}`, style: { "--share": scale.share(it) } }) : null);
      return h(
        "button",
        { type: "button", class: `seq-step${centre ? " is-centre" : ""}`, dataset: { node: step.h, hold: step.h }, "aria-label": says, title: many ? says : null, on: { click: () => actions.select(step.h) } },
        h("span", { class: "seq-bar-place" }, bar(sizes[i], step.h, ""), step.c && bar(cells[i], step.c, " is-cell")),
        h("span", { class: "seq-state" }, shown(step.h, 2.4, 1.3, values)),
        h("span", { class: "seq-cell" }, many ? (i === 0 || step.t % EACH === 0 ? step.t : "") : h("span", {}, label(step.h)), step.c && !many && slot(nodes[step.c]?.value, "value", { unit, wide: 4, high: 1.4, cell: 0.9 })),
        h("span", { class: "seq-in" }, step.x && shown(step.x, 1.6, 1)),
        h(
          "span",
          { class: "seq-add role-grad" },
          h("span", { class: "seq-add-bar", style: { "--share": most > 0 && add !== null ? Math.abs(add) / most : 0 } }),
          h("span", { class: "seq-add-number" }, add === null ? missing(step.product) : single ? signed(add) : number(add)),
        ),
      );
    }
  }

  /** Has the gradient gone back over this border? @param {Step} step @param {State} state */
  function backwardOver(step, state) {
    return (schedule(state.plan).backward.get(step.product ?? "") ?? Infinity) < state.position.step;
  }

  /**
   * Between two steps: the state goes on, the gradient comes back, or is cut off. The cut can be dragged to another border.
   * @param {Track} track @param {number} i @param {(number | null)[]} sizes @param {boolean} over @param {number | null} window @param {number} given @param {State} state
   */
  function carry(track, i, sizes, over, window, given, state) {
    const { cut: name, t } = track.steps[i];
    const cut = window !== null ? window > 0 && i % window === 0 : name !== null;
    const [left, right] = [sizes[i - 1], sizes[i]];
    const ratio = !cut && over && left !== null && right ? left / right : null;
    const first = cut && window === i;
    return h(
      "span",
      {
        class: `seq-carry${cut ? " is-cut" : ""}${over ? " is-back" : ""}${first ? " is-grip" : ""}`,
        dataset: { border: i },
        title: cut ? (first ? "The state goes on; the gradient does not. Drag to cut elsewhere." : "The state goes on; the gradient does not.") : ratio === null ? null : `the gradient is ${number(ratio)} times as large at step ${t - 1}`,
        on: first ? { pointerdown: (/** @type {PointerEvent} */ event) => drag(event, track, given, state) } : {},
      },
      first ? grip(track, window ?? 0, given, state) : cut && h("span", { class: "seq-scissors" }, "✂"),
      h("span", { class: "seq-ratio" }, cut || ratio === null ? "" : `×${number(ratio, 2)}`),
      h("span", { class: "seq-back", "aria-hidden": "true" }, over && !cut ? "◀" : ""),
      h("span", { class: "seq-on", "aria-hidden": "true" }, "▶"),
    );
  }

  /** The scissors: to be dragged, or moved by arrow keys. @param {Track} track @param {number} window @param {number} given @param {State} state */
  function grip(track, window, given, state) {
    const most = track.steps.length;
    const ways = /** @type {Record<string, number>} */ ({ ArrowLeft: (window || most) - 1, ArrowDown: (window || most) - 1, ArrowRight: (window || most) + 1, ArrowUp: (window || most) + 1, Home: 1, End: most });
    return h(
      "span",
      {
        class: "seq-scissors is-grip",
        role: "slider",
        tabindex: "0",
        "aria-label": `${track.kind}: where the gradient's way is cut`,
        "aria-valuemin": "1",
        "aria-valuemax": String(most),
        "aria-valuenow": String(window || most),
        "aria-valuetext": told(window),
        title: window ? "Drag to cut elsewhere" : "Drag to the left: cuts the gradient's way",
        dataset: { hold: `${track.scope}|` },
        on: {
          ...(window ? {} : { pointerdown: (/** @type {PointerEvent} */ event) => drag(event, track, given, state) }),
          keydown: (/** @type {KeyboardEvent} */ event) => {
            if (!(event.key in ways)) return;
            event.preventDefault();
            prepare(track, ways[event.key], given, state);
          },
        },
      },
      "✂",
    );
  }

  /** Shows another window, and takes it when no further key has come for a moment. @param {Track} track @param {number} next @param {number} given @param {State} state */
  function prepare(track, next, given, state) {
    const window = next >= track.steps.length ? 0 : Math.max(1, next);
    clearTimeout(later);
    choosing = { scope: track.scope, window };
    complaint = "";
    redraw();
    later = setTimeout(() => take(track, window, given, state), QUIET);
  }

  /** @param {PointerEvent} event @param {Track} track @param {number} given @param {State} state */
  function drag(event, track, given, state) {
    event.preventDefault();
    clearTimeout(later);
    const move = (/** @type {PointerEvent} */ { clientX }) => {
      const row = element.querySelector(`[aria-label="${CSS.escape(track.label)}"]`);
      const borders = [.../** @type {NodeListOf<HTMLElement>} */ (row?.querySelectorAll(".seq-carry") ?? [])].map((it) => ({ border: Number(it.dataset.border), away: Math.abs((it.getBoundingClientRect().left + it.getBoundingClientRect().right) / 2 - clientX) }));
      const end = row?.querySelector(".seq-sum")?.getBoundingClientRect().left ?? Infinity;
      const window = clientX > end ? 0 : borders.reduce((best, it) => (it.away < best.away ? it : best)).border;
      if (choosing?.window === window) return;
      choosing = { scope: track.scope, window };
      redraw();
    };
    const drop = (/** @type {PointerEvent} */ { type }) => {
      for (const [name, does] of /** @type {const} */ ([["pointermove", move], ["pointerup", drop], ["pointercancel", drop]])) removeEventListener(name, does);
      const window = choosing?.window ?? given;
      if (type === "pointerup") return take(track, window, given, state);
      choosing = null;
      redraw();
    };
    for (const [name, does] of /** @type {const} */ ([["pointermove", move], ["pointerup", drop], ["pointercancel", drop]])) addEventListener(name, does);
  }

  /** @param {Track} track @param {number} window @param {number} given @param {State} state */
  function take(track, window, given, state) {
    choosing = window === given ? null : { scope: track.scope, window };
    complaint = "";
    redraw();
    if (window === given) return;
    keepHold(element.contains(document.activeElement) ? (/** @type {HTMLElement} */ (document.activeElement).dataset.hold ?? null) : null);
    cutAt(state, track.scope, window).catch((error) => {
      choosing = null;
      complaint = error.message;
      redraw();
    });
  }

  /** The window in words, and two buttons that make it shorter and longer. @param {Track} track @param {number} window @param {number} given @param {State} state */
  function chooser(track, window, given, state) {
    const most = track.steps.length;
    if (most < 2) return null;
    const to = (/** @type {number} */ by) => () => prepare(track, (window || most) + by, given, state);
    return h(
      "span",
      { class: "maps-turn seq-window" },
      h("button", { type: "button", class: "tool", dataset: { hold: `${track.scope}-` }, disabled: window === 1, "aria-label": "cut after fewer steps", on: { click: to(-1) } }, "‹"),
      h("span", {}, "✂ ", told(window)),
      h("button", { type: "button", class: "tool", dataset: { hold: `${track.scope}+` }, disabled: window === 0, "aria-label": "cut after more steps", on: { click: to(1) } }, "›"),
      complaint ? h("span", { role: "alert" }, ` ${complaint}`) : h("span", { class: "seq-hint" }, window ? "or drag ✂ along the steps" : "or drag ✂ from the right to cut"),
    );
  }

  /** @param {Track} track @param {(number | null)[]} sizes @param {boolean} log @param {string} letter */
  function story(track, sizes, log, letter) {
    const what = fate(sizes);
    if (sizes.some((size) => size !== null && !Number.isFinite(size))) return "a gradient is not a finite number any more.";
    if (sizes.length > 0 && sizes.every((size) => size === 0)) return "no gradient comes back: it is 0 at every step.";
    const first = sizes.findIndex((size) => size !== null && size > 0);
    if (!what && first > 0 && track.steps[first].cut) return `no gradient goes further back than to step ${track.steps[first].t}: the cut lies before it.`;
    if (!what) return "the same cell at every step; the gradient has not come back yet.";
    const way = `|∂L/∂${letter}| from step ${track.steps[what.from].t} back to step ${track.steps[what.to].t}: ${number(sizes[what.from])} → ${number(sizes[what.to])}`;
    return `${way}, ×${number(what.factor, 2)} a step: ${what.word}.${log ? " Bars by powers of ten." : ""}`;
  }
}

/** A track drawn anew: of fifty columns only those that have changed, so that playing stays smooth. @param {Element} was @param {Element} now */
function renew(was, now) {
  const [before, after] = [was, now].map((it) => [...(it.querySelector(".seq-row")?.children ?? [])]);
  if (before.length !== after.length) return was.replaceWith(now);
  const words = [...now.querySelectorAll(".pic-caption")];
  [...was.querySelectorAll(".pic-caption")].forEach((it, i) => it.replaceWith(words[i]));
  after.forEach((it, i) => !same(before[i], it) && before[i].replaceWith(it));
}

/** What can be taken hold of knows its moment, and pixels cannot be compared: these are always new. @param {Element} was @param {Element} now */
const same = (was, now) => !now.matches(".seq-sum, .is-cut") && !now.querySelector("canvas") && was.isEqualNode(now);
