/**
 * The Learning-rate lab: the same network and seed in three to six lanes that differ in one
 * number. All lanes are trained by the server, then shown in lock-step: play, pause, scrub.
 */

import * as api from "./api.js";
import { bowlView } from "./lab_bowl.js";
import { racePicture } from "./lab_race.js";
import { fill, h, icon, svg } from "./h.js";
import { number } from "./format.js";
import { themeButton } from "./theme.js";

export const DEFAULT_RATES = [0.01, 0.1, 0.9, 1, 1.1];
export const FEWEST = 3;
export const MOST = 6;
const BOWL = { title: "The bowl f(x) = x²", program: "L = x**2", values: { x: 3 } };
const SPARE = [0.3, 0.03, 0.5, 0.003, 3, 0.001, 10];
const WHOLE = 7000;

/** A rate as typed: a positive number, or null. @param {string} text */
export function rate(text) {
  const value = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && Number.isFinite(value) && value > 0 && value <= 1e6 ? value : null;
}

/** A rate for a new lane that no lane has yet. @param {number[]} rates */
export const spareRate = (rates) => SPARE.find((r) => !rates.includes(r)) ?? Number((Math.max(...rates) * 2).toPrecision(2));

/** Lanes around the rate that a lesson uses itself. @param {number | null | undefined} own */
export const ratesAround = (own) => (own ? [0.1, 1, 10, 100, 1000].map((times) => Number((own * times).toPrecision(2))) : DEFAULT_RATES);

/** Milliseconds a step is shown, so that any run takes about seven seconds. @param {number} iterations */
export const pace = (iterations) => Math.min(350, Math.max(16, WHOLE / Math.max(1, iterations)));

/**
 * What the address asks for; what it says wrongly is left out.
 * @param {string} search
 * @returns {{lesson: string | null, rates: number[], iterations: number}}
 */
export function wishes(search) {
  const asked = new URLSearchParams(search);
  const rates = (asked.get("rates") ?? "").split(",").map(rate).filter((r) => r !== null).slice(0, MOST);
  const iterations = Math.round(Number(asked.get("iterations")));
  return {
    lesson: asked.get("lesson"),
    rates: rates.length >= FEWEST ? rates : DEFAULT_RATES,
    iterations: iterations >= 1 && iterations <= 2000 ? iterations : 40,
  };
}

/** @type {Record<string, {glyph: string, word: string}>} */
const VERDICTS = {
  crawls: { glyph: "…", word: "too small: it crawls" },
  right: { glyph: "✓", word: "just right" },
  oscillates: { glyph: "⇄", word: "too large: it swings" },
  diverges: { glyph: "↗", word: "far too large: it diverges" },
};

/**
 * A lane's verdict in words, or null before its time: a divergence shows when it happens, the
 * others when the run is over.
 * @param {{kind: string, at: number | null, says: string} | null | undefined} verdict
 * @param {number} shown @param {number} last
 */
export function verdictAt(verdict, shown, last) {
  if (!verdict) return null;
  const due = verdict.kind === "diverges" && verdict.at !== null ? Math.min(last, verdict.at) : last;
  if (shown < due) return null;
  return { ...(VERDICTS[verdict.kind] ?? { glyph: "", word: verdict.kind }), says: verdict.says };
}

/** A short sample of a lane's line: its colour and its dashes. @param {number} lane */
const sample = (lane) => svg("svg", { class: `lane-sample lane-${lane}`, viewBox: "0 0 34 12", width: 34, height: 12, "aria-hidden": "true" },
  svg("path", { class: "lane-line", d: "M2 6H32" }));

function main(/** @type {HTMLElement} */ root) {
  const wish = wishes(location.search);
  let lesson = wish.lesson;
  let { iterations } = wish;
  /** @type {{key: number, lr: number, text: string}[]} */
  let lanes = wish.rates.map((lr, key) => ({ key, lr, text: String(lr) }));
  /** @type {{lanes: any[], bowl: any[], last: number} | null} */
  let race = null;
  let shown = 0;
  let playing = false;
  let touched = new URLSearchParams(location.search).has("rates"); // then a change of network keeps the rates
  let began = 0;
  let from = 0;
  /** @type {AbortController | null} */
  let running = null;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const choose = h("select", { id: "lab-lesson" }, h("option", { value: "" }, "The bowl f(x) = x², from 3"));
  const count = h("select", { id: "lab-iterations" }, [10, 20, 40, 100, 300, 1000].map((n) => h("option", { value: n, selected: n === iterations }, String(n))));
  const complaint = h("p", { class: "complaint", role: "alert", hidden: true });
  const cards = h("ol", { class: "lab-lanes", "aria-label": "Lanes" });
  const chart = h("figure", { class: "lab-race" });
  const add = h("button", { type: "button", class: "button", on: { click: addLane } }, icon("plus", 16), "Add a lane");
  const play = h("button", { type: "button", class: "lab-play button-loud", "aria-label": "Play", on: { click: () => toggle() } }, icon("play", 26));
  const scrub = h("input", { type: "range", class: "lab-scrub", min: 0, max: iterations, value: 0, step: 1, "aria-label": "Iteration" });
  const clock = h("output", { class: "lab-clock" });
  const told = h("p", { class: "unseen", role: "status" });

  root.append(
    h("header", { class: "lab-head" },
      h("div", { class: "lab-title" }, h("h1", null, "How big should a step be?"),
        h("p", null, "Same start, same seed. Only the learning rate η differs.")),
      h("div", { class: "lab-tools" },
        h("label", { for: "lab-lesson" }, "Network"), choose,
        h("label", { for: "lab-iterations" }, "Iterations"), count, add)),
    complaint, cards, chart,
    h("div", { class: "lab-transport", role: "group", "aria-label": "Play" },
      h("button", { type: "button", class: "tool", "aria-label": "To the start", on: { click: () => jump(0) } }, icon("start")),
      h("button", { type: "button", class: "tool", "aria-label": "One iteration back", on: { click: () => jump(shown - 1) } }, icon("back")),
      play,
      h("button", { type: "button", class: "tool", "aria-label": "One iteration on", on: { click: () => jump(shown + 1) } }, icon("forward")),
      h("button", { type: "button", class: "tool", "aria-label": "To the end", on: { click: () => jump(race?.last ?? 0) } }, icon("end")),
      scrub, clock),
    told);

  /** @type {Map<number, {update: (k: number) => void}>} */
  const views = new Map();
  let picture = racePicture(chart, []);

  function drawCards() {
    views.clear();
    fill(cards, lanes.map((lane, place) => {
      const view = laneCard(lane, place);
      views.set(lane.key, view);
      return view.element;
    }));
    add.disabled = lanes.length >= MOST;
    root.dataset.lanes = String(lanes.length);
  }

  /** @param {{key: number, lr: number, text: string}} lane @param {number} place */
  function laneCard(lane, place) {
    const field = h("input", {
      type: "text", inputmode: "decimal", class: "lane-rate", value: lane.text, autocomplete: "off", "aria-label": `Learning rate of lane ${place + 1}`,
      on: {
        change: () => {
          const value = rate(field.value);
          field.setAttribute("aria-invalid", String(value === null));
          if (value === null) {
            complain(`"${field.value}" is not a learning rate; a number above 0, such as 0.1`);
            return;
          }
          touched = true;
          lane.lr = value;
          lane.text = field.value;
          run();
        },
      },
    });
    const numbers = h("p", { class: "lane-numbers" });
    const verdict = h("p", { class: "lane-verdict" });
    const bowl = bowlView(place);
    const element = h("li", { class: `lane lane-${place}` },
      h("div", { class: "lane-head" }, sample(place), h("label", { class: "lane-eta" }, h("i", null, "η"), " ", field),
        h("button", { type: "button", class: "tool lane-drop", "aria-label": `Remove the lane with rate ${lane.text}`, disabled: lanes.length <= FEWEST, on: { click: () => {
          touched = true;
          lanes = lanes.filter((other) => other !== lane);
          drawCards();
          run();
        } } }, icon("close", 16))),
      bowl.element, h("p", { class: "lane-aside" }, "the same rate in the bowl x²"), numbers, verdict);
    return {
      element,
      update(/** @type {number} */ k) {
        const result = race?.lanes[place];
        const path = race?.bowl[place]?.path ?? null;
        bowl.update(path, k);
        const loss = result?.loss[Math.min(k, result.loss.length - 1)];
        const x = lesson ? null : path?.[Math.min(k, path.length - 1)];
        fill(numbers, result && [x !== null && x !== undefined && h("span", null, "x ", h("b", null, number(x))), h("span", null, "loss ", h("b", null, number(loss)))]);
        const says = verdictAt(result?.verdict, k, race?.last ?? 0);
        verdict.className = `lane-verdict ${says ? result.verdict.kind : ""}`;
        fill(verdict, says ? [h("b", null, `${says.glyph} ${says.word}`), h("span", null, says.says)] : h("span", null, "…"));
      },
    };
  }

  function show(/** @type {number} */ k) {
    shown = Math.max(0, Math.min(race?.last ?? 0, k));
    scrub.value = String(shown);
    fill(clock, h("span", null, "iteration "), `${shown} of ${race?.last ?? iterations}`);
    scrub.setAttribute("aria-valuetext", `iteration ${shown}`);
    for (const view of views.values()) view.update(shown);
    picture.update(shown);
  }

  function frame(/** @type {number} */ now) {
    if (!playing || !race) return;
    const k = from + Math.floor((now - began) / pace(race.last));
    if (k !== shown) show(k);
    if (shown >= race.last) {
      toggle(false);
      told.textContent = race.lanes.map((lane) => `rate ${number(lane.lr)}: ${lane.verdict.says}`).join(". ");
      return;
    }
    requestAnimationFrame(frame);
  }

  function toggle(on = !playing) {
    playing = on && race !== null;
    fill(play, icon(playing ? "pause" : "play", 26));
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    if (!playing || !race) return;
    from = shown >= race.last ? 0 : shown;
    began = performance.now();
    show(from);
    requestAnimationFrame(frame);
  }

  function jump(/** @type {number} */ k) {
    toggle(false);
    show(k);
  }

  function complain(/** @type {string} */ words) {
    complaint.hidden = !words;
    complaint.textContent = words;
  }

  function remember() {
    const asked = new URLSearchParams({ rates: lanes.map((lane) => lane.lr).join(","), iterations: String(iterations) });
    if (lesson) asked.set("lesson", lesson);
    history.replaceState(null, "", `?${asked.toString().replaceAll("%2C", ",")}`);
  }

  async function run() {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    toggle(false);
    complain("");
    remember();
    root.setAttribute("aria-busy", "true");
    const rates = lanes.map(({ lr }) => ({ lr }));
    const ask = (/** @type {object} */ what) => api.sweep({ ...what, lanes: rates, iterations }, mine.signal);
    try {
      const bowl = ask({ spec: BOWL });
      const [bowls, results] = await Promise.all([bowl, lesson ? ask({ lesson }) : bowl]);
      if (mine.signal.aborted) return;
      race = { lanes: results.lanes, bowl: bowls.lanes, last: iterations };
      scrub.max = String(iterations);
      picture = racePicture(chart, results.lanes);
      show(0);
      if (still.matches) show(iterations);
      else toggle(true);
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") complain(/** @type {Error} */ (error).message);
    } finally {
      if (running === mine) root.removeAttribute("aria-busy");
    }
  }

  function addLane() {
    if (lanes.length >= MOST) return;
    touched = true;
    const lr = spareRate(lanes.map((lane) => lane.lr));
    lanes = [...lanes, { key: Math.max(...lanes.map((lane) => lane.key)) + 1, lr, text: String(lr) }];
    drawCards();
    run();
  }

  choose.addEventListener("change", async () => {
    lesson = choose.value || null;
    root.dataset.bowl = lesson ? "aside" : "main";
    if (!touched) {
      const own = lesson ? await api.lesson(lesson).then((found) => found.spec?.optimizer?.lr).catch(() => null) : null;
      lanes = ratesAround(own).map((lr, key) => ({ key, lr, text: String(lr) }));
      drawCards();
    }
    run();
  });
  count.addEventListener("change", () => {
    iterations = Number(count.value);
    run();
  });
  scrub.addEventListener("input", () => jump(Number(scrub.value)));
  addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("input, select, button, a, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      " ": () => toggle(), ArrowRight: () => jump(shown + 1), ArrowLeft: () => jump(shown - 1),
      PageDown: () => jump(shown + 1), PageUp: () => jump(shown - 1), Home: () => jump(0), End: () => jump(race?.last ?? 0),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  new ResizeObserver(() => picture.update(shown)).observe(chart);

  root.dataset.bowl = lesson ? "aside" : "main";
  drawCards();
  show(0);
  run();
  api.lessons().then(({ lessons }) => {
    choose.append(...lessons.map(({ id, title }) => h("option", { value: id, selected: id === lesson }, title)));
  }).catch((error) => complain(error.message));
}

if (typeof document !== "undefined") {
  const theme = document.querySelector('[data-do="theme"]');
  if (theme) themeButton(theme);
  const root = document.getElementById("lab");
  if (root) main(root);
}
