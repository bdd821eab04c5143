// Numbers on their way: a packet along every edge that a step uses, all leaving and landing together. The last picture
// of the motion is the still picture: packets docked before their targets, and the sum that each target has made.

import { number } from "../format.js";
import { length, pointAt } from "../geometry.js";
import { h } from "../h.js";
import { heat, only } from "./heat.js";

/** @import {ArrayData, Frame, Nodes, Num} from "../types.js" */
/** @import {Box, Point} from "../geometry.js" */
/** @import {GraphView} from "./graph.js" */

/** @typedef {{role: "value" | "grad", line: Point[], array: ArrayData, from: string, to: string}} Packet */
/** @typedef {{node: string, role: "grad" | "update", text: string}} Sum */

const LEFT = 10; // px that a sum may stand out to the left of its card: there the stage may end

/** Slow, fast, slow. @param {number} t */
export const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - (-2 * t + 2) ** 2 / 2);

/** What travels in a step. @param {Frame} frame @param {Nodes} before @param {GraphView} view @returns {Packet[]} */
export function packetsOf(frame, before, view) {
  if ((frame.phase === "forward" || frame.phase === "loss") && frame.node) {
    return view.edgesInto(frame.node).flatMap(({ edge, forward }) => {
      const array = before[edge.from]?.value;
      return array ? [{ role: /** @type {const} */ ("value"), line: forward, array, from: edge.from, to: edge.to }] : [];
    });
  }
  return frame.contributions.flatMap(({ from, to, slot, value }) => {
    const drawn = view.edgeOf(to, from, slot);
    return drawn ? [{ role: /** @type {const} */ ("grad"), line: drawn.backward, array: value, from, to }] : [];
  });
}

/** @param {Num} x */
const term = (x) => (Number(x) < 0 ? `(${number(x)})` : number(x));

/**
 * The sums that targets make on arrival: "0 + 0.5 = 0.5"; an update as "0.5 + Δ 0.008 = 0.508". Numbers only.
 * @param {Frame} frame @param {Nodes} before @param {Nodes} after @returns {Sum[]}
 */
export function sumsOf(frame, before, after) {
  if (frame.phase === "update" && frame.node) {
    const was = only(before[frame.node]?.value ?? null);
    const is = only(after[frame.node]?.value ?? null);
    if (was === null || is === null) return [];
    return [{ node: frame.node, role: "update", text: `${number(was)} + Δ ${term(Number(is) - Number(was))} = ${number(is)}` }];
  }
  /** @type {Map<string, {start: Num, terms: Num[]}>} */
  const targets = new Map();
  for (const { to, value, first } of frame.contributions) {
    const one = only(value);
    if (one === null) continue;
    const known = targets.get(to) ?? { start: first ? 0 : (only(before[to]?.grad ?? null) ?? 0), terms: [] };
    known.terms.push(one);
    targets.set(to, known);
  }
  return [...targets].flatMap(([node, { start, terms }]) => {
    const sum = only(after[node]?.grad ?? null);
    if (sum === null) return [];
    return [{ node, role: /** @type {const} */ ("grad"), text: `${number(start)} + ${terms.map(term).join(" + ")} = ${number(sum)}` }];
  });
}

/** @param {ArrayData} array @param {"value" | "grad"} role */
function pill(array, role) {
  const one = only(array);
  return h(
    "span",
    { class: `packet role-${role}` },
    role === "grad" && h("span", { class: "chip-mark" }, "∂"),
    one === null
      ? h("span", { class: "packet-array" }, heat(array, { width: 46, height: 26, most: 12 }).element)
      : h("span", { class: "packet-number" }, number(one)),
  );
}

/**
 * Moves boxes that cover each other apart, up and down, both by as much; their order stays.
 * @param {{x: number, y: number, width: number, height: number}[]} boxes  x and y are their middles
 */
export function spread(boxes) {
  const order = [...boxes].sort((a, b) => a.y - b.y);
  for (let round = 0; round < 4 * order.length; round++) {
    let still = true;
    order.forEach((low, i) => {
      for (const high of order.slice(0, i)) {
        const lack = (high.height + low.height) / 2 + 2 - (low.y - high.y);
        if (lack <= 0.5 || Math.abs(high.x - low.x) >= (high.width + low.width) / 2) continue;
        high.y -= lack / 2;
        low.y += lack / 2;
        still = false;
      }
    });
    if (still) return;
  }
}

/**
 * Where a sum stands, its upper left corner: under its card, and clear of the card below.
 * @param {Box} card @param {{width: number, height: number}} size @param {Iterable<Box>} others
 * @returns {Point}
 */
export function sumPlace(card, { width, height }, others) {
  const x = Math.max(card.x + card.width / 2 - width / 2, card.x - LEFT);
  const bottom = card.y + card.height;
  const under = [...others].filter((other) => other.y >= bottom && other.x < x + width && other.x + other.width > x);
  return [x, Math.min(bottom - 3, ...under.map((other) => other.y - height - 1))];
}

/**
 * @param {HTMLElement} layer  in the graph's pixels
 * @param {GraphView} view
 */
export function createPackets(layer, view) {
  let running = 0;
  /** @type {(() => void) | null} */
  let land = null;

  function clear() {
    layer.replaceChildren();
  }

  /** @param {HTMLElement} element @param {Point} point */
  function move(element, [x, y]) {
    element.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
  }

  /** Where packets rest: before their targets, and clear of each other. @param {{packet: Packet, element: HTMLElement}[]} pills */
  function docks(pills) {
    const places = pills.map(({ packet, element }) => {
      const [width, height] = [element.offsetWidth, element.offsetHeight];
      const whole = length(packet.line);
      const along = Math.max(whole / 2, whole - width / 2 - 8);
      const [x, y] = pointAt(packet.line, along);
      return { along, x, y, width, height };
    });
    spread(places);
    return places.map(({ along, x, y }) => ({ along, point: /** @type {Point} */ ([x, y]) }));
  }

  /** @param {Sum[]} sums */
  function showSums(sums) {
    for (const { node, role, text } of sums) {
      const box = view.itemOf(node)?.node; // not inside a closed scope, where several would cover each other
      if (!box) continue;
      const element = h("span", { class: `sum role-${role}` }, text);
      layer.append(element);
      const [x, y] = sumPlace(box, { width: element.offsetWidth, height: element.offsetHeight }, view.scopes.items.values());
      element.style.transform = `translate(${x}px, ${y}px)`;
    }
  }

  return {
    /** Ends a running motion at once, as if it had landed. */
    finish() {
      land?.();
    },

    clear() {
      land?.();
      clear();
    },

    /**
     * @param {Frame | null} frame @param {Nodes} before @param {Nodes} after
     * @param {{travel: number, landed: () => void}} how  `travel` in ms; 0 shows the still picture at once
     */
    run(frame, before, after, { travel, landed }) {
      land?.();
      clear();
      if (!frame) return landed();
      const packets = packetsOf(frame, before, view);
      const sums = sumsOf(frame, before, after);
      const pills = packets.map((packet) => ({ packet, element: pill(packet.array, packet.role) }));
      layer.append(...pills.map(({ element }) => element));
      const places = docks(pills);
      const settle = () => {
        cancelAnimationFrame(running);
        land = null;
        pills.forEach(({ element }, i) => move(element, places[i].point));
        layer.classList.remove("is-travelling");
        showSums(sums);
        landed();
      };
      if (travel <= 0 || pills.length === 0) return settle();
      land = settle;
      layer.classList.add("is-travelling");
      const began = performance.now();
      const tick = (/** @type {number} */ now) => {
        const t = Math.min(1, Math.max(0, (now - began) / travel));
        if (t >= 1) return settle();
        pills.forEach(({ packet, element }, i) => {
          const { along, point } = places[i];
          const on = pointAt(packet.line, along * ease(t));
          const end = pointAt(packet.line, along);
          move(element, [on[0] + (point[0] - end[0]) * t, on[1] + (point[1] - end[1]) * t]);
        });
        running = requestAnimationFrame(tick);
      };
      tick(began);
    },
  };
}
