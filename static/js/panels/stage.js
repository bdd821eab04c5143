// The stage: the model as a graph, and what the present step does to it. Composes graph, packets and camera, and decides
// when a step is shown as motion. Pictures, words and editors come a moment later (stage_pictures.js, stage_words.js,
// stage_hands.js): a step can be taken before them.

import { around, gather, widen } from "../geometry.js";
import { fill, h, icon } from "../h.js";
import { PACE } from "../player.js";
import { foldable } from "../scopes.js";
import { createCamera } from "./camera.js";
import { createGraph } from "./graph.js";
import { focusOf } from "./graph_steps.js";
import { createPackets } from "./packets.js";

/** @import {Actions, Graph, Nodes, State} from "../types.js" */
/** @import {Store} from "../store.js" */
/** @import {Camera} from "../geometry.js" */

const TRAVEL = 350; // ms
const ROOM = { gap: 88 }; // px between columns, so that a number can travel there
const PROJECTED = { gap: 180, grow: 34 };
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** @typedef {ReturnType<typeof mount>} Stage  what its other parts build on */
/**
 * @typedef {object} Built  all that depends on the graph
 * @property {ReturnType<typeof createGraph>} view @property {ReturnType<typeof createPackets>} packets
 * @property {HTMLElement} world @property {ReturnType<typeof createCamera>} camera @property {Graph} graph
 * @property {boolean} same  the graph before it had the same nodes: only scopes were opened or closed
 */

/** @param {HTMLElement} element @param {Store<State>} store @param {Actions} actions */
export function mount(element, store, actions) {
  const viewport = h("div", { class: "stage-view" });
  const strip = h("div", { class: "strip", "aria-hidden": "true" });
  const complaint = h("div", { class: "complaint stage-complaint stage-over", role: "alert", hidden: true });
  fill(element, viewport, complaint, strip);
  element.dataset.tab = "graph";

  /** @type {Built} */
  let parts = build();

  /**
   * When only scopes were opened or closed, what was pressed stays in its place.
   * @param {Built} [last] @param {string | null} [held] @returns {Built}
   */
  function build(last, held = null) {
    const given = store.get().graph;
    const graph = widen(given, store.get().projection ? PROJECTED : ROOM);
    const before = last && last.graph.nodes.length === graph.nodes.length && graph.nodes.every((n, i) => n.name === last.graph.nodes[i].name) ? last : null;
    const view = createGraph(graph, actions);
    const layer = h("div", { class: "packets", "aria-hidden": "true" });
    const world = h("div", { class: "world" }, view.frames, view.edges, view.nodes, layer);
    const from = before && held ? keepPlace(before, view, held) : null;
    last?.camera.leave();
    const camera = createCamera(viewport, world, graph, {
      projected: () => store.get().projection,
      insets: () => (store.get().projection ? { top: 12, bottom: 12, side: 12 } : { top: foldable(given) ? 84 : 46, bottom: 46, side: Math.min(20, viewport.clientWidth / 32) }),
      boxes: new Map([...view.scopes.items].map(([id, { x, y, width, height }]) => [id, { x, y, width, height }])),
      seen: (part) => view.see(part),
      from,
    });
    view.nodes.addEventListener("focusin", (event) => {
      const { node, scope } = /** @type {HTMLElement} */ (event.target).dataset;
      const box = view.scopes.items.get(node ?? scope ?? "");
      if (box) camera.reveal(box);
    });
    fill(viewport, world, camera.map);
    return { view, packets: createPackets(layer, view), world, camera, graph, same: before !== null };
  }

  /** Where the camera has to stand so that a scope which was turned stays where it was. @param {Built} before @param {ReturnType<typeof createGraph>} view @param {string} name @returns {Camera | null} */
  function keepPlace(before, view, name) {
    const camera = before.camera.place;
    /** @param {ReturnType<typeof createGraph>} of */
    const boxOf = (of) => of.scopes.items.get(name) ?? of.scopes.scopes.get(name)?.place ?? null;
    const [was, is] = [boxOf(before.view), boxOf(view)];
    if (!camera || !was || !is) return null;
    const { scale } = camera;
    const left = Math.max(24, was.x * scale + camera.x); // the heading of what opens comes into view
    const top = Math.max(96, was.y * scale + camera.y);
    return { x: left - is.x * scale, y: top - is.y * scale, scale };
  }

  // -- drawing -----------------------------------------------------------------------------------

  /** @type {(state: State, shown: Nodes) => void} what is drawn beside the graph */
  let also = () => {};
  /** @type {Nodes} what the nodes show */
  let shown = store.get().nodes;

  function draw() {
    const state = store.get();
    const { view } = parts;
    view.draw(state, shown);
    also(state, shown);
    parts.camera.mark(state.frame?.node ? view.scopes.standing(state.frame.node) : null);
  }

  function look() {
    const { frame, next, position } = store.get();
    const { view, camera } = parts;
    const { centre, near } = focusOf(frame, parts.graph);
    const names = near.size > 0 ? [...near] : position.step === 0 || frame?.phase === "zero_grad" ? (next?.node ? [next.node] : []) : [];
    /** @param {Iterable<string>} some */
    const items = (some) => [...new Set([...some].flatMap((name) => view.itemOf(name) ?? []))];
    const own = centre === null ? null : view.itemOf(centre);
    const inputs = items(view.nodeOf(centre ?? "")?.inputs ?? []);
    const boxes = own ? gather(own, [inputs, items(names)], camera.reach) : items(names);
    camera.follow(around(boxes), around(own ? gather(own, [inputs], camera.reach) : []));
    camera.map.toggleAttribute("data-following", boxes.length > 0);
  }

  function show() {
    const state = store.get();
    parts.packets.finish();
    const before = shown;
    const after = state.nodes;
    const pace = state.playing ? Math.min(TRAVEL, (0.6 * PACE) / state.speed) : TRAVEL;
    const moving = state.motion === "step" && state.tab === "graph" && !still.matches && pace > 70;
    element.toggleAttribute("data-hurried", state.playing && pace <= 70); // no time for easing: steps follow each other
    look();
    if (moving) draw();
    parts.packets.run(state.frame, state.motion === "step" ? before : beforeOf(state), after, {
      travel: moving ? pace : 0,
      landed: () => {
        shown = after;
        draw();
      },
    });
  }

  /** The state before the present frame, as far as its own writes tell: for the still picture after a jump. @param {State} state @returns {Nodes} */
  function beforeOf({ frame, nodes, position }) {
    if (!frame) return nodes;
    const before = actions.nodesAt({ iteration: frame.position.iteration, step: frame.index });
    return before ?? (position.step === 0 ? {} : nodes);
  }

  store.watch(
    (s) => s.error,
    (error) => {
      complaint.hidden = error === null;
      if (!error) return;
      const close = h("button", { type: "button", class: "tool", "aria-label": "Close this message", on: { click: actions.dismissError } }, icon("close", 16));
      const again = error.code === "gone" && h("button", { type: "button", class: "button", on: { click: actions.anew } }, "Go on in a new session");
      fill(complaint, h("p", {}, error.message), again, close);
    },
  );
  store.watch((s) => s.moved, show);
  store.watch((s) => [s.selected, s.hover], draw);
  store.watch((s) => [s.graph, s.projection], ([graph], [was]) => {
    const held = document.activeElement?.closest("[data-scope]") ?? null;
    const name = graph === was ? null : (/** @type {HTMLElement | undefined} */ (held)?.dataset.scope ?? null);
    const pressed = held !== null && viewport.contains(held);
    parts = build(parts, pressed ? name : null);
    show();
    if (pressed && name) /** @type {HTMLElement | null} */ (viewport.querySelector(`[data-scope="${CSS.escape(name)}"]`))?.focus({ preventScroll: true });
  });
  show();

  return {
    element,
    viewport,
    strip,
    draw,
    built: () => parts,
    /** What the nodes show: while packets travel, what stood there before. */
    shown: () => shown,
    /** @param {typeof also} more */
    drawAlso: (more) => void (also = more),

    /** Puts a plate below a box on the stage, or above it. @param {HTMLElement} plate @param {import("../geometry.js").Box} box */
    beside(plate, box) {
      const [w, tall] = [plate.offsetWidth, plate.offsetHeight];
      const below = box.y + box.height + 8;
      const y = below + tall < element.clientHeight - 8 ? below : Math.max(8, box.y - tall - 8);
      plate.style.left = `${Math.max(8, Math.min(element.clientWidth - w - 8, box.x + box.width / 2 - w / 2))}px`;
      plate.style.top = `${y}px`;
    },
  };
}
