// The tabs over the stage: the pictures of the model beside its graph, each built when first looked at.

import { fill, h, icon } from "../h.js";
import { formButtons } from "./forms.js";
import { layersOf } from "./layers.js";
import { loadPicture, picturesOf } from "./pictures/pictures.js";

/** @import {Actions, State} from "../types.js" */
/** @import {Store} from "../store.js" */
/** @import {Child} from "../h.js" */
/** @import {Choice, Picture} from "./pictures/pictures.js" */
/** @import {Stage} from "./stage.js" */
/** @typedef {ReturnType<typeof import("./neurons.js").createNeurons>} Neurons */
/**
 * @typedef {object} Pictured
 * @property {ReturnType<typeof layersOf>} model @property {Neurons | null} neurons @property {HTMLElement} neuronWorld
 * @property {Choice[]} choices @property {Map<string, Picture>} pictures
 */

/** @param {Stage} stage @param {Store<State>} store @param {Actions} actions @param {(...words: Child[]) => void} say */
export function mountPictures(stage, store, actions, say) {
  const { element, viewport } = stage;
  const over = h("div", { class: "stage-tabs stage-over" });
  const picture = h("div", { class: "picture", hidden: true });
  viewport.after(picture, over);
  /** @type {Pictured} */
  let parts = build();

  /** Everything that depends on the graph; it stays when only scopes were opened or closed. @param {Pictured} [last] @returns {Pictured} */
  function build(last) {
    const { world, camera, same } = stage.built();
    const { graph } = store.get();
    const made = (same && last) || {
      model: layersOf(graph),
      neurons: null,
      neuronWorld: h("div", { class: "neuron-world", hidden: true }),
      choices: picturesOf(graph),
      pictures: new Map(),
    };
    world.after(made.neuronWorld);
    if (made.neurons) viewport.append(made.neurons.samples);
    fill(over, tabs(made.choices), h("div", { class: "stage-tools" }, formButtons(graph, store.get().session.spec, actions), fitButton(camera)));
    return made;
  }

  /** The neurons, built when first looked at. @param {Pictured} built @returns {Promise<Neurons | null>} */
  async function neuronsOf(built) {
    if (built.neurons || !("layers" in built.model)) return built.neurons;
    const { createNeurons } = await import("./neurons.js");
    built.neurons ??= createNeurons(built.model.layers, actions);
    built.neuronWorld.append(built.neurons.element);
    viewport.append(built.neurons.samples);
    return built.neurons;
  }

  /** One of the other pictures, built when first looked at. @param {Pictured} built @param {string} name */
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

  /** @param {{reset: () => void}} camera */
  function fitButton(camera) {
    return h("button", { type: "button", class: "tool", "aria-label": "Show the present step again", title: "Back to the present step", on: { click: () => camera.reset() } }, icon("fit", 18));
  }

  async function showTab() {
    const { tab: wanted } = store.get();
    const built = parts;
    const offered = built.choices.some(({ name, why }) => name === wanted && !why);
    const neurons = wanted === "neurons" && offered ? await neuronsOf(built) : built.neurons;
    const other = offered && wanted !== "neurons" ? await pictureOf(built, wanted) : null;
    if (wanted !== store.get().tab || built !== parts) return;
    const { neuronWorld } = built;
    const { world, camera, packets } = stage.built();
    const onNeurons = wanted === "neurons" && offered && neurons !== null;
    const tab = onNeurons || other ? wanted : "graph";
    if (tab !== wanted) return actions.setTab(tab);
    world.hidden = onNeurons;
    camera.map.classList.toggle("is-off", onNeurons);
    neuronWorld.hidden = !onNeurons;
    viewport.hidden = other !== null;
    picture.hidden = other === null;
    if (other && !picture.contains(other.element)) fill(picture, other.element);
    if (other) packets.finish();
    element.dataset.tab = tab;
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (over.querySelectorAll("[role=tab]"))) {
      const on = button.dataset.tab === tab;
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
    }
    if (onNeurons) {
      packets.finish();
      const { width, height } = neurons.box;
      const room = Math.min((viewport.clientWidth - 40) / width, (viewport.clientHeight - 90) / height, store.get().projection ? 3 : 1.4);
      neuronWorld.style.setProperty("--fit", String(Math.max(room, 0.45)));
      neuronWorld.style.width = `${width * Math.max(room, 0.45)}px`;
      neuronWorld.style.height = `${height * Math.max(room, 0.45)}px`;
    }
    stage.draw();
  }

  stage.drawAlso((state, shown) => {
    if (state.tab === "neurons") parts.neurons?.draw(state, shown);
    parts.pictures.get(state.tab)?.draw(state, shown);
  });
  store.watch((s) => s.tab, showTab);
  store.watch((s) => [s.graph, s.projection], () => {
    parts = build(parts);
    showTab();
  });
  showTab();
}
