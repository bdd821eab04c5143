/**
 * The lab's own clock: the lanes are trained already, and are shown in lock-step: play, pause, to any iteration.
 */

import { fill, h, icon } from "../h.js";

const WHOLE = 7000;

/** Milliseconds a step is shown, so that any run takes about seven seconds. @param {number} iterations */
export const pace = (iterations) => Math.min(350, WHOLE / Math.max(1, iterations));

/**
 * @param {{show: (k: number) => void, ended: () => void, held: () => void}} page  `held`: a person went somewhere
 */
export function transport(page) {
  let shown = 0;
  let last = 0;
  let playing = false;
  let began = 0;
  let from = 0;

  const play = h("button", { type: "button", class: "lab-play button-loud", "aria-label": "Play", on: { click: () => toggle() } }, icon("play", 26));
  const scrub = h("input", { type: "range", class: "lab-scrub", min: 0, max: 1, value: 0, step: 1, "aria-label": "Iteration" });
  const clock = h("output", { class: "lab-clock" });
  const tool = (/** @type {string} */ name, /** @type {string} */ label, /** @type {() => void} */ click) =>
    h("button", { type: "button", class: "tool", "aria-label": label, on: { click } }, icon(name));
  const element = h("div", { class: "lab-transport", role: "group", "aria-label": "Play" },
    tool("start", "To the start", () => jump(0)), tool("back", "One iteration back", () => jump(shown - 1)), play,
    tool("forward", "One iteration on", () => jump(shown + 1)), tool("end", "To the end", () => jump(last)), scrub, clock);

  function show(/** @type {number} */ k) {
    shown = Math.max(0, Math.min(last, k));
    scrub.value = String(shown);
    fill(clock, h("span", null, "iteration "), `${shown} of ${last}`);
    scrub.setAttribute("aria-valuetext", `iteration ${shown}`);
    page.show(shown);
  }

  function frame(/** @type {number} */ now) {
    if (!playing) return;
    const k = from + Math.floor((now - began) / pace(last));
    if (k !== shown) show(k);
    if (shown >= last) {
      toggle(false);
      page.ended();
      return;
    }
    requestAnimationFrame(frame);
  }

  function toggle(on = !playing) {
    playing = on && last > 0;
    fill(play, icon(playing ? "pause" : "play", 26));
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    if (!playing) return;
    from = shown >= last ? 0 : shown;
    began = performance.now();
    show(from);
    requestAnimationFrame(frame);
  }

  function jump(/** @type {number} */ k) {
    toggle(false);
    show(k);
    page.held();
  }

  scrub.addEventListener("input", () => jump(Number(scrub.value)));
  let pointed = false; // after a click on a button, Space is the clock's; on one reached by the Tab key, it is the button's
  addEventListener("pointerdown", () => { pointed = true; }, { capture: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Tab") pointed = false;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("input, select, textarea, dialog, details") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && !pointed && target.closest("button, a")) return;
    const act = {
      " ": () => toggle(), ArrowRight: () => jump(shown + 1), ArrowLeft: () => jump(shown - 1),
      PageDown: () => jump(shown + 1), PageUp: () => jump(shown - 1), Home: () => jump(0), End: () => jump(last),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  addEventListener("keyup", (event) => {
    if (event.key === " " && pointed && /** @type {HTMLElement} */ (event.target).closest("button")) event.preventDefault();
  });

  return {
    element, show, toggle,
    at: () => shown,
    playing: () => playing,
    /** A run of so many iterations stands ready. @param {number} iterations */
    ready(iterations) {
      last = iterations;
      scrub.max = String(iterations);
    },
  };
}
