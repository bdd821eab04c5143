/**
 * The step in words, symbols, numbers and result, always in the same place: upstream × local =
 * contribution, every number a link to the step that made it. A selected node takes the place of
 * the step until it is let go.
 */

import * as api from "../api.js";
import { fill, h, math } from "../h.js";
import { number } from "../format.js";
import { linkedMath, worked } from "../mathml.js";
import { noteOf } from "../notes.js";
import { arrayView } from "./array_view.js";
import { codeBlock } from "./code_line.js";
import { curveView } from "./curve.js";

/** @import {Store} from "../store.js" */
/** @import {State, Actions, Frame, Line, Ref, Graph, ArrayData, Lesson} from "../types.js" */

/** @type {Record<string, string>} */
const PHASES = {
  data: "data", zero_grad: "zero grad", forward: "forward", loss: "loss",
  backward: "backward", clip: "clip", update: "update",
};
/** @type {Record<string, string>} */
const ROLES = { forward: "value", contribution: "grad", sum: "grad", norm: "grad", update: "update", state: "update" };
const SMALLEST = 0.7;

/** Which hue a line of the inspector bears. @param {string} kind */
export const roleOf = (kind) => /** @type {"value" | "grad" | "update"} */ (ROLES[kind] ?? "value");

/**
 * The arrays that a step wrote and a reader may open: contributions first, else what was written.
 * A single number is already in the lines.
 * @param {Frame} frame
 * @returns {{node: string, from: string | null, operand: number | null, slot: string, array: ArrayData}[]}
 */
export function arraysOf(frame) {
  const open = (/** @type {ArrayData | null} */ array) => array?.shape.some((n) => n !== 1);
  const contributions = frame.contributions.filter((c) => open(c.value)).map((c) => (
    { node: c.to, from: c.from, operand: c.slot, slot: "grad", array: c.value }));
  if (contributions.length) return contributions;
  return frame.writes.filter((w) => open(w.value)).map((w) => (
    { node: w.node, from: null, operand: null, slot: w.slot, array: /** @type {ArrayData} */ (w.value) }));
}

/** A formula's type shrinks a little before it scrolls. @param {number} needed @param {number} room */
export const fitted = (needed, room) => (needed > room ? Math.max(SMALLEST, room / needed) : 1);

/** @param {HTMLElement} element @param {Store<State>} store @param {Actions} actions */
export function mount(element, store, actions) {
  const body = h("div", { class: "inspector-body" });
  const code = codeBlock();
  const check = h("button", {
    type: "button", class: "tool check-run", title: "Is the gradient right?", "aria-label": "Check the gradients",
    on: { click: async () => (await import("./gradient_check.js")).checkGradients(store, actions) },
  }, "Check ∂");
  element.classList.add("inspector");
  element.append(body, h("div", { class: "inspector-foot" }, code.tabs, check, code.line));

  /** @type {ReturnType<typeof import("./inspector_node.js").nodeView> | null} */
  let node = null;
  /** @type {Lesson | null} */
  let lesson = null;

  const ways = {
    open: (/** @type {Ref} */ ref) => actions.goto(store.get().position.iteration, Number(ref.index)),
    light: (/** @type {Ref | null} */ ref) => actions.hover(ref && { node: ref.node, slot: ref.slot }),
    describe: (/** @type {Ref} */ ref) => {
      const of = store.get().graph.nodes.find((n) => n.name === ref.node)?.label ?? ref.node;
      const step = ref.index === null ? "" : `, from step ${ref.index + 1}`;
      return `${number(/** @type {any} */ (ref.value))}: ${ref.slot === "grad" ? "gradient" : "value"} of ${of}${step}`;
    },
  };

  function redraw() {
    const state = store.get();
    const held = body.contains(document.activeElement);
    code.show(state.frame?.code ?? null);
    if (state.selected) {
      if (node?.name === state.selected) {
        node.update();
        return;
      }
      showNode(state.selected);
    } else {
      node = null;
      delete body.dataset.tight;
      write(state);
      tighten();
    }
    if (held) /** @type {HTMLElement | null} */ (body.querySelector("h2"))?.focus({ preventScroll: true });
  }

  /** @param {State} state */
  function write(state) {
    fill(body, state.frame ? stepView(state.frame, state, ways, lesson, "tight" in body.dataset) : restView(state, lesson));
    body.scrollTop = 0;
    fit(body);
  }

  /** What does not fit is set closer, and contributions take turns. */
  function tighten() {
    const state = store.get();
    if (state.selected || "tight" in body.dataset || body.scrollHeight <= body.clientHeight) return;
    body.dataset.tight = "";
    write(state);
  }

  /** The view of a node is fetched when the first one is chosen. @param {string} name */
  async function showNode(name) {
    const { nodeView } = await import("./inspector_node.js");
    if (store.get().selected !== name || node?.name === name) return;
    node = nodeView(name, store, actions);
    fill(body, node.element);
    body.scrollTop = 0;
  }

  store.watch((s) => [s.frame, s.selected, s.graph, s.plan], redraw);
  store.watch((s) => [s.nodes, s.effect, s.editing], () => node?.update());
  store.watch((s) => s.projection, () => fit(body));
  new ResizeObserver(() => {
    fit(body);
    tighten();
  }).observe(body);
  redraw();
  const { lesson: id } = store.get().session;
  if (id) {
    api.lesson(id).then((found) => {
      lesson = found;
      redraw();
    }).catch(() => {}); // the walk is whole without the lesson's words
  }
}

/** Before the first step: the lesson's question, or what an iteration is. @param {State} state @param {Lesson | null} lesson */
function restView(state, lesson) {
  const next = state.next ?? state.plan[0];
  return h("div", { class: "step" },
    h("header", { class: "step-head" },
      h("span", { class: "phase", dataset: { phase: next?.phase ?? "data" } }, "next"),
      h("h2", { tabindex: "-1" }, next?.label ?? "")),
    lesson
      ? [h("p", { class: "question" }, lesson.question), lesson.summary && h("p", { class: "says" }, lesson.summary)]
      : h("p", { class: "says" }, `Iteration ${state.position.iteration} is a list of ${state.plan.length} lines. Each step runs one of them, and each can be taken back.`),
    h("p", { class: "says aside" }, h("kbd", null, "→"), " runs the next line, ", h("kbd", null, "←"), " undoes it. ",
      "Choose a node of the graph to change its number."),
    lesson && [
      lesson.convention && h("p", { class: "says aside" }, lesson.convention), linksView(lesson),
      lesson.source && h("p", { class: "says aside" }, `Source: ${lesson.source}.`)]);
}

/** @param {Frame} frame @param {State} state @param {Parameters<typeof linkedMath>[2]} ways @param {Lesson | null} lesson @param {boolean} tight */
function stepView(frame, state, ways, lesson, tight) {
  const entry = state.plan[frame.index];
  const note = noteOf(state.session, frame);
  return h("div", { class: "step", dataset: { phase: frame.phase } },
    h("header", { class: "step-head" },
      h("span", { class: "phase", dataset: { phase: frame.phase } }, PHASES[frame.phase] ?? frame.phase.replaceAll("_", " ")),
      h("h2", { tabindex: "-1", title: entry?.label }, entry?.label ?? ""),
      h("span", { class: "step-count" }, `${frame.index + 1} of ${frame.position.of}`)),
    h("p", { class: note ? "says note" : "says" }, note ?? frame.says),
    (frame.lines ?? []).some((line) => line.kind === "contribution") && h("p", { class: "chain" },
      h("span", null, "upstream"), " × ", h("span", null, "local"), " = contribution"),
    working(frame, state, ways, tight),
    lesson?.takeaway && frame.position.step === frame.position.of && [
      h("p", { class: "takeaway" }, h("b", null, "What stays "), lesson.takeaway), linksView(lesson, lesson.next)]);
}

/** Where a lesson goes on, first of all to the one after it on the shelf. @param {Lesson} lesson @param {Lesson["next"]} [next] */
function linksView({ links = [] }, next) {
  const all = next ? [{ says: `Next lesson: ${next.title}`, href: `/walk/${encodeURIComponent(next.id)}` }, ...links] : links;
  return all.length > 0 && h("ul", { class: "lesson-links" }, all.map(({ says, href }) => h("li", null, h("a", { href }, says))));
}

/**
 * The lines and heat maps of a step. Several contributions take turns in one place when they are
 * arrays, or when they do not fit together, so that nothing has to be scrolled.
 * @param {Frame} frame @param {State} state @param {Parameters<typeof linkedMath>[2]} ways @param {boolean} tight
 */
function working(frame, state, ways, tight) {
  const arrays = arraysOf(frame);
  const blocks = (frame.lines ?? []).map((line) => ({ line, ...lineBlock(line, frame, state.graph, ways) }));
  const figureOf = (/** @type {typeof arrays[number]} */ made) => {
    const block = blocks.find(({ line }) => line.to === made.node && line.slot === made.operand && line.kind === "contribution")
      ?? blocks.find(({ line }) => (line.to ?? frame.node) === made.node);
    return figure(made, frame, state, block?.rewrite ?? null);
  };
  const together = (/** @type {typeof blocks} */ shown) => h("div", { class: `lines ${shown.length > 1 ? "many" : ""}` }, shown.map((block) => block.element));
  const curve = frame.curve && !state.plan[frame.index]?.error && curveView(frame.curve); // a step that fails has no slope
  const turns = turnsOf(frame, arrays, tight);
  if (turns.length < 2) return [together(blocks), curve, arrays.map(figureOf)];

  const label = (/** @type {string} */ name) => state.graph.nodes.find((n) => n.name === name)?.label ?? name;
  /** Two ways into one node are counted. @param {typeof turns[number]} turn */
  const named = (turn) => {
    const same = turns.filter(({ node }) => node === turn.node);
    return `∂${label(turn.node)}${same.length > 1 ? ` (${same.indexOf(turn) + 1})` : ""}`;
  };
  const place = h("div", { class: "turn" });
  const tabs = turns.map((turn) => h("button", { type: "button", class: "code-tab", on: { click: () => show(turn) } }, turn.name ?? named(turn)));
  /** @param {typeof turns[number]} turn */
  function show(turn) {
    tabs.forEach((tab, i) => tab.setAttribute("aria-pressed", String(turns[i] === turn)));
    const own = blocks.filter(({ line }) => turn.line ? line === turn.line : line.to === turn.node && (line.slot === turn.operand || line.slot === null || line.kind === "sum"));
    fill(place, together(own), turn.array && figureOf(turn.array));
    fit(place);
  }
  const parameter = turns.find(({ line }) => line?.kind === "update") ?? turns.find(({ node }) => state.graph.nodes.find((n) => n.name === node)?.kind === "parameter");
  show(parameter ?? turns[0]);
  return [h("div", { class: "code-tabs", role: "group", "aria-label": frame.phase === "update" ? "Lines of the update" : "Contributions" }, tabs), place, curve];
}

/**
 * @typedef {object} Turn
 * @property {string} node @property {number | null} operand
 * @property {ReturnType<typeof arraysOf>[number] | null} array
 * @property {string} [name]  what its tab says, if not the gradient's name
 * @property {Line} [line]  the one line that it shows
 */

/**
 * Which parts of a step take turns: contributions that are arrays always, others when room is
 * scarce; so do the lines of an optimizer that remembers something.
 * @param {Frame} frame @param {ReturnType<typeof arraysOf>} arrays @param {boolean} tight @returns {Turn[]}
 */
function turnsOf(frame, arrays, tight) {
  const lines = frame.lines ?? [];
  if (frame.phase === "update" && tight) {
    const kept = arrays.filter(({ slot }) => slot !== "value");
    const states = lines.filter(({ kind }) => kind === "state");
    return lines.map((line) => ({
      node: line.to ?? frame.node ?? "", operand: line.slot, line,
      array: (line.kind === "update" ? arrays.find(({ slot }) => slot === "value") : kept[states.indexOf(line)]) ?? null,
      name: math(line.symbols).querySelector("mi")?.textContent ?? line.kind,
    }));
  }
  if (frame.phase !== "backward") return [];
  if (arrays.length > 1) return arrays.map((array) => ({ node: array.node, operand: array.operand, array }));
  if (!tight) return [];
  return lines.filter((line) => line.kind === "contribution" && line.to !== null).map((line) => (
    { node: /** @type {string} */ (line.to), operand: line.slot, array: arrays.find((made) => made.node === line.to && made.operand === line.slot) ?? null }));
}

/** @param {string} kind @param {Node} content */
const row = (kind, content) => h("div", { class: `row row-${kind}` }, content);

/** @param {Line} line @param {Graph} graph */
function heading(line, graph) {
  const target = graph.nodes.find((n) => n.name === line.to);
  const name = target ? (target.mathml ? math(target.mathml) : target.label) : line.to;
  if (line.kind === "sum") return ["paths meet in ", name, ": add up (+=)"];
  if (line.kind === "state") return ["the optimizer remembers"];
  if (line.kind === "norm" && line.symbols.includes("clipped")) return ["their length afterwards"];
  if (line.kind === "norm" && line.symbols.includes("max")) return ["one factor for all of them"];
  if (line.kind === "norm") return ["length of all gradients together"];
  return null;
}

/** @param {Line} line @param {Frame} frame @param {Graph} graph @param {Parameters<typeof linkedMath>[2]} ways */
function lineBlock(line, frame, graph, ways) {
  const title = heading(line, graph);
  const where = h("span", { class: "line-where" });
  const rows = h("div", { class: "rows" });
  /** @param {{symbols: string, numbers: string, result: string, refs?: object}} written @param {number[] | null} index */
  const write = (written, index) => {
    where.textContent = index?.length ? `entry [${index.join(", ")}]` : "";
    const refs = /** @type {Record<string, Ref>} */ (written.refs ?? frame.refs);
    const linked = (/** @type {string | null} */ markup) => (markup ? linkedMath(markup, refs, ways) : null);
    const { parts, results } = worked(linked(written.numbers), linked(written.result));
    fill(rows,
      row("symbols", linkedMath(written.symbols, refs, ways)),
      parts.map((part) => row("numbers", part)),
      results.map((part) => row("result", part)));
  };
  write(line, line.element);
  const element = h("div", { class: `line line-${line.kind} role-${roleOf(line.kind)}` },
    h("p", { class: "line-head" }, title && h("span", null, title), where), rows);
  return {
    element,
    rewrite: (/** @type {any} */ written, /** @type {number[]} */ index) => {
      write(written, index);
      fit(element);
    },
  };
}

/**
 * A heat map of what the step made; an element that is chosen is written out in its block.
 * @param {ReturnType<typeof arraysOf>[number]} made @param {Frame} frame @param {State} state
 * @param {((line: any, index: number[]) => void) | null} rewrite
 */
function figure({ node, operand, slot, array }, frame, state, rewrite) {
  const label = state.graph.nodes.find((n) => n.name === node)?.label ?? node;
  const { id } = state.session;
  const { iteration } = frame.position;
  const role = slot === "grad" ? "grad" : frame.phase === "update" ? "update" : "value";
  const title = slot === "grad" ? `∂${label}` : slot === "value" ? label : `${slot} of ${label}`;
  const written = rewrite && ["forward", "loss", "backward"].includes(frame.phase);
  let wanted = 0;
  const pick = async (/** @type {number[]} */ index) => {
    if (!written) return;
    const mine = (wanted += 1);
    const which = {
      iteration, step: frame.index, node, slot: /** @type {"value" | "grad"} */ (slot), operand: operand ?? undefined, index: index.join(","),
    };
    const line = await api.element(id, which).catch(() => null);
    if (line && mine === wanted) rewrite(line, index);
  };
  const show = (/** @type {ArrayData} */ whole) => arrayView(whole, {
    role, name: title, pick,
    load: async () => {
      const full = await api.node(id, node, { iteration, step: frame.index + 1 });
      view.replaceWith(show(slot === "grad" ? full.grad : full.value));
    },
  });
  const view = show(array);
  return h("figure", { class: "array-figure" }, h("figcaption", null, title), view);
}

/** Rows that are too wide for their place get smaller type; those that still are can be scrolled by keyboard, too. @param {HTMLElement} within */
function fit(within) {
  const rows = [.../** @type {NodeListOf<HTMLElement>} */ (within.querySelectorAll(".row"))];
  for (const row of rows) row.style.removeProperty("--fit");
  const scales = rows.map((row) => fitted(row.scrollWidth, row.clientWidth)); // all are measured before one is changed
  rows.forEach((row, i) => {
    if (scales[i] < 1) row.style.setProperty("--fit", String(scales[i]));
    if (scales[i] <= SMALLEST) row.tabIndex = 0;
    else row.removeAttribute("tabindex");
  });
}

