// All of the walk page that explains a step rather than makes it: fetched beside the others, mounted when those can be pressed.

import { decays } from "./panels/decays.js";
import { h } from "./h.js";
import { mountHeader } from "./header.js";
import { keepAddress } from "./link.js";
import { mountLive } from "./live.js";
import { mount as chart } from "./panels/chart.js";
import { mountFolds } from "./panels/folds.js";
import { mount as inspector } from "./panels/inspector.js";
import { mount as learningRate } from "./panels/learning_rate.js";
import { mount as program } from "./panels/program.js";
import { mountHands } from "./panels/stage_hands.js";
import { mountPictures } from "./panels/stage_pictures.js";
import { mountWords } from "./panels/stage_words.js";

/** @import {Actions, State} from "./types.js" */
/** @import {Store} from "./store.js" */
/** @import {Stage} from "./panels/stage.js" */

/** @type {Record<string, (element: HTMLElement, store: any, actions: any) => void>} */
const PANELS = { program, inspector, chart, learning_rate: learningRate };
const OTHER_PLANS = ["accumulate", "checkpoint", "precision", "fault", "forward_mode"];

/** @param {Stage} stage @param {Store<State>} store @param {Actions} actions @param {() => void} help */
export async function mountRest(stage, store, actions, help) {
  mountHeader(store, actions, help);
  mountLive(/** @type {Element} */ (document.querySelector("#live")), store);
  if (!document.querySelector("main")?.dataset.session) keepAddress(store);
  const { say } = mountWords(stage, store, actions);
  mountFolds(stage.viewport, store, actions);
  mountPictures(stage, store, actions, say);
  mountHands(stage, store, actions, say);
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-panel]"))) {
    PANELS[element.dataset.panel ?? ""]?.(element, store, actions);
  }
  const { spec } = store.get().session;
  if (OTHER_PLANS.some((field) => spec[field]) || decays(spec)) await mountPlans(store, actions);
}

/** The panel of other plans, only where there is one: at the head of what explains. @param {Store<State>} store @param {Actions} actions */
async function mountPlans(store, actions) {
  const side = document.querySelector(".walk-side");
  const { mount } = await import("./panels/plans.js");
  const place = h("section", { class: "panel panel-plans", "aria-label": "The plan" });
  side?.prepend(place);
  mount(place, store, actions).catch(console.warn);
}
