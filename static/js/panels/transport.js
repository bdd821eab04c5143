// The transport: one loud button, small ones around it, a scrubber with one band a phase, and a counter each for step,
// iteration and epoch. Every button says what it advances.

import { count } from "../format.js";
import { fill, h, icon } from "../h.js";
import { boundaries } from "../timeline.js";

/** @import {Actions, State} from "../types.js" */
/** @import {Store} from "../store.js" */

const SPEEDS = [0.5, 1, 2, 4, 8, 16];
const MANY_BANDS = 8; // more words than this do not fit; then only those around the present step are shown
const PHASE_NAMES = { data: "data", zero_grad: "zero", forward: "forward", loss: "loss", backward: "backward", clip: "clip", update: "update" };

/** @param {HTMLElement} element @param {Store<State>} store @param {Actions} actions */
export function mount(element, store, actions) {
  /** @param {string} name @param {string} label @param {string} key @param {() => void} run */
  const tool = (name, label, key, run) =>
    h("button", { type: "button", class: "tool transport-tool", "aria-label": label, title: `${label} (${key})`, on: { click: run } }, icon(name, 22));

  const play = h("button", { type: "button", class: "play", on: { click: actions.toggle } });
  const plate = h("div", { class: "transport-hint plate" }, h("kbd", {}, "Space"), " plays", h("kbd", {}, "→"), " next step");
  const speed = h(
    "select",
    { class: "speed", "aria-label": "Speed of playing", title: "Speed of playing", on: { change: chooseSpeed } },
    SPEEDS.map((s) => h("option", { value: s, selected: s === 1 }, `${s}×`)),
  );

  /** The keys are the transport's again after a choice. */
  function chooseSpeed() {
    actions.setSpeed(Number(speed.value));
    speed.blur();
  }

  // -- scrubber ----------------------------------------------------------------------------------

  const bands = h("div", { class: "bands", "aria-hidden": "true" });
  const words = h("div", { class: "band-words", "aria-hidden": "true" });
  const thumb = h("div", { class: "thumb", "aria-hidden": "true" });
  const scrubber = h("div", { class: "scrubber", role: "slider", tabindex: 0, "aria-label": "Step of this iteration", "aria-valuemin": 0 }, words, bands, h("div", { class: "thumb-way" }, thumb));

  /** @param {PointerEvent} event */
  const stepAt = (event) => {
    const box = bands.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return Math.round(share * store.get().plan.length);
  };
  let dragging = false;
  scrubber.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    dragging = true;
    scrubber.setPointerCapture(event.pointerId);
    scrub(event);
  });
  scrubber.addEventListener("pointermove", (event) => dragging && scrub(event));
  for (const type of ["pointerup", "pointercancel"]) scrubber.addEventListener(type, () => (dragging = false));
  /** @param {PointerEvent} event */
  function scrub(event) {
    const step = stepAt(event);
    const { position } = store.get();
    if (step !== position.step) actions.seek({ iteration: position.iteration, step });
  }
  scrubber.addEventListener("keydown", (event) => {
    const { position, plan } = store.get();
    /** @type {Record<string, () => void>} */
    const ways = {
      ArrowRight: () => actions.step(1),
      ArrowLeft: () => actions.step(-1),
      ArrowDown: () => actions.phase(1),
      ArrowUp: () => actions.phase(-1),
      Home: () => actions.seek({ iteration: position.iteration, step: 0 }),
      End: () => actions.seek({ iteration: position.iteration, step: plan.length }),
    };
    if (!ways[event.key] || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    ways[event.key]();
  });

  // -- counters ----------------------------------------------------------------------------------

  /** @param {string} name @param {HTMLElement} value @param {import("../h.js").Child[]} buttons */
  const counter = (name, value, ...buttons) =>
    h("div", { class: `counter counter-${name}` }, h("span", { class: "counter-name" }, name), value, h("span", { class: "counter-buttons" }, buttons));
  /** @param {string} text @param {string} label @param {() => void} run */
  const add = (text, label, run) => h("button", { type: "button", class: "tool counter-add", "aria-label": label, title: label, on: { click: run } }, text);
  const step = h("span", { class: "counter-value" });
  const iteration = h("span", { class: "counter-value" });
  const epoch = h("span", { class: "counter-value" });

  fill(
    element,
    h("div", { class: "transport-main" }, play, plate),
    h(
      "div",
      { class: "transport-tools" },
      tool("start", "To the start of the iteration", "Home", actions.toStart),
      tool("back", "One step back", "←", () => actions.step(-1)),
      tool("forward", "Next step", "→", () => actions.step(1)),
      tool("end", "To the end of the iteration", "End", actions.toEnd),
      speed,
    ),
    scrubber,
    h(
      "div",
      { class: "counters" },
      counter("step", step),
      counter("iteration", iteration, add("+1", "Run one iteration", () => actions.iteration(1)), add("+100", "Run 100 iterations", () => actions.train(100))),
      counter("epoch", epoch, add("+1", "Run one epoch", () => actions.epoch(1))),
    ),
  );

  /** @type {number[]} where bands begin, if they are too many for words */
  let marked = [];
  /** @type {number[]} where bands begin */
  let begins = [];

  function drawBands() {
    const { plan } = store.get();
    const marks = boundaries(plan);
    const pieces = marks.slice(0, -1).map((from, i) => {
      const { phase } = plan[from];
      const name = /** @type {Record<string, string>} */ (PHASE_NAMES)[phase] ?? phase.replaceAll("_", " ");
      const many = marks[i + 1] - from;
      const title = `${name}: step${many > 1 ? `s ${from + 1} to ${marks[i + 1]}` : ` ${from + 1}`}`;
      return { phase, name, title, many, style: { "--band": `var(--phase-${phase}, var(--phase-data))` } };
    });
    fill(words, h("i"), pieces.map(({ phase, name, many, style }) =>
      h("span", { class: "band-word", dataset: { phase }, style: { ...style, "--many": many } }, name)), h("i"));
    fill(bands, pieces.map(({ phase, title, many, style }) => h("div", { class: "band", dataset: { phase }, title, style: { ...style, "flex-grow": many } })));
    begins = marks;
    marked = pieces.length > MANY_BANDS ? marks : [];
    words.classList.toggle("crowded", marked.length > 0);
  }

  /** Words that would be cut off at the end are too many as well. */
  function fitWords() {
    words.classList.remove("crowded");
    const crowded = begins.length > MANY_BANDS + 1 || words.scrollWidth > words.clientWidth + 1;
    words.classList.toggle("crowded", crowded);
    marked = crowded ? begins : [];
    drawWords(store.get().position.step);
  }

  /** Where there are too many words: that of the present band and of those beside it, where the thumb is. @param {number} done */
  function drawWords(done) {
    const here = Math.max(0, marked.findIndex((from, i) => done <= (marked[i + 1] ?? from)));
    words.querySelectorAll(".band-word").forEach((word, i) => {
      word.classList.toggle("is-near", marked.length > 0 && Math.abs(i - here) <= 1);
      word.classList.toggle("is-here", marked.length > 0 && i === here);
    });
  }

  function draw() {
    const { position, plan, frame, session, moved } = store.get();
    const share = plan.length ? position.step / plan.length : 0;
    element.style.setProperty("--done", String(share));
    drawWords(position.step);
    step.textContent = `${position.step} / ${plan.length}`;
    iteration.textContent = count(position.iteration);
    const batches = Math.max(1, session.counters.batches || 1);
    epoch.textContent = count(Math.floor(position.iteration / batches));
    scrubber.setAttribute("aria-valuemax", String(plan.length));
    scrubber.setAttribute("aria-valuenow", String(position.step));
    scrubber.setAttribute("aria-valuetext", `step ${position.step} of ${plan.length}${frame ? `, ${frame.phase}` : ""}`);
    plate.toggleAttribute("hidden", moved > 1);
    element.dataset.phase = frame?.phase ?? "";
  }

  function drawPlay() {
    const { playing } = store.get();
    fill(play, icon(playing ? "pause" : "play", 26));
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    play.setAttribute("title", playing ? "Pause (Space)" : "Play, step after step (Space)");
  }

  store.watch((s) => s.plan, () => {
    drawBands();
    draw();
    fitWords();
  });
  store.watch((s) => [s.position, s.session.counters], draw);
  store.watch((s) => s.playing, drawPlay);
  drawBands();
  drawPlay();
  draw();
  new ResizeObserver(fitWords).observe(words); // also once at the start, when the page stands
}
