// What another plan does, beside the inspector: memory along the plan, micro-batches that add up, what float16 loses, and
// the error that ends a walk. Loaded only for a session whose spec has such a plan.

import * as api from "../api.js";
import { count, full, number } from "../format.js";
import { fill, h, svg } from "../h.js";
import { fragment } from "../share.js";
import { decays } from "./decays.js";

/** @import {Store} from "../store.js" */
/** @import {State, Actions, Memory, MemorySeries, Proof, Underflow} from "../types.js" */

const TALL = 100;
const SHOWN_PARTS = 6;
const SHOWN_COLUMNS = 3;
const AGAIN = new Set(["release", "recompute"]);

/** The plain plan's bytes under the steps of this one; where it has no such step, they stay. @param {MemorySeries} plan @param {MemorySeries} plain */
export function aligned(plan, plain) {
  let i = 0;
  let now = 0;
  return plan.phases.map((phase) => {
    if (!AGAIN.has(phase) && i < plain.bytes.length) now = plain.bytes[i++];
    return now;
  });
}

/** The entry that is largest in the large batch: [index, number]. @param {any} array @returns {{index: number[], value: number}} */
export function largestOf(array) {
  if (!Array.isArray(array)) return { index: [], value: array };
  let best = { index: [0], value: /** @type {any} */ (0) };
  array.forEach((part, i) => {
    const inner = largestOf(part);
    if (i === 0 || Math.abs(inner.value) > Math.abs(best.value)) best = { index: [i, ...inner.index], value: inner.value };
  });
  return best;
}

/** @param {any} array @param {number[]} index */
const entry = (array, index) => index.reduce((part, i) => part?.[i], array);

/** "56 B", "1.5 kB". @param {number} bytes */
export const size = (bytes) => (bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${number(bytes / 1e3)} kB` : `${number(bytes / 1e6)} MB`);

/** Steps as an outline, one unit wide each. @param {number[]} bytes @param {number} most */
const outline = (bytes, most) => bytes.map((b, i) => `${i ? "L" : "M"}${i} ${TALL - (TALL * b) / most}H${i + 1}`).join("");

/** @param {Memory} memory @param {Store<State>} store @param {Actions} actions */
function strip(memory, store, actions) {
  const { plan, plain } = memory;
  const n = plan.bytes.length;
  const most = Math.max(1, plan.peak, plain.peak);
  const now = svg("rect", { class: "plans-now", y: 0, width: 1, height: TALL });
  const said = h("p", { class: "plans-line" });
  const picture = svg("svg", { class: "plans-strip", viewBox: `0 0 ${n} ${TALL}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `Live bytes after each step: at most ${size(plan.peak)}, ${size(plain.peak)} without checkpoints` },
    svg("path", { class: "plans-area", d: `${outline(plan.bytes, most)}V${TALL}H0Z` }),
    ...plan.phases.map((phase, i) => AGAIN.has(phase)
      ? svg("rect", { class: "plans-again", dataset: { phase }, x: i, y: TALL - 5, width: 1, height: 5 }) : null),
    svg("path", { class: "plans-plain", d: outline(aligned(plan, plain), most) }), now);
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    const index = Math.floor(((event.clientX - box.left) / box.width) * n);
    actions.goto(memory.iteration, Math.min(n - 1, Math.max(0, index)));
  });
  const mark = () => {
    const { position } = store.get();
    const done = position.iteration === memory.iteration ? position.step : 0;
    now.setAttribute("x", String(Math.max(0, done - 1)));
    now.toggleAttribute("hidden", done === 0);
    fill(said, "now ", h("b", {}, size(done ? plan.bytes[done - 1] : 0)));
  };
  mark();
  return { mark, element: h("div", { class: "plans-part" },
    h("h3", {}, "Memory", said), picture,
    h("p", { class: "plans-key" }, h("span", { class: "plans-swatch" }), `${size(plan.peak)} at most`,
      h("span", { class: "plans-swatch plain" }), `${size(plain.peak)} plain`),
    memory.recomputed ? h("p", { class: "plans-key" }, h("span", { class: "plans-swatch again" }), `${memory.recomputed} of ${memory.computed} values computed twice`) : null) };
}

/** After how many steps each micro-batch has gone all its way back. @param {{phase: string}[]} plan @returns {number[]} */
export function endsOf(plan) {
  const begins = plan.flatMap(({ phase }, i) => (phase === "data" ? [i] : []));
  const back = plan.findLastIndex(({ phase }) => phase === "backward") + 1;
  return begins.map((_, part) => begins[part + 1] ?? back);
}

/** How much of an iteration is done. @param {number} iteration @param {State} state */
const doneOf = (iteration, { position }) => (position.iteration > iteration ? Infinity : position.iteration < iteration ? 0 : position.step);

/** No number before its time: a part's, and the sum's, when the walk has come so far. @param {Proof} proof @param {Store<State>} store */
function sums(proof, store) {
  const element = h("div", { class: "plans-part" });
  let known = -1;
  const mark = () => {
    const done = doneOf(proof.iteration, store.get());
    const now = endsOf(store.get().plan).filter((end) => end <= done).length;
    if (now !== known) fill(element, sumsUpTo(proof, (known = now)));
  };
  mark();
  return { mark, element };
}

/** @param {Proof} proof @param {number} known  parts that have been added */
function sumsUpTo(proof, known) {
  const shown = proof.parameters.filter((p) => p.parts).slice(0, SHOWN_COLUMNS).map((p) => ({ ...p, ...largestOf(p.large_batch) }));
  /** @param {string} name @param {(p: any) => number} value @param {string} [kind] @param {boolean} [there] */
  const row = (name, value, kind = "", there = known >= proof.parts.length) => h("tr", { class: kind }, h("th", { scope: "row" }, name),
    shown.map((p) => (there ? h("td", { title: full(value(p)) }, number(value(p))) : h("td", {}, "?"))));
  const parts = proof.parts.slice(0, SHOWN_PARTS);
  return [
    h("h3", {}, "The parts add up"),
    h("table", { class: "plans-table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "unseen" }, "part")),
        shown.map((p) => h("th", { scope: "col" }, "∂", p.label, p.index.some((i) => i) || p.index.length > 2 ? `[${p.index.join(", ")}]` : "")))),
      h("tbody", {},
        parts.map((part) => row(`part ${part + 1}`, (p) => entry(p.parts[part], p.index), "", known > part)),
        proof.parts.length > SHOWN_PARTS ? h("tr", {}, h("th", { scope: "row" }, `and ${proof.parts.length - SHOWN_PARTS} more`)) : null,
        row("sum", (p) => entry(p.sum, p.index), "plans-sum"),
        row("large batch", (p) => p.value))),
    known < proof.parts.length ? h("p", { class: "plans-key" }, "Each part's gradient is added to what stands there.")
      : h("p", { class: "plans-key" }, proof.worst < 1e-9 ? "✓ equal in every entry" : "✗ they differ", `, largest relative error ${number(proof.worst)}`),
  ];
}

/** What was lost is told when the way back has been walked. @param {Underflow} view @param {number} iteration @param {Store<State>} store */
function losses(view, iteration, store) {
  const element = h("div", { class: "plans-part" });
  /** @type {boolean | null} */
  let known = null;
  const mark = () => {
    const state = store.get();
    const now = doneOf(iteration, state) > state.plan.findLastIndex(({ phase }) => phase === "backward");
    if (now !== known) fill(element, lossesOf(view, (known = now)));
  };
  mark();
  return { mark, element };
}

/** @param {Underflow} view @param {boolean} known */
function lossesOf(view, known) {
  const lost = view.parameters.filter((p) => p.lost || p.infinite);
  const scale = view.loss_scale === null ? "no loss scaling" : `loss × ${count(view.loss_scale)}`;
  return [
    h("h3", {}, "Lost in float16", h("p", { class: "plans-line" }, scale)),
    !known ? h("p", { class: "plans-key" }, "? The way back will tell: what is below 6·10⁻⁸ becomes 0, what is above 65,504 infinite.") : lost.length
      ? h("ul", { class: "plans-lost" }, lost.map((p) => h("li", {}, h("b", {}, `∂${p.label}`), " ",
        p.lost ? `${p.lost} of ${p.of} became 0` : `${p.infinite} of ${p.of} overflowed`,
        p.lost ? h("small", {}, `smallest in full precision: ${number(p.smallest)}`) : null)))
      : h("p", { class: "plans-key" }, "✓ every gradient arrived"),
    known && view.overflow ? h("p", { class: "plans-key" }, "✗ A scaled gradient overflowed: this update is skipped, the scale halved.") : null,
    view.skipped_updates ? h("p", { class: "plans-key" }, `${view.skipped_updates} updates skipped so far`) : null,
  ];
}

/** What ends the walk, or what is wrong with it, and the way to the repaired one. @param {Store<State>} store @param {Actions} actions */
function fault(store, actions) {
  const { plan, session } = store.get();
  const given = session.spec.fault;
  const stop = plan.findIndex((step) => step.error);
  const spec = { ...session.spec, title: `${session.title || "Walk"}, repaired` };
  if (given.type === "in_place") spec.fault = { ...given, repaired: true };
  else delete spec.fault;
  const link = h("a", { class: "button", href: "/walk" },
    given.type === "in_place" ? "Walk the repaired version" : "Walk it in the right order");
  fragment({ position: { iteration: 0, step: 0 }, spec }).then((end) => (link.href = `/walk${end}`));
  const place = h("div", { class: "plans-fault" });
  const draw = () => {
    const { position } = store.get();
    const here = stop >= 0 && position.step === stop + 1;
    if (given.repaired) {
      fill(place, h("p", { class: "plans-key" }, "✓ Repaired: the new value stands beside the old one, and nothing is overwritten."));
    } else if (here) {
      const [message, hint] = (plan[stop].error ?? "").split(/ (?=Hint:)/);
      fill(place, h("div", { class: "complaint", role: "alert" }, h("strong", {}, "RuntimeError"), h("p", {}, message),
        hint ? h("details", {}, h("summary", {}, "Hint"), hint.replace(/^Hint: /, "")) : null), link);
    } else if (stop >= 0) {
      fill(place, h("p", { class: "plans-key" }, `An error ends this walk at step ${stop + 1} of ${plan.length}. `,
        h("button", { type: "button", class: "tool", on: { click: () => actions.goto(position.iteration, stop) } }, "Go there")), link);
    } else {
      fill(place, h("p", { class: "plans-key" }, given.type === "in_place"
        ? "The overwritten value is needed by nobody: the walk comes through."
        : "Nodes pass on before everything has come in. Some are visited twice."), link);
    }
  };
  draw();
  return { mark: draw, element: h("div", { class: "plans-part" },
    h("h3", {}, given.type === "in_place" ? "Overwritten in place" : "Recursion without an order"), place) };
}

/** The sheet of this panel, once. */
function style() {
  return new Promise((done) => {
    document.head.append(h("link", { rel: "stylesheet", href: "/static/css/plans.css", on: { load: done, error: done } }));
  });
}

/** @param {HTMLElement} element @param {Store<State>} store @param {Actions} actions */
export async function mount(element, store, actions) {
  await style();
  const { spec } = store.get().session;
  let asked = 0;
  /** @type {(() => void)[]} */
  let marks = [];
  async function load() {
    const turn = ++asked;
    const { session, position } = store.get();
    /** @param {"memory" | "proof" | "underflow" | "decay"} kind */
    const get = (kind) => api.planned(session.id, kind, position.iteration);
    try {
      const [memory, proof, underflow, decay] = await Promise.all([
        spec.checkpoint ? get("memory") : null,
        (spec.accumulate ?? 1) > 1 ? get("proof") : null,
        spec.precision ? get("underflow") : null,
        decays(spec) ? get("decay") : null,
      ]);
      if (turn !== asked) return;
      const forward = spec.forward_mode ? (await import("./forward_plan.js")).forwardView(store) : null;
      const pieces = [forward, spec.fault ? fault(store, actions) : null, memory ? strip(memory, store, actions) : null,
        proof ? sums(proof, store) : null, underflow ? losses(underflow, position.iteration, store) : null];
      marks = pieces.flatMap((piece) => (piece ? [piece.mark] : []));
      fill(element, pieces.map((piece) => piece?.element), decay ? (await import("./decay_plan.js")).decayView(decay) : null);
    } catch (error) {
      if (turn === asked) fill(element, h("p", { class: "plans-key" }, /** @type {Error} */ (error).message));
    }
  }
  store.watch((s) => s.position, () => marks.forEach((mark) => mark()));
  store.watch((s) => [s.position.iteration, s.session.changes, s.plan], load);
  await load();
}
