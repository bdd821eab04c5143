// The feature maps: every layer's maps as images, and under the lens the op of this step: its window slides over the
// image, forward with the products written out, backward gathering the kernel's gradient or finding the maximum again.

import { number, toNumber } from "../../format.js";
import { fill, h } from "../../h.js";
import { move } from "../array_view.js";
import { reach } from "../arrays.js";
import { schedule } from "../graph_steps.js";
import { hold, turner } from "./hold.js";
import { lens, widthOf } from "./lens.js";
import { mapImage } from "./map_image.js";
import { planeOf, SLIDING, windowOf } from "./window.js";

/** @import {Actions, ArrayData, Graph, GraphNode, Nodes, State} from "../../types.js" */
/** @import {Pair} from "./window.js" */

const SHOWN = 8; // maps of a layer in the overview
const THUMB = 1.9; // ems of each
const SLIDE = { least: 130, whole: 1800 }; // ms for a place, at most for all
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** The images on their way through the network: what goes into the first window, then every map. @param {Graph} graph @returns {GraphNode[]} */
function stationsOf(graph) {
  const first = graph.nodes.find((n) => n.kind === "op" && SLIDING.has(n.op));
  if (!first) return [];
  const rank = first.shape.length;
  return graph.nodes.filter((n) => n.name === first.inputs[0] || (n.kind === "op" && n.shape.length === rank));
}

/** @param {Graph} graph @param {Actions} actions @returns {import("./pictures.js").Picture} */
export function create(graph, actions) {
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  const stations = stationsOf(graph);
  const ops = stations.filter((n) => n.kind === "op" && byName.has(n.inputs[0]) && stations.some((s) => s.name === n.inputs[0]));
  const overview = h("div", { class: "maps-row", role: "group", "aria-label": "Feature maps" });
  const place = h("div", { class: "maps-lens" });
  const element = h("div", { class: "pic pic-maps" }, overview, place);

  let op = ops.find((n) => SLIDING.has(n.op)) ?? ops[0];
  const at = { sample: 0, from: 0, to: 0, place: -1 };
  let moved = -1;
  /** @type {number | undefined} */
  let timer;
  /** places seen so far of a slide; null when it is not sliding @type {number | null} */
  let seen = null;
  /** @type {() => void} */
  let redraw = () => {};
  let redrawAll = redraw;

  /** @param {GraphNode} node @returns {Pair} */
  const sizeOf = (node) => (node.shape.length === 3 ? [1, node.shape[2]] : [node.shape[2], node.shape[3]]);

  function stop() {
    clearInterval(timer);
    seen = null;
  }

  /** @param {number} count @param {number} speed */
  function slide(count, speed) {
    stop();
    const every = Math.max(16, Math.min(SLIDE.least, SLIDE.whole / count) / speed);
    const stride = Math.max(1, Math.ceil((count * every) / SLIDE.whole));
    seen = 1;
    at.place = 0;
    timer = setInterval(() => {
      if (seen === null) return;
      seen = Math.min(count, seen + stride);
      at.place = seen - 1;
      if (seen >= count) stop();
      redraw();
    }, every);
  }

  /** @param {GraphNode} node */
  function choose(node) {
    stop();
    op = ops.includes(node) ? node : (ops.find((n) => n.inputs[0] === node.name) ?? op);
    at.place = -1;
    actions.select(node.name);
    redrawAll();
  }

  return {
    element,
    needs: [...stations.map((n) => n.name), ...ops.filter((n) => n.op.startsWith("conv")).flatMap((n) => n.inputs.slice(1))],
    draw(state, nodes) {
      redraw = () => show(state, nodes);
      redrawAll = () => {
        fill(overview, stations.map((node) => station(node, nodes, state)));
        redraw();
      };
      const now = ops.find((n) => n.name === state.frame?.node);
      if (state.moved !== moved) {
        stop();
        moved = state.moved;
        const about = state.frame?.phase === "forward" || state.frame?.phase === "backward";
        if (now && about) {
          op = now;
          at.place = -1;
          const [rows, cols] = sizeOf(op);
          if (SLIDING.has(op.op) && state.motion === "step" && !still.matches && state.tab === "maps") slide(rows * cols, state.playing ? state.speed : 1);
        }
      }
      redrawAll();
    },
  };

  /** @param {State} state @param {Nodes} nodes */
  function show(state, nodes) {
    if (!op) return;
    const source = /** @type {GraphNode} */ (byName.get(op.inputs[0]));
    const weight = op.op.startsWith("conv") ? byName.get(op.inputs[1]) : undefined;
    const window = windowOf(op, weight);
    const places = sizeOf(op);
    const count = places[0] * places[1];
    const last = count - 1;
    if (at.place < 0 || at.place > last) at.place = last;
    at.sample = Math.min(at.sample, op.shape[0] - 1);
    at.to = Math.min(at.to, op.shape[1] - 1);
    at.from = weight ? Math.min(at.from, source.shape[1] - 1) : at.to;
    const back = (schedule(state.plan).backward.get(op.name) ?? Infinity) < state.position.step;
    const across = (/** @type {Pair} */ [rows, cols]) => widthOf(rows, cols) * cols;
    const kernel = weight ? 2 * widthOf(...window.size, 4) * window.size[1] + 6 : 0;
    const wide = Math.max(36, 2 * across(sizeOf(source)) + across(places) + kernel + 14);
    const overviewRows = Math.ceil(stations.reduce((sum, n) => sum + 2 + Math.max(9, (THUMB + 0.4) * Math.min(SHOWN, n.shape[1])), 0) / wide);
    element.style.setProperty("--wide", String(wide));
    const tall = (/** @type {Pair} */ [rows, cols]) => rows * Math.min(2.9, widthOf(rows, cols));
    element.style.setProperty("--high-hall", String(Math.max(13, 8 + Math.max(...[sizeOf(source), places, window.size].map(tall)) + 2 * window.padding[0])));
    element.style.setProperty("--high", String(23 + 7.2 * overviewRows));
    const restore = hold(place);
    fill(
      place,
      controls(source, weight),
      lens({ op, source, weight, bias: weight && op.inputs[2] ? byName.get(op.inputs[2]) : undefined, window, places, image: sizeOf(source), nodes, back, at, seen, put, key }),
    );
    restore();

    /** Puts the window at a place by hand. @param {Pair} to */
    function put([row, col]) {
      stop();
      at.place = row * places[1] + col;
      redraw();
    }

    /** @param {KeyboardEvent} event */
    function key(event) {
      const to = move([Math.floor(at.place / places[1]), at.place % places[1]], event.key, { rows: places[0], cols: places[1], count });
      if (!to) return;
      event.preventDefault();
      event.stopPropagation();
      put(to);
    }
  }

  /** @param {GraphNode} source @param {GraphNode | undefined} weight */
  function controls(source, weight) {
    const turn = turner(at, () => redrawAll());
    return h("div", { class: "maps-controls" }, turn("sample", "sample", op.shape[0]), weight && turn("from", "channel in", source.shape[1]), turn("to", weight ? "channel out" : "channel", op.shape[1]));
  }

  /** One layer in the overview: its maps, and below them their gradients. @param {GraphNode} node @param {Nodes} nodes @param {State} state */
  function station(node, nodes, state) {
    const { value = null, grad = null } = nodes[node.name] ?? {};
    const shown = Math.min(SHOWN, node.shape[1]);
    const centre = state.frame?.node === node.name;
    /** @param {ArrayData | null} array @param {"value" | "grad"} role */
    const row = (array, role) =>
      h(
        "span",
        { class: `maps-thumbs role-${role}${array ? "" : " is-empty"}` },
        Array.from({ length: shown }, (_, c) => mapImage(planeOf(array, [at.sample, c]), { limit: array ? reach(array) : 1, cell: THUMB / Math.max(...sizeOf(node)), like: sizeOf(node) })),
      );
    const says = `${node.label}, ${node.shape.slice(1).join(" × ")}: ${value ? `values up to ${number(Math.max(Math.abs(toNumber(value.min)), Math.abs(toNumber(value.max))))}` : "not computed yet"}${grad ? ", with gradients" : ""}`;
    return h(
      "button",
      { type: "button", class: `maps-station${centre ? " is-centre" : ""}${node === op ? " is-chosen" : ""}`, "aria-label": says, on: { click: () => choose(node) } },
      h("span", { class: "maps-name" }, h("strong", {}, node.label), ` ${node.kind === "op" ? node.op.replaceAll("_", " ") : node.kind} `, h("small", {}, node.shape.slice(1).join("×"))),
      row(value, "value"),
      (grad || node.requires_grad) && row(grad, "grad"),
      node.shape[1] > SHOWN && h("small", {}, `first ${SHOWN} of ${node.shape[1]}`),
    );
  }
}
