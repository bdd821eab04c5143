// One slope in several ways: by hand, measured, in forward and in reverse mode, each with what it costs and how far off it
// is; the error of a measured slope against its step, on two logarithmic axes; and the passes that each mode needs.

import * as api from "../api.js";
import { number } from "../format.js";
import { fill, h, svg } from "../h.js";
import { fragment } from "../share.js";

/** @import {Approach, Approaches, Num, State} from "../types.js" */

const [WIDE, HIGH] = [520, 270]; // the drawing's units
const EDGE = { left: 52, right: 14, top: 26, bottom: 40 };
const LEAST = 1e-17; // no smaller error is drawn: float64 has about 16 digits
const BLOCKS = 32; // passes that are drawn one by one

/** @param {Num | null} error */
const drawn = (error) => (error === null || !Number.isFinite(Number(error)) ? null : Math.max(LEAST, Number(error)));

/** The step with the smallest error. @param {number[]} epsilon @param {(Num | null)[]} errors */
export function bestOf(epsilon, errors) {
  const known = errors.map((error, i) => ({ epsilon: epsilon[i], error: drawn(error) })).filter(({ error }) => error !== null);
  return known.reduce((/** @type {{epsilon: number, error: number} | null} */ best, it) => (best === null || Number(it.error) < best.error ? { epsilon: it.epsilon, error: Number(it.error) } : best), null);
}

/** Where the errors lie on the drawing, from large steps to tiny ones. @param {Approaches["sweep"]} sweep */
export function places({ epsilon, one_sided, central }) {
  const ends = [Math.log10(Math.min(...epsilon)), Math.log10(Math.max(...epsilon))];
  const all = [...one_sided, ...central].map(drawn).filter((error) => error !== null).map(Number);
  const low = Math.floor(Math.log10(Math.min(...all, 1e-3)));
  const high = Math.ceil(Math.log10(Math.max(...all, 1)));
  const x = (/** @type {number} */ e) => EDGE.left + ((Math.log10(e) - ends[0]) / (ends[1] - ends[0])) * (WIDE - EDGE.left - EDGE.right);
  const y = (/** @type {number} */ e) => EDGE.top + ((high - Math.log10(e)) / (high - low)) * (HIGH - EDGE.top - EDGE.bottom);
  return { x, y, low, high };
}

/** The U of a measured slope's error. @param {Approaches} found */
function curve({ sweep }) {
  const { x, y, low, high } = places(sweep);
  const best = bestOf(sweep.epsilon, sweep.central);
  /** @param {(Num | null)[]} errors @param {string} kind */
  const line = (errors, kind) => {
    const points = errors.map((error, i) => [sweep.epsilon[i], drawn(error)]).filter(([, error]) => error !== null).map(([e, error]) => [x(Number(e)), y(Number(error))]);
    return svg("g", { class: `ways-line ${kind}` }, svg("path", { d: points.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("") }),
      points.map(([px, py]) => (kind === "is-central" ? svg("circle", { cx: px, cy: py, r: 4 }) : svg("rect", { x: px - 3.5, y: py - 3.5, width: 7, height: 7 }))));
  };
  /** Powers of ten, not more than about six. @param {number} a @param {number} b */
  const powers = (a, b) => {
    const every = Math.max(1, Math.ceil((b - a) / 6));
    return Array.from({ length: Math.floor((b - a) / every) + 1 }, (_, i) => a + i * every);
  };
  const says = best ? `A measured slope's error against its step: smallest, ${number(best.error)}, at a step of ${number(best.epsilon)}; larger steps suffer from the bend of the curve, smaller ones from cancelled digits.` : "No step gives a finite slope.";
  return h("figure", { class: "ways-figure" },
    h("figcaption", {}, "How far off is a measured slope? It depends on the step ε."),
    svg("svg", { class: "ways-curve", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": says },
      svg("g", { class: "chart-grid" }, powers(low, high).map((p) => svg("path", { d: `M${EDGE.left} ${y(10 ** p)}H${WIDE - EDGE.right}` }))),
      svg("g", { class: "ways-ticks" },
        powers(low, high).map((p) => svg("text", { x: EDGE.left - 6, y: y(10 ** p) + 4, "text-anchor": "end" }, power(p))),
        powers(-14, -1).map((p) => svg("text", { x: x(10 ** p), y: HIGH - EDGE.bottom + 18, "text-anchor": "middle" }, power(p))),
        svg("text", { x: EDGE.left - 44, y: EDGE.top - 10 }, "error"),
        svg("text", { x: WIDE - EDGE.right, y: HIGH - 4, "text-anchor": "end" }, "step ε")),
      svg("g", { class: "ways-branch" },
        svg("text", { x: x(3e-13), y: EDGE.top + 12, "text-anchor": "start" }, "◀ rounding: digits cancel, ∝ 1∕ε"),
        svg("text", { x: x(6e-2), y: EDGE.top - 10, "text-anchor": "end" }, "truncation: the curve bends, ∝ ε and ε² ▶")),
      line(sweep.one_sided, "is-one-sided"),
      line(sweep.central, "is-central"),
      best && svg("g", { class: "ways-best" }, svg("circle", { cx: x(best.epsilon), cy: y(best.error), r: 9 }))),
    h("p", { class: "ways-key" },
      h("span", {}, h("span", { class: "ways-swatch is-central", "aria-hidden": "true" }), "both sides, (L(w + ε) − L(w − ε)) ∕ 2ε"),
      h("span", {}, h("span", { class: "ways-swatch is-one-sided", "aria-hidden": "true" }), "one side, (L(w + ε) − L(w)) ∕ ε")),
    best && h("p", { class: "ways-says" }, best.error <= LEAST * 1.01 ? `This loss does not bend: a step of ${number(best.epsilon)} measures it without an error.` : `Best here: ε = ${number(best.epsilon)}, error ${number(best.error)}. Backward needs no ε.`));
}

/** @param {number} p */
const power = (p) => `10${String(p).replace("-", "⁻").replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(d)])}`;

/** Slopes in one cell: all of a few, else the first. @param {Approach} row */
function slopes({ gradient }) {
  const all = Object.entries(gradient).flatMap(([name, values]) => [values].flat(Infinity).map((value, i) => ({ name, i, value })));
  return `${all.slice(0, 3).map(({ value }) => number(value)).join(", ")}${all.length > 3 ? " …" : ""}`;
}

/** @param {Approaches} found */
function table({ rows }) {
  return h("table", { class: "ways-table" },
    h("thead", {}, h("tr", {}, ["way", "slope", "runs", "error"].map((t) => h("th", { scope: "col" }, t)))),
    h("tbody", {}, rows.map((row) => h("tr", {},
      h("th", { scope: "row" }, row.approach.replace("automatic, ", "").replace("numerical", "measured").replace("manual", "by hand")),
      h("td", {}, slopes(row)),
      h("td", {}, String(row.evaluations)),
      h("td", {}, row.error === null ? "–" : number(row.error))))));
}

/** How often each mode runs through the graph for all slopes. @param {Approaches} found @param {State} state */
function modes({ numbers, outputs }, { session, graph }) {
  /** @param {string} name @param {number} passes @param {string} arrow @param {string} says */
  const row = (name, passes, arrow, says) => h("div", { class: "ways-mode" },
    h("b", {}, name),
    h("span", { class: "ways-passes", "aria-hidden": "true" }, Array.from({ length: Math.min(passes, BLOCKS) }, () => h("span", { class: `ways-pass is-${name.split(" ")[0]}` }, arrow)), passes > BLOCKS ? "…" : ""),
    h("span", {}, `${passes} ${passes === 1 ? "pass" : "passes"}: ${says}`));
  const first = graph.nodes.find((node) => node.kind === "parameter");
  const link = first && h("a", { class: "tool", href: "/walk" }, `Walk forward mode for ${first.label}`);
  if (first && link) {
    const spec = { ...session.spec, forward_mode: { node: first.name }, title: `${session.title || "Walk"}, forward mode`.slice(0, 100) };
    fragment({ position: { iteration: 0, step: 0 }, changes: session.changes, spec }).then((end) => (link.href = `/walk${end}`));
  }
  return h("div", { class: "ways-modes" },
    row("forward mode", numbers, "▶", "one for each number that may move"),
    row("reverse mode", outputs, "◀", "one for each loss, and there is one"),
    session.spec.forward_mode ? null : link);
}

/** A formula of one's own beside the machine's. @param {Approaches} found @param {State} state @param {(found: Approaches) => void} show */
function byHand({ rows }, { session, graph, position }, show) {
  const names = graph.nodes.filter((node) => node.kind === "parameter").map((node) => node.name);
  if (!session.spec.program || !names.length) return null;
  const given = rows.find((row) => row.approach === "manual")?.formula ?? {};
  const fields = names.map((name) => h("label", {}, `∂L∕∂${name} = `, h("input", { name, value: (given[name] ?? "").replace(/^\s*g\s*=\s*/, ""), spellcheck: "false", autocomplete: "off", placeholder: "a formula" })));
  const said = h("p", { class: "check-off", role: "alert" });
  return h("form", {
    class: "ways-hand",
    on: {
      async submit(/** @type {SubmitEvent} */ event) {
        event.preventDefault();
        const typed = Object.fromEntries([...new FormData(/** @type {HTMLFormElement} */ (event.currentTarget))].filter(([, text]) => String(text).trim()).map(([name, text]) => [name, `g = ${String(text).replace(/^\s*g\s*=/, "")}`]));
        try {
          show(await api.approaches(session.id, position.iteration, Object.keys(typed).length ? typed : null));
        } catch (error) {
          fill(said, /** @type {Error} */ (error).message);
        }
      },
    },
  }, h("b", {}, "By hand"), fields, h("button", { type: "submit", class: "button" }, "Compare"), said);
}

/** @type {Promise<unknown> | null} */
let styled = null;
const styles = () => (styled ??= new Promise((done) => document.head.append(h("link", { rel: "stylesheet", href: "/static/css/ways.css", on: { load: done, error: done } }))));

/** The whole comparison, into its place. @param {HTMLElement} place @param {Approaches} found @param {State} state */
export async function mountWays(place, found, state) {
  await styles();
  const show = (/** @type {Approaches} */ it) => fill(place,
    h("h3", {}, it.numbers === 1 ? "One slope, several ways" : `${it.numbers} slopes, several ways`),
    table(it), byHand(it, state, show), curve(it), modes(it, state));
  show(found);
}
