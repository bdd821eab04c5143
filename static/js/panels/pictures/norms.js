// What a norm does to a distribution: the values before, normalised, and after scale and shift, on one axis, with mean and
// deviation; on the way back the gradients of both sides.

import { number } from "../../format.js";
import { fill, h, svg } from "../../h.js";
import { ticks } from "../../scale.js";
import { hold, turner } from "./hold.js";
import { groupOf, groups, histogram, moments } from "./shares.js";

/** @import {Actions, Graph, GraphNode, Nodes, State} from "../../types.js" */

const NORMS = new Set(["normalise", "batch_normalise", "normalise_running"]);
const FEW = 24; // values, up to which each has its own mark
const [WIDTH, HEIGHT, SIDE] = [640, 80, 16]; // of one axis, in the drawing's units

/** The axes over which a norm averages. @param {GraphNode} node */
function axesOf({ op, attrs, shape }) {
  if (op === "normalise_running") return shape.map((_, i) => i).filter((i) => i !== (attrs?.axis ?? 1));
  return /** @type {number[]} */ (attrs?.axes ?? [-1]);
}

/** @param {Graph} graph @param {Actions} actions @returns {import("./pictures.js").Picture} */
export function create(graph, actions) {
  const norms = graph.nodes.filter((n) => n.kind === "op" && NORMS.has(n.op));
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  const element = h("div", { class: "pic pic-norms", role: "group", "aria-label": "Distributions before and after a norm" });
  element.style.setProperty("--wide", "54");
  element.style.setProperty("--high", "26");
  const at = { norm: 0, group: 0 };
  /** @type {() => void} */
  let redraw = () => {};
  const turn = turner(at, () => redraw());

  return {
    element,
    needs: norms.flatMap((n) => [n.inputs[0], n.name, after(n)?.name ?? n.name]),
    draw(state, nodes) {
      redraw = () => show(state, nodes);
      const now = norms.findIndex((n) => n.name === state.frame?.node || after(n)?.name === state.frame?.node);
      if (now >= 0) at.norm = now;
      show(state, nodes);
    },
  };

  /** Scale and shift, if they follow. @param {GraphNode} norm */
  function after(norm) {
    return graph.nodes.find((n) => n.op === "scale_shift" && n.inputs[0] === norm.name);
  }

  /** @param {State} state @param {Nodes} nodes */
  function show(state, nodes) {
    const norm = norms[at.norm];
    if (!norm) return;
    const axes = axesOf(norm);
    const count = groups(norm.shape, axes);
    at.group = Math.min(at.group, count - 1);
    const scaled = after(norm);
    const stations = [byName.get(norm.inputs[0]), norm, scaled].filter((n) => n !== undefined);
    const kind = norm.op === "normalise" ? "sample" : "channel";
    /** @param {GraphNode} node @param {"value" | "grad"} role */
    const values = (node, role) => groupOf(nodes[node.name]?.[role], axes, at.group);
    const restore = hold(element);
    const seen = stations.flatMap((n) => values(n, "value") ?? []).filter(Number.isFinite);
    const back = stations.flatMap((n) => values(n, "grad") ?? []).filter(Number.isFinite);
    const [low, high] = [Math.min(0, ...seen), Math.max(0, ...seen)];
    const reach = Math.max(...back.map(Math.abs), 0);
    const names = ["before", "normalised", "after γ and β"];
    fill(
      element,
      h("div", { class: "maps-controls" }, turn("norm", "norm", norms.length), turn("group", kind, count)),
      h(
        "div",
        { class: "norm-grid" },
        stations.map((node, i) => [
          side(node, names[i], values(node, "value"), low, high, "value", state),
          side(node, `∂ ${names[i]}`, values(node, "grad"), -reach, reach, "grad", state),
        ]),
      ),
      h("p", { class: "pic-caption" }, story(values(stations[0], "value"), values(stations[0], "grad"), values(norm, "grad"))),
    );
    restore();
  }

  /** One axis with its values. @param {GraphNode} node @param {string} name @param {number[] | null} values @param {number} low @param {number} high @param {"value" | "grad"} role @param {State} state */
  function side(node, name, values, low, high, role, state) {
    const facts = values ? moments(values) : null;
    const tell = facts ? (role === "value" ? `mean ${number(small(facts.mean))}, deviation ${number(small(facts.deviation))}` : `sum ${number(small(facts.mean * (values?.length ?? 0)))}`) : "not there yet";
    return h(
      "figure",
      { class: `norm-side role-${role}${state.frame?.node === node.name ? " is-centre" : ""}` },
      h("figcaption", {}, h("button", { type: "button", class: "att-name", on: { click: () => actions.select(node.name) } }, h("strong", {}, (role === "grad" ? "∂" : "") + node.label), ` ${name.replace("∂ ", "")}`), h("span", { class: "norm-facts" }, tell)),
      values && facts ? axis(values, facts, low, high, role) : h("div", { class: "norm-none" }, "?"),
    );
  }

  /** @param {number[]} values @param {{mean: number, deviation: number}} facts @param {number} low @param {number} high @param {"value" | "grad"} role */
  function axis(values, { mean, deviation }, low, high, role) {
    const x = (/** @type {number} */ v) => SIDE + ((v - low) / (high - low || 1)) * (WIDTH - 2 * SIDE);
    const floor = HEIGHT - 28;
    const picture = svg("svg", { class: "norm-axis", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${values.length} values, ${values.length <= FEW ? values.map((v) => number(v)).join(", ") : `mean ${number(mean)}, deviation ${number(deviation)}`}` });
    if (role === "value" && Number.isFinite(deviation)) picture.append(svg("rect", { class: "norm-spread", x: x(mean - deviation), y: 6, width: Math.max(1, x(mean + deviation) - x(mean - deviation)), height: floor - 6 }));
    picture.append(svg("line", { class: "norm-floor", x1: SIDE, x2: WIDTH - SIDE, y1: floor, y2: floor }), svg("line", { class: "norm-zero", x1: x(0), x2: x(0), y1: 4, y2: floor }));
    if (values.length <= FEW) {
      /** @type {Map<number, number>} */
      const stacked = new Map();
      for (const v of values.filter(Number.isFinite)) {
        const place = Math.round(x(v) / 12);
        const height = stacked.get(place) ?? 0;
        stacked.set(place, height + 1);
        picture.append(svg("circle", { class: "norm-dot", cx: x(v), cy: Math.max(10, floor - 9 - height * 15), r: 7 }));
      }
    } else {
      const bins = 32;
      const counts = histogram(values, low, high, bins);
      const most = Math.max(...counts);
      const wide = (WIDTH - 2 * SIDE) / bins;
      counts.forEach((n, i) => n > 0 && picture.append(svg("rect", { class: "norm-bin", x: SIDE + i * wide + 1, y: floor - ((floor - 8) * n) / most, width: wide - 2, height: ((floor - 8) * n) / most })));
    }
    for (const t of ticks(low, high, 4)) picture.append(svg("text", { class: "norm-tick", x: x(t), y: HEIGHT - 4 }, number(t)));
    return picture;
  }

  /** @param {number[] | null} before @param {number[] | null} dBefore @param {number[] | null} dAfter */
  function story(before, dBefore, dAfter) {
    if (!before) return "Nothing has come in yet.";
    const { mean, deviation } = moments(before);
    if (!dBefore || !dAfter) return `Each value minus the mean ${number(mean)}, divided by the deviation ${number(deviation)}: the shape stays, place and width do not matter any more.`;
    return `Back: what would only shift the values (${number(moments(dAfter).mean)} each) or only stretch them is taken out, and the rest divided by ${number(deviation)}. What goes on adds up to ${number(small(dBefore.reduce((a, b) => a + b, 0)))}.`;
  }
}

/** A sum of rounded floats that is 0 but for the last digits is 0. @param {number} x */
const small = (x) => (Math.abs(x) < 1e-12 ? 0 : x);
