// The graph tab: nodes as cards with a value and a gradient chip, closed scopes as boxes, open ones as frames, edges with
// two lanes. It draws what it is told and remembers nothing but what is already drawn; of a large graph only what is in
// view stands in the document, and a step touches only what it changes.

import { sign, toNumber } from "../format.js";
import { arrowhead, lane, path, shorten, smooth, widthOf } from "../geometry.js";
import { h, svg } from "../h.js";
import { branches, readScopes } from "../scopes.js";
import { draggable } from "./drag.js";
import { withEntry } from "./edits.js";
import { arrayOf, card, describe, drawNorm, drawSlot } from "./graph_cards.js";
import { focusOf, schedule } from "./graph_steps.js";
import { largest, only } from "./heat.js";
import { createBox, createFrame, outlet } from "./scope_box.js";

/** @import {Actions, ArrayData, Contribution, Frame, Graph, GraphEdge, Nodes, Scope, State} from "../types.js" */
/** @import {DrawnNode} from "./graph_cards.js" */
/** @import {Box, Point} from "../geometry.js" */
/** @import {Item, Wire} from "../scopes.js" */

const FORWARD_LANE = -5;
const BACKWARD_LANE = 6;
const ALL = 60; // boxes up to which all stand in the document
const BEYOND = 0.4; // of the view's size: drawn around it as well

/**
 * @typedef {object} DrawnEdge
 * @property {Wire} wire
 * @property {Point[]} forward @property {Point[]} backward  lanes, each in the direction of travel
 * @property {Point[]} shown  the piece of the backward lane that is drawn
 * @property {SVGGElement} group @property {SVGPathElement} forwardLine @property {SVGPathElement} backwardLine @property {SVGPathElement} backwardHead
 * @property {string} state  what is drawn
 */

/** @param {Graph} graph @param {Actions} actions */
export function createGraph(graph, actions) {
  const scopes = readScopes(graph);
  const virtual = scopes.items.size > ALL;
  const edges = svg("svg", { class: "edges", width: virtual ? 1 : graph.width, height: virtual ? 1 : graph.height, "aria-hidden": "true" });
  const nodes = h("div", { class: "nodes", role: "group", "aria-label": "Graph" });
  const frames = h("div", { class: "frames" });
  /** @type {Map<Scope, HTMLElement>} */
  const drawnFrames = new Map();
  const fault = h("span", { class: "fault-says", hidden: true });
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  /** In the document. @type {Map<string, DrawnNode>} */
  const drawnNodes = new Map();
  /** @type {Map<Wire, DrawnEdge>} */
  const drawnEdges = new Map();
  const pieces = branches(scopes.wires);
  /** @type {Map<Wire, {forward: Point[], backward: Point[]}>} */
  const lanes = new Map();
  /** @type {Map<string, Wire>} by "from to slot" of an edge */
  const wireOf = new Map(scopes.wires.flatMap((wire) => wire.edges.map((e) => [`${e.from} ${e.to} ${e.slot}`, wire])));
  /** @type {Map<string, GraphEdge[]>} */
  const into = new Map();
  for (const edge of graph.edges) into.set(edge.to, [...(into.get(edge.to) ?? []), edge]);
  /** @type {Map<string, string[]>} */
  const consumers = new Map(graph.nodes.map((n) => [n.name, []]));
  for (const { from, to } of graph.edges) consumers.get(from)?.push(to);
  const order = new Map([...scopes.items.keys()].map((id, i) => [id, i]));
  if (!virtual) {
    for (const wire of scopes.wires) mountEdge(wire);
    for (const item of scopes.items.values()) mountNode(item);
    for (const scope of scopes.frames) mountFrame(scope);
  }

  /** @param {Scope} scope */
  function mountFrame(scope) {
    const element = createFrame(scope, actions);
    const inner = scopes.frames.find((other) => drawnFrames.has(other) && other.name.startsWith(scope.name)); // lies over it
    frames.insertBefore(element, (inner && drawnFrames.get(inner)) ?? null);
    drawnFrames.set(scope, element);
  }

  /** The two lanes of a wire, worked out when first needed. @param {Wire} wire */
  function lanesOf(wire) {
    const known = lanes.get(wire);
    if (known) return known;
    const middle = smooth(wire.points);
    const made = { forward: shorten(lane(middle, FORWARD_LANE), 2), backward: shorten(lane(middle, BACKWARD_LANE).reverse(), 2) };
    lanes.set(wire, made);
    return made;
  }

  /** @param {Wire} wire @returns {DrawnEdge} */
  function mountEdge(wire) {
    const { forward, backward } = lanesOf(wire);
    const piece = pieces.get(wire) ?? wire.points;
    const whole = piece === wire.points;
    const middle = whole ? [] : smooth(piece);
    const ahead = whole ? forward : shorten(lane(middle, FORWARD_LANE), 2);
    const shown = whole ? backward : shorten(lane(middle, BACKWARD_LANE).reverse(), 2);
    const forwardLine = svg("path", { class: "lane lane-forward", d: path(shorten(ahead, 7)) });
    const backwardLine = svg("path", { class: "lane lane-backward" });
    const backwardHead = svg("path", { class: "head head-backward" });
    const group = svg(
      "g",
      { class: "edge", dataset: { from: wire.from, to: wire.to, slot: wire.edges[0].slot } },
      backwardLine,
      backwardHead,
      forwardLine,
      svg("path", { class: "head head-forward", d: arrowhead(ahead, 9) }),
    );
    edges.append(group);
    const drawn = { wire, forward, backward, shown, group, forwardLine, backwardLine, backwardHead, state: "" };
    drawnEdges.set(wire, drawn);
    return drawn;
  }

  /** @param {Item} item @returns {DrawnNode} */
  function mountNode(item) {
    const { scope } = item;
    const { last, places } = outlet(scope?.outputs.flatMap((name) => byName.get(name) ?? []) ?? []);
    const node = item.node ?? last ?? item.members[0];
    const value = h("span", { class: "slot role-value" });
    const grad = node.requires_grad ? h("span", { class: "slot role-grad" }) : null;
    const norm = scope?.parameters.length ? h("span", { class: "box-norm" }) : null;
    const element = scope ? createBox(item, scope, [value, grad], norm, actions) : card(node, value, grad, actions);
    const place = order.get(item.id) ?? 0;
    const after = virtual ? [...drawnNodes.values()].find((other) => (order.get(other.item.id) ?? 0) > place) : undefined;
    /** @type {DrawnNode} */
    const drawn = { item, node, places, element, value, grad, norm, drawn: new Map() };
    element.setAttribute("aria-label", describe(drawn, {}));
    nodes.insertBefore(element, after?.element ?? null);
    drawnNodes.set(item.id, drawn);
    if (item.node?.editable && node.shape.every((n) => n === 1)) {
      const stands = () => /** @type {ArrayData | null | undefined} */ (drawn.drawn.get("value")) ?? null;
      draggable(
        value,
        () => { const array = stands(); return array && toNumber(only(array) ?? NaN); },
        (x) => actions.setValue(node.name, withEntry(stands()?.data, node.shape.map(() => 0), x)),
      );
    }
    return drawn;
  }

  /** The last moment drawn, for what comes into view later. @type {{state: State, shown: Nodes} | null} */
  let last = null;

  return {
    edges,
    nodes,
    frames,
    scopes,
    /** A node's card, or the closed scope that it is in, if it stands in the document. @param {string} name */
    elementOf: (name) => drawnNodes.get(scopes.standing(name))?.element ?? null,
    /** @param {string} name */
    nodeOf: (name) => byName.get(name) ?? null,
    /** Where a node is on the stage: its card, or its closed scope's box. @param {string} name */
    itemOf: (name) => scopes.items.get(scopes.standing(name)) ?? null,
    /** @param {string} from @param {string} to @param {number} slot */
    edgeOf(from, to, slot) {
      const wire = wireOf.get(`${from} ${to} ${slot}`);
      return wire ? { edge: { from, to, slot }, ...lanesOf(wire) } : null;
    },

    /** The edges that run into a node and can be seen. @param {string} to */
    edgesInto(to) {
      return (into.get(to) ?? []).flatMap((edge) => this.edgeOf(edge.from, edge.to, edge.slot) ?? []);
    },

    /** Puts into the document what is in view, and takes away what is not. @param {Box} view */
    see(view) {
      if (!virtual) return;
      const [wide, high] = [view.width * BEYOND, view.height * BEYOND];
      const near = { x: view.x - wide, y: view.y - high, width: view.width + 2 * wide, height: view.height + 2 * high };
      let came = false;
      for (const [id, item] of scopes.items) {
        const drawn = drawnNodes.get(id);
        const wanted = touches(near, item);
        if (wanted && !drawn) {
          mountNode(item);
          came = true;
        } else if (!wanted && drawn && drawn.element !== document.activeElement) {
          drawn.element.remove();
          drawnNodes.delete(id);
        }
      }
      for (const wire of scopes.wires) {
        const drawn = drawnEdges.get(wire);
        const wanted = crosses(near, pieces.get(wire) ?? wire.points);
        if (wanted && !drawn) {
          mountEdge(wire);
          came = true;
        } else if (!wanted && drawn) {
          drawn.group.remove();
          drawnEdges.delete(wire);
        }
      }
      for (const scope of scopes.frames) {
        const drawn = drawnFrames.get(scope);
        const wanted = scope.place !== null && touches(near, scope.place);
        if (wanted && !drawn) mountFrame(scope);
        else if (!wanted && drawn && !drawn.contains(document.activeElement)) {
          drawn.remove();
          drawnFrames.delete(scope);
        }
      }
      if (came && last) this.draw(last.state, last.shown);
    },

    /**
     * Draws a moment. `nodes` may be those before the step, while its packets still travel.
     * @param {State} state @param {Nodes} shown
     */
    draw(state, shown) {
      last = { state, shown };
      const { plan, position, frame, next, selected, hover } = state;
      const { forward, backward, zero, data } = schedule(plan);
      const focus = focusOf(frame, graph);
      const centre = focus.centre && scopes.standing(focus.centre);
      const near = new Set([...focus.near].map(scopes.standing));
      const upcoming = next?.node ? scopes.standing(next.node) : null;
      const failed = frame?.error && frame.node ? scopes.standing(frame.node) : null;
      const hovered = typeof hover === "string" ? hover : (hover?.node ?? null);
      const step = position.step;
      const tangents = Boolean(state.session.spec.forward_mode); // what stands where gradients stand
      const moving = Boolean(shown[state.session.spec.forward_mode?.node]?.state?.tangent);
      for (const drawn of drawnNodes.values()) {
        const { item, node, element } = drawn;
        const computed = forward.get(node.name);
        const old = computed === undefined ? step <= data && ["input", "target"].includes(node.kind) : step <= computed;
        const inner = node.kind === "op";
        const oldGrad = inner && step > zero && ![node.name, ...(consumers.get(node.name) ?? [])].some((name) => (backward.get(name) ?? Infinity) < step);
        drawSlot(drawn, "value", arrayOf(drawn, "value", shown), old);
        if (tangents) drawSlot(drawn, "grad", shown[node.name]?.state?.tangent ?? (moving && !inner ? NO_CHANGE : null), old && inner, "d");
        else drawSlot(drawn, "grad", arrayOf(drawn, "grad", shown), oldGrad);
        drawNorm(drawn, shown);
        element.classList.toggle("is-centre", item.id === centre);
        element.classList.toggle("is-far", near.size > 0 && !near.has(item.id));
        element.classList.toggle("is-next", item.id === upcoming);
        element.classList.toggle("is-fault", item.id === failed);
        element.classList.toggle("is-selected", item.node !== null && node.name === selected);
        element.classList.toggle("is-lit", item.node !== null && node.name === hovered);
        if (typeof hover === "object" && hover?.node === node.name) element.dataset.lit = hover.slot;
        else if (element.dataset.lit) delete element.dataset.lit;
        if (drawn.drawn.get("said") !== shown[node.name]) element.setAttribute("aria-label", describe(drawn, shown));
        drawn.drawn.set("said", shown[node.name]);
      }
      for (const drawn of drawnEdges.values()) drawEdgeState(drawn, state, near);
      drawFault(frame, failed);
    },
  };

  /** Where an error ends the walk. @param {Frame | null} frame @param {string | null} failed  the box */
  function drawFault(frame, failed) {
    const item = scopes.items.get(failed ?? "");
    fault.hidden = !item;
    if (!item || !frame?.error) return;
    fault.textContent = `✕ The walk stops here: ${frame.error.type}`;
    nodes.append(fault);
    fault.style.left = `${Math.max(item.x + item.width / 2, item.x + fault.offsetWidth / 2 - 8)}px`; // never left of its box
    fault.style.top = `${item.y + item.height}px`;
  }

  /** @param {DrawnEdge} drawn @param {State} state @param {Set<string>} near  boxes */
  function drawEdgeState(drawn, state, near) {
    const { wire, group, shown, backwardLine, backwardHead } = drawn;
    const { plan, position, frame } = state;
    const { forward, backward, zero } = schedule(plan);
    const kept = position.iteration > 0 && position.step <= zero;
    const iteration = kept ? position.iteration - 1 : position.iteration;
    let [went, back, live, width, negative] = [false, false, false, 0, false];
    const running = frame?.node && ["forward", "loss", "backward"].includes(frame.phase) ? frame.node : null;
    for (const edge of wire.edges) {
      went ||= kept || position.step > (forward.get(edge.to) ?? Infinity);
      live ||= edge.to === running;
      const index = backward.get(edge.to) ?? Infinity;
      if (index === Infinity || !(kept || position.step > index) || !byName.get(edge.from)?.requires_grad) continue;
      const passed = actions.frame(iteration, index);
      const part = contribution(passed, edge); // not known before its frame is here: then a plain trace
      back ||= part !== null || !passed;
      width = Math.max(width, widthOf(part ? largest(part.value) : 0));
      const one = part && only(part.value);
      negative = wire.edges.length === 1 && one !== null && sign(one) === "negative";
    }
    const far = near.size > 0 && !live && !(near.has(wire.from) && near.has(wire.to));
    const liveBack = live && frame?.phase === "backward";
    const now = `${went} ${back} ${live} ${liveBack} ${far} ${width} ${negative}`;
    if (now === drawn.state) return;
    drawn.state = now;
    const classes = { "is-forward": went, "is-backward": back, "is-live": live, "is-live-back": liveBack, "is-far": far, "is-negative": negative };
    for (const [name, on] of Object.entries(classes)) group.classList.toggle(name, Boolean(on));
    if (!back) return;
    const size = Math.max(10, width * 2.1);
    backwardLine.setAttribute("d", path(shorten(shown, size * 0.8)));
    backwardLine.style.setProperty("--width", `${width}`);
    backwardHead.setAttribute("d", arrowhead(shown, size));
  }
}

/** The tangent of a leaf that is not the one that moves. @type {ArrayData} */
const NO_CHANGE = { shape: [], dtype: "float64", data: 0, min: 0, max: 0, mean: 0, norm: 0, nonfinite: 0 };

/** @param {Box} a @param {Box} b */
const touches = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Does a polyline come near a box? @param {Box} box @param {Point[]} points */
function crosses(box, points) {
  for (let i = 1; i < points.length; i++) {
    const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
    if (touches(box, { x: Math.min(x0, x1), y: Math.min(y0, y1), width: Math.abs(x1 - x0) + 1, height: Math.abs(y1 - y0) + 1 })) return true;
  }
  return false;
}

/** @param {Frame | null} frame @param {GraphEdge} edge @returns {Contribution | null} */
function contribution(frame, edge) {
  return frame?.contributions.find((c) => c.from === edge.to && c.to === edge.from && c.slot === edge.slot) ?? null;
}
/** @typedef {ReturnType<typeof createGraph>} GraphView */
