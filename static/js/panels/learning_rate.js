/**
 * The learning rate as a control on a log scale, and training at full speed. A new rate is used
 * at the next update, and the panel says so.
 */

import { h } from "../h.js";
import { full, number } from "../format.js";
import { wished } from "./edits.js";

/** @import {Store} from "../store.js" */
/** @import {State, Actions} from "../types.js" */

const LOW = -5;
const HIGH = 1;
const MANY = [10, 100, 1000];

/** Slider place to rate, with two digits, so that a drag gives rates one can say. @param {number} place */
export const rateOf = (place) => Number((10 ** place).toPrecision(2));

/** Rate to slider place; what is outside stays at the end. @param {number} rate */
export const placeOf = (rate) => Math.min(HIGH, Math.max(LOW, rate > 0 ? Math.log10(rate) : LOW));

/** A typed rate, or null when it is none. @param {string} text */
export function typed(text) {
  const rate = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && Number.isFinite(rate) && rate >= 0 ? rate : null;
}

/** @param {HTMLElement} element @param {Store<State>} store @param {Actions} actions */
export function mount(element, store, actions) {
  const slider = h("input", {
    type: "range", min: LOW, max: HIGH, step: 0.05, class: "rate-slider", "aria-label": "Learning rate",
  });
  const field = h("input", {
    type: "text", inputmode: "decimal", class: "rate-field", size: 7, autocomplete: "off",
    "aria-label": "Learning rate as a number",
  });
  const note = h("p", { class: "rate-note", role: "status" });
  const buttons = MANY.map((n) => h("button", {
    type: "button", class: "button", "aria-label": `Train ${n} iterations`, on: { click: () => train(n) },
  }, String(n)));
  const progress = h("progress", { class: "rate-progress", max: 1, value: 0, "aria-label": "Training", hidden: true });

  element.classList.add("rate");
  element.append(
    h("div", { class: "rate-line" },
      h("h2", { class: "rate-title" }, "Learning rate"), h("span", { class: "rate-eta", "aria-hidden": "true" }, "η"), slider, field),
    h("div", { class: "rate-line" },
      h("span", { class: "rate-name", title: "Train this many iterations" }, "Train"), ...buttons, note),
    progress,
  );

  const set = (/** @type {number} */ rate) => {
    actions.patch({ lr: rate });
    note.textContent = "from next update";
  };
  slider.addEventListener("input", () => { field.value = String(rateOf(Number(slider.value))); });
  slider.addEventListener("change", () => set(rateOf(Number(slider.value))));
  const enter = () => {
    const rate = typed(field.value);
    field.setAttribute("aria-invalid", String(rate === null));
    if (rate === null) {
      note.textContent = "no rate: try 0.1";
      return;
    }
    if (rate !== wished(store.get(), "lr")) set(rate);
  };
  field.addEventListener("change", enter); // Enter changes it, too
  for (const input of [slider, field]) input.addEventListener("keydown", (event) => event.stopPropagation());

  /** @param {number} n */
  async function train(n) {
    for (const button of buttons) button.disabled = true;
    progress.hidden = false;
    progress.removeAttribute("value");
    try {
      await actions.train(n);
    } finally {
      for (const button of buttons) button.disabled = false;
      progress.hidden = true;
    }
  }

  function draw() {
    const settings = store.get().session?.settings;
    if (!settings) return;
    const fixed = settings.lr === null || settings.lr === undefined;
    element.hidden = fixed; // a program without an optimizer has no rate
    if (fixed) return;
    const rate = wished(store.get(), "lr");
    if (document.activeElement !== field) field.value = full(rate);
    slider.value = String(placeOf(rate));
    slider.setAttribute("aria-valuetext", number(rate));
    if (settings.lr_now !== settings.lr && settings.lr_now !== null) {
      note.textContent = `now ${number(settings.lr_now)}, scheduled`;
    }
  }
  let from = 0;
  store.watch((s) => s.progress, (told, before) => {
    if (!told) return;
    if (!before) from = told.iteration;
    if (told.of > from) progress.value = (told.iteration - from) / (told.of - from);
  });
  store.watch((s) => [s.session?.settings, s.session?.changes], draw);
  draw();
}
