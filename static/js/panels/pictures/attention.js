// The attention picture: queries, keys, values and the attention matrix as heat maps; a row chosen in the matrix shows
// its scores, its softmax, the gradients of both, and which tokens its error reaches.

import { number, percent } from "../../format.js";
import { fill, h } from "../../h.js";
import { reach } from "../arrays.js";
import { attentionsOf, rowOf } from "./heads.js";
import { hold, turner } from "./hold.js";
import { mapImage, short } from "./map_image.js";
import { scaleLegend } from "./parts.js";
import { planeOf } from "./window.js";

/** @import {Actions, Graph, Nodes, State} from "../../types.js" */
/** @import {Attention} from "./heads.js" */
/** @typedef {ReturnType<typeof rowOf>[number]} Cell */

const COLUMNS = [
  { key: "score", name: "score", says: "q · k / √d", role: "value" },
  { key: "share", name: "share", says: "softmax of the row", role: "value" },
  { key: "dShare", name: "∂ share", says: "∂c · v", role: "grad" },
  { key: "dScore", name: "∂ score", says: "share · (∂share − Σ share · ∂share)", role: "grad" },
  { key: "toValue", name: "→ value", says: "size of what its value gets from this row: share · |∂c|", role: "grad" },
  { key: "toKey", name: "→ key", says: "size of what its key gets from this row: |∂score| · |q|", role: "grad" },
];

const FEW = 6; // rows or columns, up to which numbers are written
const HIGH = 2.1; // ems of a row; the rows of all matrices are tokens and stand side by side

/** @param {number} rows @param {number} cols @param {number} letters of the longest number */
function cellFor(rows, cols, letters) {
  const written = rows <= FEW && cols <= FEW && letters <= 7;
  return { written, high: rows <= FEW ? HIGH : Math.min(1.3, 13 / rows), cell: written ? Math.max(2.2, 0.6 * letters + 0.7) : Math.min(2.2, 13 / Math.max(rows, cols)) };
}

/** @param {Graph} graph @param {Actions} actions @returns {import("./pictures.js").Picture} */
export function create(graph, actions) {
  const all = attentionsOf(graph);
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  const element = h("div", { class: "pic pic-attention", role: "group", "aria-label": "Attention" });
  const at = { layer: 0, sample: 0, head: 0, row: -1 };
  /** @type {() => void} */
  let redraw = () => {};
  const turn = turner(at, () => redraw());
  let letters = 5; // for which a cell has room from the start, so that nothing shifts when numbers come
  if (all.length > 0) {
    const { tokens, q } = all[0];
    const depth = byName.get(q)?.shape.at(-1) ?? 1;
    letters = depth < 4 && tokens < 4 ? 6 : 5;
    const wide = (/** @type {number} */ cols) => cellFor(tokens, cols, letters).cell * cols;
    element.style.setProperty("--wide", String(Math.max(46, 3 * Math.max(11.2, wide(depth)) + Math.max(11.2, wide(tokens)) + 5)));
    element.style.setProperty("--high", String(17 + 2 * cellFor(tokens, tokens, 5).high * tokens + 2 * tokens));
  }

  return {
    element,
    needs: all.flatMap((it) => [it.q, it.k, it.v, it.scores, it.shown, it.weights, it.used, it.mixed]),
    draw(state, nodes) {
      redraw = () => show(state, nodes);
      const now = all.findIndex((it) => [it.q, it.k, it.v, it.scores, it.shown, it.weights, it.used, it.mixed].includes(state.frame?.node ?? ""));
      if (now >= 0) at.layer = now;
      show(state, nodes);
    },
  };

  /** @param {State} state @param {Nodes} nodes */
  function show(state, nodes) {
    const it = all[at.layer];
    if (!it) return;
    if (at.row < 0 || at.row >= it.tokens) at.row = it.tokens - 1;
    at.sample = Math.min(at.sample, it.samples - 1);
    at.head = Math.min(at.head, it.heads - 1);
    const lead = it.heads > 1 ? [at.sample, at.head] : [at.sample];
    const restore = hold(element);
    const cells = rowOf(it, nodes, lead, at.row);
    fill(
      element,
      h("div", { class: "maps-controls" }, turn("layer", "attention", all.length), turn("sample", "sample", it.samples), turn("head", "head", it.heads)),
      h(
        "div",
        { class: "att-maps" },
        map(it.q, "looks for", nodes, lead, state),
        map(it.k, "offers", nodes, lead, state),
        map(it.v, "gives", nodes, lead, state),
        map(it.weights, "attention", nodes, lead, state, it),
      ),
      table(it, cells, nodes),
    );
    restore();
  }

  /** One matrix, its values and below them its gradient; of the attention matrix a row can be chosen. @param {string} name @param {string} does @param {Nodes} nodes @param {number[]} lead @param {State} state @param {Attention} [chosen] */
  function map(name, does, nodes, lead, state, chosen) {
    const node = byName.get(name);
    /** @param {"value" | "grad"} role */
    const part = (role) => {
      const array = nodes[name]?.[role];
      const plane = planeOf(array, lead);
      const [rows, cols] = /** @type {[number, number]} */ (plane ? [plane.length, plane[0].length] : (node?.shape.slice(-2) ?? [1, 1]));
      const limit = array ? reach(array) : 0;
      const longest = Math.max(letters, ...(plane ?? []).flat().map((v) => short(v, limit).length));
      const image = mapImage(plane, { like: [rows, cols], limit, ...cellFor(rows, cols, longest) });
      const frame = h("div", { class: `lens-map role-${role}` }, image);
      if (chosen && plane) frame.append(h("div", { class: "lens-grid" }, h("div", { class: "att-row", "aria-hidden": "true", style: { top: `${(100 * at.row) / rows}%`, height: `${100 / rows}%` } })));
      if (chosen) pick(frame, rows);
      return h("div", { class: "att-part" }, frame, scaleLegend(limit, role, role === "grad" ? `∂${node?.label ?? ""}` : ""));
    };
    return h(
      "figure",
      { class: `lens-figure att-figure${state.frame?.node === name ? " is-centre" : ""}${chosen ? " is-matrix" : ""}` },
      h("figcaption", {}, h("button", { type: "button", class: "att-name", on: { click: () => actions.select(name) } }, h("strong", {}, node?.label ?? name), ` ${does}`)),
      part("value"),
      part("grad"),
    );
  }

  /** @param {HTMLElement} frame @param {number} rows */
  function pick(frame, rows) {
    const go = (/** @type {PointerEvent} */ event) => {
      const box = frame.getBoundingClientRect();
      const row = Math.max(0, Math.min(rows - 1, Math.floor(((event.clientY - box.top) / box.height) * rows)));
      if (row === at.row) return;
      at.row = row;
      redraw();
    };
    frame.addEventListener("pointerdown", go);
    frame.addEventListener("pointermove", (event) => event.buttons > 0 && go(event));
  }

  /** @param {Attention} it @param {Cell[]} cells @param {Nodes} nodes */
  function table(it, cells, nodes) {
    // what is 0 but for the last bits of the other rows counts as 0
    const whole = (/** @type {string} */ name) => (nodes[name]?.grad ? reach(nodes[name].grad) : 0);
    const limits = /** @type {Record<string, number>} */ ({ dShare: whole(it.weights), dScore: whole(it.shown), toValue: whole(it.v), toKey: whole(it.k) });
    const negligible = (/** @type {string} */ key, /** @type {number} */ x) => Math.abs(x) < 1e-12 * (limits[key] ?? 0);
    const most = (/** @type {string} */ key) => Math.max(...cells.map((c) => Math.abs(Number(c[/** @type {keyof Cell} */ (key)]) || 0)).filter((x) => Number.isFinite(x) && !negligible(key, x)), 0);
    const rows = h(
      "div",
      { class: "att-choose", role: "radiogroup", "aria-label": "Row of the attention matrix" },
      Array.from({ length: it.tokens }, (_, i) =>
        h("button", {
          type: "button",
          role: "radio",
          class: "att-token",
          "aria-checked": i === at.row,
          tabindex: i === at.row ? 0 : -1,
          dataset: { hold: i === at.row ? "row" : null },
          on: { click: () => choose(i), keydown: (/** @type {KeyboardEvent} */ event) => step(event, it.tokens) },
        }, `token ${i + 1}`),
      ),
      h("span", { class: "att-hint" }, `whose row? Choose, or click a row of ${byName.get(it.weights)?.label ?? "the matrix"}`),
    );
    return h(
      "div",
      { class: "att-table" },
      rows,
      h("p", { class: "pic-caption" }, story(cells, most("toValue"))),
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "from"), COLUMNS.map(({ name, says, role }) => h("th", { scope: "col", class: `role-${role}` }, name, h("small", {}, says))))),
        h(
          "tbody",
          {},
          cells.map((cell, j) =>
            h("tr", {}, h("th", { scope: "row" }, `token ${j + 1}`), COLUMNS.map(({ key, role }) => {
              const value = cell[/** @type {keyof Cell} */ (key)];
              const width = value !== null && Number.isFinite(value) && most(key) > 0 && !negligible(key, value) ? Math.abs(value) / most(key) : 0;
              return h("td", { class: `role-${role}` }, h("span", { class: "att-bar", style: { "--share": width } }), h("span", { class: "att-number" }, value === null ? "?" : value !== 0 && negligible(key, value) ? "≈0" : number(value)));
            })),
          ),
        ),
      ),
    );
  }

  /** @param {number} row */
  function choose(row) {
    at.row = row;
    redraw();
    /** @type {HTMLElement | null} */ (element.querySelector('[data-hold="row"]'))?.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event @param {number} tokens */
  function step(event, tokens) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    choose((at.row + by + tokens) % tokens);
  }

  /** @param {Cell[]} cells @param {number} error  the largest part of it that reaches a value */
  function story(cells, error) {
    const name = `Token ${at.row + 1}`;
    if (cells[0].share === null) return `${name} looks at the others; its shares are not computed yet.`;
    const best = cells.map((c, j) => ({ j, share: Number(c.share) })).sort((a, b) => b.share - a.share)[0];
    const masked = cells.some((c) => c.score === -Infinity) ? " Those after it are masked: their score is −∞." : "";
    const takes = `${name} takes most, ${percent(best.share)}, from token ${best.j + 1}.${masked}`;
    if (cells[0].dShare === null) return takes;
    if (error === 0) return `${takes} No error came back to this row.`;
    if (cells[0].dScore === null) return `${takes} Its error goes back to the values in the same shares.`;
    return `${takes} Its error goes to the values in the same shares; the scores' gradients add up to ${number(round(cells.reduce((sum, c) => sum + Number(c.dScore), 0)))}.`;
  }
}

/** A sum of rounded floats that is 0 but for the last digits is 0. @param {number} sum */
const round = (sum) => (Math.abs(sum) < 1e-12 ? 0 : sum);
