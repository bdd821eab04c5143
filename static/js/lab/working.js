/**
 * Long work under way: how far it is, and the way to end it. Shown only when it takes a moment.
 */

import { h } from "../h.js";

const PATIENCE = 250; // ms

/** @param {() => void} cancel */
export function working(cancel) {
  const bar = h("progress", { max: 1, "aria-label": "Progress" });
  const words = h("span", null, "Training …");
  const element = h("div", { class: "lab-working", role: "status", hidden: true }, words, bar,
    h("button", { type: "button", class: "button", on: { click: cancel } }, "Cancel"));
  let timer = 0;
  return {
    element,
    /** @param {string} what */
    begin(what) {
      words.textContent = what;
      bar.removeAttribute("value");
      clearTimeout(timer);
      timer = window.setTimeout(() => { element.hidden = false; }, PATIENCE);
    },
    /** @param {number} done @param {number} of */
    heard(done, of) {
      if (of > 0) bar.value = done / of;
    },
    end() {
      clearTimeout(timer);
      element.hidden = true;
    },
  };
}
