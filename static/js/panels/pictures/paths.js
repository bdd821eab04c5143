// The paths of residual blocks: one way straight on, one through the layers, and how much of the gradient came back along
// each of them.

import { number, percent } from "../../format.js";
import { fill, h } from "../../h.js";
import { schedule } from "../graph_steps.js";
import { em, reveal, slot } from "./parts.js";
import { residualsOf } from "./residuals.js";
import { sharesOf } from "./shares.js";

/** @import {Actions, ArrayData, Graph, Nodes, State} from "../../types.js" */

/** @param {Graph} graph @param {Actions} actions @returns {import("./pictures.js").Picture} */
export function create(graph, actions) {
  const blocks = residualsOf(graph);
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  const element = h("div", { class: "pic pic-paths", role: "group", "aria-label": "Two paths through every residual block" });
  const longest = Math.max(...blocks.map((b) => b.through.length));
  element.style.setProperty("--wide", String(Math.max(40, 26 + Math.min(6, longest) * 5.5)));
  element.style.setProperty("--high", String(5 + Math.min(4, blocks.length) * 8));
  const label = (/** @type {string} */ name) => byName.get(name)?.label ?? name;

  return {
    element,
    needs: blocks.flatMap(({ sum, from }) => [sum, from]),
    draw(state, nodes) {
      const unit = em(element);
      const { backward } = schedule(state.plan);
      const found = blocks.map((block) => {
        const users = graph.nodes.filter((n) => n.inputs.includes(block.from) && n.requires_grad).map((n) => n.name);
        const whole = users.every((name) => (backward.get(name) ?? Infinity) < state.position.step);
        return { block, ...sharesOf(nodes, block, whole) };
      });
      const most = Math.max(...found.flatMap(({ around, through, total }) => [around ?? 0, through ?? 0, total ?? 0]));
      const held = element.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.hold : null;
      fill(element, h("p", { class: "pic-caption" }, story(found)), found.map((it, i) => view(it, i, most, unit, state, nodes)));
      reveal(element.querySelector(".path-block.is-near"));
      if (held) /** @type {HTMLElement | null} */ (element.querySelector(`[data-hold="${CSS.escape(held)}"]`))?.focus({ preventScroll: true });
    },
  };

  /** @param {{share: number | null, around: number | null, through: number | null, total: number | null}[]} found */
  function story(found) {
    const known = found.filter((it) => it.total !== null);
    if (known.length < found.length) return "A sum sends its gradient unchanged along both of its paths: around, and through the layers.";
    const [first, last] = [found[0], found[found.length - 1]];
    const start = `From the last block to the first the gradient went ${number(last.around)} → ${number(first.total)}.`;
    const product = found.reduce((p, it) => p * (it.around ? Number(it.through) / it.around : 0), 1);
    return `${start} The ways through the layers alone would have left about ${number(Number((Number(last.around) * product).toPrecision(6)))}.`;
  }

  /**
   * @param {{block: {sum: string, from: string, through: string[]}, around: number | null, through: number | null, total: number | null, share: number | null}} it
   * @param {number} index @param {number} most @param {number} unit @param {State} state @param {Nodes} nodes
   */
  function view({ block, around, through, total, share }, index, most, unit, state, nodes) {
    const current = state.frame?.node ?? null;
    /** @param {number | null} size */
    const thick = (size) => ({ "--thick": `${size && most > 0 ? Math.max(0.12, 0.8 * (size / most)) : 0}em` });
    /** The value's way on and, as soon as it is known, the gradient's way back. @param {number | null} size */
    const lane = (size) => h("span", { class: "path-lane", "aria-hidden": "true" }, size !== null && size > 0 && h("span", { class: "path-back" }));
    /** @param {string} name */
    const node = (name) =>
      h(
        "button",
        { type: "button", class: `path-node${name === current ? " is-centre" : ""}`, dataset: { hold: `${index} ${name}` }, "aria-label": `${label(name)}: ${says(nodes[name]?.value)}, gradient ${says(nodes[name]?.grad)}`, on: { click: () => actions.select(name) } },
        h("strong", {}, label(name)),
        h("span", { class: "path-op" }, byName.get(name)?.kind === "op" ? byName.get(name)?.symbol : ""),
      );
    /** @param {string} name */
    const end = (name) => h("div", { class: "path-end" }, node(name), slot(nodes[name]?.value, "value", { unit, wide: 5, high: 2 }), slot(nodes[name]?.grad, "grad", { unit, wide: 5, high: 2 }));
    return h(
      "section",
      { class: `path-block${[block.sum, ...block.through].includes(current ?? "") ? " is-near" : ""}`, "aria-label": `Block ${index + 1}` },
      end(block.from),
      h(
        "div",
        { class: "path-ways" },
        h("div", { class: "path-way is-around", style: thick(around) }, lane(around), h("span", { class: "path-size role-grad" }, around === null ? "around: ∂ ?" : ["around: ∂ ", h("b", {}, number(around)), share !== null && ` (${percent(share)})`])),
        h(
          "div",
          { class: "path-way is-through", style: thick(through) },
          lane(through),
          h("div", { class: "path-nodes" }, block.through.map(node)),
          h("span", { class: "path-size role-grad" }, through === null ? "through: ∂ ?" : ["through: ∂ ", h("b", {}, number(through)), share !== null && ` (${percent(1 - share)})`]),
        ),
      ),
      h("span", { class: "path-plus", "aria-hidden": "true" }, "+"),
      end(block.sum),
      total !== null && h("span", { class: "path-total" }, h("span", { class: "path-share", role: "img", "aria-label": `${percent(share ?? 0)} of the gradient came around, ${percent(1 - (share ?? 0))} through the layers` }, h("span", { class: "path-share-around", style: { "--share": share ?? 0 } })), h("span", { class: "path-key" }, "around | through")),
    );
  }
}

/** @param {ArrayData | null | undefined} array */
const says = (array) => (array ? (array.shape.every((n) => n === 1) ? number(array.mean) : `norm ${number(array.norm)}`) : "not there yet");
