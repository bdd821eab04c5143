// The graph tab: nodes as cards with a value and a gradient chip, edges with two lanes. It draws what it is told and
// remembers nothing but what is already drawn.

import { number, shape, sign, signGlyph, toNumber } from "../format.js";
import { arrowhead, lane, path, shorten, smooth, widthOf } from "../geometry.js";
import { fill, h, svg } from "../h.js";
import { draggable } from "./drag.js";
import { withEntry } from "./edits.js";
import { heat, largest, only } from "./heat.js";

/** @import {Actions, ArrayData, Contribution, Frame, Graph, GraphEdge, GraphNode, Nodes, PlanEntry, State} from "../types.js" */
/** @import {Point} from "../geometry.js" */

const FORWARD_LANE = -5;
const BACKWARD_LANE = 6;
const KINDS = { parameter: "parameter", input: "input", target: "target", constant: "constant", noise: "noise", buffer: "buffer", op: "" };

/**
 * @typedef {object} DrawnEdge
 * @property {GraphEdge} edge
 * @property {Point[]} forward @property {Point[]} backward  lanes, each in the direction of travel
 * @property {SVGGElement} group @property {SVGPathElement} forwardLine @property {SVGPathElement} backwardLine @property {SVGPathElement} backwardHead
 */
/**
 * @typedef {object} DrawnNode
 * @property {GraphNode} node @property {HTMLButtonElement} element
 * @property {HTMLElement} value @property {HTMLElement | null} grad
 * @property {Map<string, unknown>} drawn  slot -> what is drawn there; "said" -> the state that its label tells
 */

/** @type {WeakMap<PlanEntry[], ReturnType<typeof readSchedule>>} */
const schedules = new WeakMap();

/** When each node is computed and differentiated, by plan index. @param {PlanEntry[]} plan */
export function schedule(plan) {
  const known = schedules.get(plan) ?? readSchedule(plan);
  schedules.set(plan, known);
  return known;
}

/** @param {PlanEntry[]} plan */
function readSchedule(plan) {
  /** @type {Map<string, number>} */
  const forward = new Map();
  /** @type {Map<string, number>} */
  const backward = new Map();
  let zero = -1;
  let data = -1;
  for (const { index, phase, node } of plan) {
    if (phase === "zero_grad") zero = index;
    else if (phase === "data") data = index;
    else if (node && (phase === "forward" || phase === "loss")) forward.set(node, index);
    else if (node && phase === "backward") backward.set(node, index);
  }
  return { forward, backward, zero, data };
}

/** The nodes that a step is about: its own, and what flows into it and out of it. @param {Frame | null} frame @param {Graph} graph */
export function focusOf(frame, graph) {
  /** @type {Set<string>} */
  const near = new Set();
  if (!frame) return { centre: null, near };
  const own = frame.node ? graph.nodes.find((n) => n.name === frame.node) : undefined;
  if (own) {
    near.add(own.name);
    if (frame.phase !== "update") own.inputs.forEach((name) => near.add(name));
    if (frame.phase === "backward") graph.edges.filter((e) => e.from === own.name).forEach((e) => near.add(e.to));
  } else if (frame.phase === "data") {
    frame.writes.forEach(({ node, value }) => value && near.add(node));
  }
  return { centre: own?.name ?? null, near };
}

/** @param {Graph} graph @param {Actions} actions */
export function createGraph(graph, actions) {
  const edges = svg("svg", { class: "edges", width: graph.width, height: graph.height, "aria-hidden": "true" });
  const nodes = h("div", { class: "nodes", role: "group", "aria-label": "Graph" });
  /** @type {Map<string, DrawnNode>} */
  const byName = new Map();
  const drawnEdges = graph.edges.map(drawEdge);
  /** @type {Map<string, string[]>} */
  const consumers = new Map(graph.nodes.map((n) => [n.name, []]));
  for (const { from, to } of graph.edges) consumers.get(from)?.push(to);
  for (const node of graph.nodes) byName.set(node.name, drawNode(node));

  /** @param {GraphEdge} edge @returns {DrawnEdge} */
  function drawEdge(edge) {
    const middle = smooth(edge.points);
    const forward = shorten(lane(middle, FORWARD_LANE), 2);
    const backward = shorten(lane(middle, BACKWARD_LANE).reverse(), 2);
    const forwardLine = svg("path", { class: "lane lane-forward", d: path(shorten(forward, 7)) });
    const backwardLine = svg("path", { class: "lane lane-backward" });
    const backwardHead = svg("path", { class: "head head-backward" });
    const group = svg(
      "g",
      { class: "edge", dataset: { from: edge.from, to: edge.to, slot: edge.slot } },
      backwardLine,
      backwardHead,
      forwardLine,
      svg("path", { class: "head head-forward", d: arrowhead(forward, 9) }),
    );
    edges.append(group);
    return { edge, forward, backward, group, forwardLine, backwardLine, backwardHead };
  }

  /** @param {GraphNode} node @returns {DrawnNode} */
  function drawNode(node) {
    const value = h("span", { class: "slot role-value" });
    const grad = node.requires_grad ? h("span", { class: "slot role-grad" }) : null;
    const isArray = node.shape.some((n) => n !== 1);
    const element = h(
      "button",
      {
        type: "button",
        class: "node",
        dataset: { node: node.name, kind: node.kind, form: isArray ? "array" : "number" },
        style: { left: `${node.x}px`, top: `${node.y}px`, width: `${node.width}px`, height: `${node.height}px` },
        title: isArray ? null : node.summary,
      },
      h(
        "span",
        { class: "node-head" },
        node.symbol && h("span", { class: "node-symbol", dataset: { long: [...node.symbol].length > 2 ? "" : null } }, node.symbol),
        h("span", { class: "node-label" }, node.label),
        h("span", { class: "node-kind" }, isArray ? shape(node.shape) : KINDS[node.kind]),
      ),
      h("span", { class: "node-slots" }, value, grad),
    );
    element.addEventListener("click", () => {
      actions.select(node.name);
      if (node.editable) actions.edit(node.name);
    });
    element.addEventListener("pointerenter", () => actions.hover(node.name));
    element.addEventListener("pointerleave", () => actions.hover(null));
    element.setAttribute("aria-label", describe({ node }, {}));
    nodes.append(element);
    /** @type {DrawnNode} */
    const drawn = { node, element, value, grad, drawn: new Map() };
    if (node.editable && !isArray) {
      const stands = () => /** @type {ArrayData | null | undefined} */ (drawn.drawn.get("value")) ?? null;
      draggable(
        value,
        () => { const array = stands(); return array && toNumber(only(array) ?? NaN); },
        (x) => actions.setValue(node.name, withEntry(stands()?.data, node.shape.map(() => 0), x)),
      );
    }
    return drawn;
  }

  /**
   * @param {DrawnNode} drawn @param {"value" | "grad"} slot @param {ArrayData | null} array @param {boolean} old
   */
  function drawSlot(drawn, slot, array, old) {
    const element = drawn[slot];
    if (!element) return;
    element.classList.toggle("is-old", old && array !== null);
    if (drawn.drawn.get(slot) === array && drawn.drawn.has(slot)) return;
    drawn.drawn.set(slot, array);
    element.classList.toggle("is-empty", array === null);
    const mark = slot === "grad" ? h("span", { class: "chip-mark" }, "∂") : null;
    if (array === null) {
      fill(element, h("span", { class: "chip" }, mark, h("span", { class: "chip-number" }, "?")));
      return;
    }
    const one = only(array);
    if (one !== null) {
      fill(
        element,
        h(
          "span",
          { class: "chip", dataset: { sign: sign(one) } },
          mark,
          h("span", { class: "chip-number" }, number(one)),
          h("span", { class: "chip-sign" }, signGlyph(one)),
        ),
      );
      return;
    }
    const columns = drawn.grad ? 2 : 1;
    const room = { width: (drawn.node.width - 24) / columns - 8, height: drawn.node.height - 46 };
    const { element: picture } = heat(array, room);
    fill(element, h("span", { class: "heat-frame" }, picture));
  }

  /** @param {{node: GraphNode}} drawn @param {Nodes} state */
  function describe({ node }, state) {
    const here = state[node.name];
    /** @param {ArrayData | null | undefined} array @param {string} unknown */
    const say = (array, unknown) => {
      if (!array) return unknown;
      const one = only(array);
      return one === null ? `${shape(array.shape)}, from ${number(array.min)} to ${number(array.max)}` : number(one);
    };
    return (
      `${node.label}, ${node.kind === "op" ? node.op : node.kind}. Value ${say(here?.value, "not computed yet")}.` +
      (node.requires_grad ? ` Gradient ${say(here?.grad, "not known yet")}.` : "") +
      (node.editable ? " Press to change it." : "")
    );
  }

  return {
    edges,
    nodes,
    /** @param {string} name */
    elementOf: (name) => byName.get(name)?.element ?? null,
    /** @param {string} name */
    nodeOf: (name) => byName.get(name)?.node ?? null,
    /** @param {string} from @param {string} to @param {number} slot */
    edgeOf: (from, to, slot) =>
      drawnEdges.find(({ edge }) => edge.from === from && edge.to === to && edge.slot === slot) ?? null,

    /** The edges that run into a node. @param {string} to */
    edgesInto: (to) => drawnEdges.filter(({ edge }) => edge.to === to),

    /**
     * Draws a moment. `nodes` may be those before the step, while its packets still travel.
     * @param {State} state @param {Nodes} shown
     */
    draw(state, shown) {
      const { plan, position, frame, next, selected, hover } = state;
      const { forward, backward, zero, data } = schedule(plan);
      const { centre, near } = focusOf(frame, graph);
      const hovered = typeof hover === "string" ? hover : (hover?.node ?? null);
      for (const drawn of byName.values()) {
        const { node, element } = drawn;
        const step = position.step;
        const computed = forward.get(node.name);
        const old = computed === undefined ? step <= data && ["input", "target"].includes(node.kind) : step <= computed;
        const inner = node.kind === "op";
        const oldGrad = inner && step > zero && ![node.name, ...(consumers.get(node.name) ?? [])].some((name) => (backward.get(name) ?? Infinity) < step);
        drawSlot(drawn, "value", shown[node.name]?.value ?? null, old);
        drawSlot(drawn, "grad", shown[node.name]?.grad ?? null, oldGrad);
        element.classList.toggle("is-centre", node.name === centre);
        element.classList.toggle("is-far", near.size > 0 && !near.has(node.name));
        element.classList.toggle("is-next", next?.node === node.name);
        element.classList.toggle("is-selected", node.name === selected);
        element.classList.toggle("is-lit", node.name === hovered);
        if (typeof hover === "object" && hover?.node === node.name) element.dataset.lit = hover.slot;
        else delete element.dataset.lit;
        if (drawn.drawn.get("said") !== shown[node.name]) element.setAttribute("aria-label", describe(drawn, shown));
        drawn.drawn.set("said", shown[node.name]);
      }
      for (const drawn of drawnEdges) this.drawEdgeState(drawn, state, near);
    },

    /** @param {DrawnEdge} drawn @param {State} state @param {Set<string>} near */
    drawEdgeState({ edge, group, backward: line, backwardLine, backwardHead }, state, near) {
      const { plan, position, frame } = state;
      const { forward, backward, zero } = schedule(plan);
      const kept = position.iteration > 0 && position.step <= zero;
      const iteration = kept ? position.iteration - 1 : position.iteration;
      const wentForward = kept || position.step > (forward.get(edge.to) ?? Infinity);
      const backIndex = backward.get(edge.to) ?? Infinity;
      const wentBack = (kept || position.step > backIndex) && backIndex < Infinity && (byName.get(edge.from)?.grad ?? null) !== null;
      const passed = actions.frame(iteration, backIndex);
      const back = wentBack ? contribution(passed, edge) : null; // not known before its frame is here: then a plain trace
      const live = frame?.node === edge.to && ["forward", "loss", "backward"].includes(frame.phase);
      group.classList.toggle("is-forward", wentForward);
      group.classList.toggle("is-backward", back !== null || (wentBack && !passed));
      group.classList.toggle("is-live", live);
      group.classList.toggle("is-live-back", live && frame?.phase === "backward");
      group.classList.toggle("is-far", near.size > 0 && !live && !(near.has(edge.from) && near.has(edge.to)));
      if (!wentBack) return;
      const width = widthOf(back ? largest(back.value) : 0);
      const size = Math.max(10, width * 2.1);
      const one = back && only(back.value);
      group.classList.toggle("is-negative", one !== null && sign(one) === "negative");
      backwardLine.setAttribute("d", path(shorten(line, size * 0.8)));
      backwardLine.style.setProperty("--width", `${width}`);
      backwardHead.setAttribute("d", arrowhead(line, size));
    },
  };
}

/** @param {Frame | null} frame @param {GraphEdge} edge @returns {Contribution | null} */
function contribution(frame, edge) {
  return frame?.contributions.find((c) => c.from === edge.to && c.to === edge.from && c.slot === edge.slot) ?? null;
}
/** @typedef {ReturnType<typeof createGraph>} GraphView */
