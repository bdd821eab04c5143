// The stage: the model, and what the present step does to it. Composes graph, packets, neurons, camera and editor, and
// decides when a step is shown as motion.

import { count, number } from "../format.js";
import { around, gather, widen, widthOf } from "../geometry.js";
import { fill, h, icon, math, svg } from "../h.js";
import { sentenceOf } from "../live.js";
import { rightHandSides } from "../mathml.js";
import { PACE } from "../player.js";
import { createCamera } from "./camera.js";
import { createGraph, focusOf } from "./graph.js";
import { effectWords } from "./edits.js";
import { layersOf } from "./layers.js";
import { createPackets } from "./packets.js";
import { loadPicture, picturesOf } from "./pictures/pictures.js";

/** @import {Actions, Line, Nodes, State} from "../types.js" */
/** @import {Store} from "../store.js" */
/** @import {Choice, Picture} from "./pictures/pictures.js" */
/** @import {Camera} from "../geometry.js" */
/** @typedef {ReturnType<typeof import("./neurons.js").createNeurons>} Neurons */

const TRAVEL = 350; // ms
const TOAST = 7000; // ms an edit's effect stands on the stage
const ROOM = { gap: 88 }; // px between columns, so that a number can travel there
const PROJECTED = { gap: 180, grow: 34 };
const FOLDABLE = 40; // nodes above which layers can be closed by hand
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** @param {HTMLElement} element @param {Store<State>} store @param {Actions} actions */
export function mount(element, store, actions) {
  const viewport = h("div", { class: "stage-view" });
  const over = h("div", { class: "stage-tabs stage-over" });
  const folds = h("div", { class: "folds stage-over", role: "group", "aria-label": "Layers of the graph", hidden: true });
  const strip = h("div", { class: "strip", "aria-hidden": "true" });
  const toast = h("div", { class: "toast plate stage-over", role: "status", hidden: true });
  const complaint = h("div", { class: "complaint stage-complaint stage-over", role: "alert", hidden: true });
  const training = trainingView(store, actions);
  const legend = legendView();
  const picture = h("div", { class: "picture", hidden: true });
  fill(element, viewport, picture, over, folds, legend, toast, training, complaint, strip);

  /** @type {Built} */
  let parts = build();

  /**
   * @typedef {object} Built
   * @property {ReturnType<typeof createGraph>} view @property {ReturnType<typeof createPackets>} packets
   * @property {ReturnType<typeof layersOf>} model @property {Neurons | null} neurons @property {HTMLElement} neuronWorld
   * @property {HTMLElement} world @property {ReturnType<typeof createCamera>} camera @property {import("../types.js").Graph} graph
   * @property {Choice[]} choices @property {Map<string, Picture>} pictures
   */

  /**
   * Everything that depends on the graph. When only scopes were opened or closed, the other pictures stay, and so does
   * the place of what was pressed.
   * @param {Built} [last] @param {string | null} [held] @returns {Built}
   */
  function build(last, held = null) {
    const given = store.get().graph;
    const graph = widen(given, store.get().projection ? PROJECTED : ROOM);
    const before = last && last.graph.nodes.length === graph.nodes.length && graph.nodes.every((n, i) => n.name === last.graph.nodes[i].name) ? last : null;
    const view = createGraph(graph, actions);
    const layer = h("div", { class: "packets", "aria-hidden": "true" });
    const world = h("div", { class: "world" }, view.frames, view.edges, view.nodes, layer);
    const model = before?.model ?? layersOf(graph);
    const neuronWorld = before?.neuronWorld ?? h("div", { class: "neuron-world", hidden: true });
    const from = before && held ? keepPlace(before, view, held) : null;
    last?.camera.leave();
    fill(viewport, world, neuronWorld, before?.neurons?.samples);
    const camera = createCamera(viewport, world, graph, {
      projected: () => store.get().projection,
      insets: () => (store.get().projection ? { top: 12, bottom: 12, side: 12 } : { top: foldable(given) ? 84 : 46, bottom: 46, side: 20 }),
      boxes: new Map([...view.scopes.items].map(([id, { x, y, width, height }]) => [id, { x, y, width, height }])),
      seen: (part) => view.see(part),
      from,
    });
    view.nodes.addEventListener("focusin", (event) => {
      const { node, scope } = /** @type {HTMLElement} */ (event.target).dataset;
      const box = view.scopes.items.get(node ?? scope ?? "");
      if (box) camera.reveal(box);
    });
    viewport.append(camera.map);
    const packets = createPackets(layer, view);
    const choices = before?.choices ?? picturesOf(given);
    /** @type {Map<string, Picture>} */
    const pictures = before?.pictures ?? new Map();
    fill(over, tabs(choices), h("div", { class: "stage-tools" }, scalarsButton(given), fitButton(camera)));
    showFolds(given);
    return { view, packets, model, neurons: before?.neurons ?? null, neuronWorld, world, camera, graph, choices, pictures };
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

  /** The way to the present step through the scopes, and what opens and closes all; only where there is something to fold. @param {import("../types.js").Graph} graph */
  async function showFolds(graph) {
    folds.hidden = !foldable(graph);
    if (folds.hidden) return;
    const { drawFolds } = await import("./folds.js");
    if (graph === store.get().graph) drawFolds(folds, store.get(), actions);
  }

  /** The neurons, built when first looked at. @returns {Promise<Neurons | null>} */
  async function neuronsOf(/** @type {Built} */ built) {
    if (built.neurons || !("layers" in built.model)) return built.neurons;
    const { createNeurons } = await import("./neurons.js");
    built.neurons ??= createNeurons(built.model.layers, actions);
    built.neuronWorld.append(built.neurons.element);
    viewport.append(built.neurons.samples);
    return built.neurons;
  }

  /** One of the other pictures, built when first looked at. @param {Built} built @param {string} name */
  async function pictureOf(built, name) {
    const known = built.pictures.get(name);
    const made = known ?? (await loadPicture(name, store.get().graph, actions));
    if (made) built.pictures.set(name, made);
    return made;
  }

  /** @param {Choice[]} choices  the pictures beside the graph */
  function tabs(choices) {
    const all = [{ name: "graph", label: "Graph" }, ...choices];
    /** @param {Choice} choice */
    const tab = ({ name, label, why }) => {
      /** After a click the arrow keys are the transport's; after the Tab key they change the tab. @param {MouseEvent} event */
      const choose = (event) => {
        if (event.detail > 0) /** @type {HTMLElement} */ (event.currentTarget).blur();
        if (why) say(why);
        else actions.setTab(name);
      };
      return h(
        "button",
        {
          type: "button",
          role: "tab",
          class: "tab",
          dataset: { tab: name },
          "aria-disabled": why ? "true" : null,
          title: why ?? null,
          on: { click: choose },
        },
        label,
      );
    };
    const list = h("div", { class: "tabs", role: "tablist", "aria-label": "Pictures of the model" }, all.map(tab));
    list.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
      const here = all.findIndex(({ name }) => name === store.get().tab);
      const other = all[(here + (event.key === "ArrowRight" ? 1 : all.length - 1)) % all.length];
      if (other.why) return say(other.why);
      actions.setTab(other.name);
      /** @type {HTMLElement | null} */ (list.querySelector(`[data-tab=${other.name}]`))?.focus();
    });
    return list;
  }

  /** Between arrays and their numbers, where there are arrays. @param {import("../types.js").Graph} graph */
  function scalarsButton(graph) {
    const apart = Boolean(store.get().session.spec.scalars);
    if (!apart && graph.nodes.every(({ shape }) => shape.every((n) => n === 1))) return null;
    const title = apart ? "Numbers put together to arrays again" : "Every number is a node of its own, every product and every sum";
    return h("button", { type: "button", class: "fold-all", dataset: { scalars: apart ? "off" : "on" }, title, on: { click: () => actions.takeApart(!apart) } }, apart ? "As arrays" : "As scalars");
  }

  /** @param {ReturnType<typeof createCamera>} camera */
  function fitButton(camera) {
    return h("button", { type: "button", class: "tool", "aria-label": "Show the present step again", title: "Back to the present step", on: { click: () => camera.reset() } }, icon("fit", 18));
  }

  // -- drawing -----------------------------------------------------------------------------------

  /** @type {Nodes} what the nodes show */
  let shown = store.get().nodes;

  function draw() {
    const state = store.get();
    const { view, neurons } = parts;
    view.draw(state, shown);
    if (state.tab === "neurons") neurons?.draw(state, shown);
    parts.pictures.get(state.tab)?.draw(state, shown);
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
    look();
    drawStrip(state);
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

  /** The formula under the stage: as many of the step's lines as there is room for. @param {State} state */
  function drawStrip(state) {
    if (!state.projection) return;
    const says = h("p", { class: "strip-says" }, sentenceOf(state) || `Iteration ${state.position.iteration} is about to begin.`);
    const lines = state.frame?.lines ?? [];
    for (let many = Math.min(2, lines.length); many >= 0; many--) {
      fill(strip, lines.slice(0, many).map(stripLine), says);
      if (strip.scrollHeight <= strip.clientHeight + 1) return;
    }
  }

  // -- words on the stage ------------------------------------------------------------------------

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let fading;
  /** @param {...import("../h.js").Child} words */
  function say(...words) {
    clearTimeout(fading);
    fill(toast, words);
    toast.hidden = false;
    fading = setTimeout(() => (toast.hidden = true), TOAST);
  }

  store.watch(
    (s) => s.effect,
    (effect) => {
      if (!effect) return;
      const { said, why } = effectWords(effect);
      const { session, position } = store.get();
      const later = (session.changes.at(-1)?.iteration ?? 0) > position.iteration;
      say(
        h("strong", {}, `Loss ${number(effect.before)} → ${number(effect.after)}`),
        h("span", {}, `${said}: ${why}.`),
        later && h("span", {}, " It counts from the next iteration on, since this one has updated the number already."),
      );
    },
  );
  store.watch(
    (s) => s.error,
    (error) => {
      complaint.hidden = error === null;
      if (!error) return;
      const close = h("button", { type: "button", class: "tool", "aria-label": "Close this message", on: { click: actions.dismissError } }, icon("close", 16));
      fill(complaint, h("p", {}, error.message), close);
    },
  );

  // -- exact numbers of arrays -------------------------------------------------------------------

  /** @type {HTMLElement | null} */
  let tip = null;
  /** @type {string | null} */
  let focused = null;
  async function showTip() {
    const { hover, editing, projection } = store.get();
    const name = editing === null && !projection ? ((typeof hover === "string" ? hover : hover?.node) ?? focused) : null;
    const node = name === null ? null : (parts.view.itemOf(name)?.node ?? null);
    const { createTip } = node && node.shape.some((n) => n !== 1) ? await import("./tip.js") : { createTip: null };
    tip?.remove();
    tip = node && createTip ? createTip(node, shown[node.name]) : null;
    if (!node || !tip) return;
    element.append(tip);
    beside(tip, parts.camera.onScreen(node));
  }

  /** Puts a plate below a box on the stage, or above it. @param {HTMLElement} plate @param {import("../geometry.js").Box} box */
  function beside(plate, box) {
    const [w, tall] = [plate.offsetWidth, plate.offsetHeight];
    const below = box.y + box.height + 8;
    const y = below + tall < element.clientHeight - 8 ? below : Math.max(8, box.y - tall - 8);
    plate.style.left = `${Math.max(8, Math.min(element.clientWidth - w - 8, box.x + box.width / 2 - w / 2))}px`;
    plate.style.top = `${y}px`;
  }

  viewport.addEventListener("focusin", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    focused = target.matches(":focus-visible") ? (target.dataset.node ?? null) : null;
    showTip();
  });
  viewport.addEventListener("focusout", () => {
    focused = null;
    showTip();
  });
  store.watch((s) => [s.hover, s.editing, s.nodes], showTip);

  // -- the editor --------------------------------------------------------------------------------

  /** @type {HTMLElement | null} */
  let editor = null;
  async function openEditor() {
    const { createEditor } = await import("./editor.js");
    const { editing, nodes, tab } = store.get();
    const back = editor?.dataset.node;
    editor?.remove();
    editor = null;
    const { view, camera } = parts;
    const node = editing === null ? null : (view.itemOf(editing)?.node ?? null);
    const array = node && (nodes[node.name]?.value ?? null);
    if (!node || !array || array.data === null || tab !== "graph") {
      if (back) view.elementOf(back)?.focus({ preventScroll: true });
      if (editing !== null) actions.edit(null);
      if (node && !array) say(`${node.label} has no value before the batch is loaded: take a step first.`);
      return;
    }
    editor = createEditor(node, array, actions);
    element.append(editor);
    beside(editor, camera.onScreen(node));
    const field = editor.querySelector("input");
    field?.focus({ preventScroll: true });
  }
  store.watch((s) => s.editing, openEditor);
  element.addEventListener("pointerdown", (event) => {
    if (editor && !editor.contains(/** @type {Node} */ (event.target))) actions.edit(null);
  });

  // -- what the stage watches --------------------------------------------------------------------

  async function showTab() {
    const { tab: wanted } = store.get();
    const built = parts;
    const offered = built.choices.some(({ name, why }) => name === wanted && !why);
    const neurons = wanted === "neurons" && offered ? await neuronsOf(built) : built.neurons;
    const other = offered && wanted !== "neurons" ? await pictureOf(built, wanted) : null;
    if (wanted !== store.get().tab || built !== parts) return;
    const { world, neuronWorld, camera } = built;
    const onNeurons = wanted === "neurons" && offered && neurons !== null;
    const tab = onNeurons || other ? wanted : "graph";
    if (tab !== wanted) return actions.setTab(tab);
    world.hidden = onNeurons;
    camera.map.classList.toggle("is-off", onNeurons);
    neuronWorld.hidden = !onNeurons;
    viewport.hidden = other !== null;
    picture.hidden = other === null;
    if (other && !picture.contains(other.element)) fill(picture, other.element);
    if (other) built.packets.finish();
    element.dataset.tab = tab;
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (over.querySelectorAll("[role=tab]"))) {
      const on = button.dataset.tab === tab;
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
    }
    if (onNeurons) {
      parts.packets.finish();
      const { width, height } = neurons.box;
      const room = Math.min((viewport.clientWidth - 40) / width, (viewport.clientHeight - 90) / height, store.get().projection ? 3 : 1.4);
      neuronWorld.style.setProperty("--fit", String(Math.max(room, 0.45)));
      neuronWorld.style.width = `${width * Math.max(room, 0.45)}px`;
      neuronWorld.style.height = `${height * Math.max(room, 0.45)}px`;
    }
    draw();
  }

  store.watch((s) => s.moved, show);
  store.watch((s) => [s.selected, s.hover], draw);
  store.watch((s) => s.tab, showTab);
  store.watch((s) => [s.graph, s.projection], ([graph], [was]) => {
    const held = document.activeElement?.closest("[data-scope]") ?? null;
    const name = graph === was ? null : (/** @type {HTMLElement | undefined} */ (held)?.dataset.scope ?? null);
    const pressed = held !== null && viewport.contains(held);
    parts = build(parts, pressed ? name : null);
    showTab();
    show();
    if (pressed && name) /** @type {HTMLElement | null} */ (viewport.querySelector(`[data-scope="${CSS.escape(name)}"]`))?.focus({ preventScroll: true });
  });
  store.watch((s) => s.moved, () => !folds.hidden && showFolds(store.get().graph));
  showTab();
  show();
}

/** Whether layers can be opened and closed: in a large graph, and in one where somebody has. @param {import("../types.js").Graph} graph */
const foldable = ({ nodes, scopes = [] }) => scopes.some(({ place }) => place) || (scopes.length > 1 && nodes.length > FOLDABLE);

/** Symbols = numbers = result, with fractions at full size. @param {Line} line */
function stripLine(line) {
  const parts = [math(line.symbols), ...[line.numbers, line.result].filter(Boolean).flatMap((part) => rightHandSides(math(part)))];
  for (const part of parts) {
    part.setAttribute("display", "inline");
    part.setAttribute("displaystyle", "true");
  }
  return h("div", { class: "strip-line" }, parts);
}

/** How far a long training is, and the way to end it. @param {Store<State>} store @param {Actions} actions */
function trainingView(store, actions) {
  const bar = h("progress", { "aria-label": "Training", max: 1, value: 0 });
  const words = h("span");
  const stop = h("button", { type: "button", class: "button", on: { click: actions.stopTraining } }, "Stop here");
  const plate = h("div", { class: "training plate stage-over", hidden: true }, words, bar, stop);
  let from = 0;
  store.watch(
    (s) => s.progress,
    (progress, before) => {
      plate.hidden = progress === null;
      if (!progress) return;
      if (!before) from = progress.iteration;
      words.textContent = `Iteration ${count(progress.iteration)} of ${count(progress.of)}${progress.loss === null ? "" : `, loss ${number(progress.loss)}`}`;
      bar.value = (progress.iteration - from) / Math.max(1, progress.of - from);
    },
  );
  return plate;
}

/** What hue, glyph, shape and width mean, with numbers. */
function legendView() {
  const widths = [0.001, 0.1, 10].map((size) =>
    h(
      "span",
      { class: "legend-width" },
      svg("svg", { width: 26, height: 10, "aria-hidden": "true" }, svg("path", { d: "M0 5H26", "stroke-width": widthOf(size) })),
      String(size),
    ),
  );
  return h(
    "div",
    { class: "legend", "aria-label": "Legend", role: "note" },
    h("span", { class: "role-value" }, h("span", { class: "swatch" }), "value"),
    h("span", { class: "role-grad" }, h("span", { class: "swatch" }), "∂ gradient"),
    h("span", { class: "role-update" }, h("span", { class: "swatch" }), "Δ update"),
    h("span", {}, h("span", { class: "chip-sign" }, "▲"), "positive"),
    h("span", {}, h("span", { class: "chip-sign" }, "▼"), "negative, dashed"),
    h("span", { class: "role-grad legend-widths" }, "|∂|", widths),
  );
}
