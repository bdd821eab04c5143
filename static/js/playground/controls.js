// The choices as buttons, lists and sliders: they show what is chosen and tell of a change.

import { number, percent } from "../format.js";
import { fill, h, icon } from "../h.js";
import { signColour } from "../scale.js";
import { DEFAULT, LISTS, applying, isOwn, isSequence } from "./choices.js";
import { mountTable } from "./table.js";

/** @import {Choices, Own} from "./choices.js" */
/**
 * @typedef {{default: any, summary: string}} Option
 * @typedef {{name: string, task: string, classes: number | null, summary: string, options: Record<string, Option>, points?: number[][], picture?: number[][], tokens?: number[][]}} Set
 */
/**
 * @typedef {object} Ways
 * @property {(changed: Partial<Choices>) => unknown} change
 * @property {(lr: number) => void} rate
 * @property {(name: string) => void} chooseSet
 * @property {() => void} clearPoints
 * @property {(own: Own) => void} useTable
 */

const PENALTIES = [0, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1];
const ENDS = [["", "never"], ["loss", "loss < 0.05"], ["gradient", "gradient < 0.01"], ["dead", "a ReLU dies"], ["fading", "neuron’s ∂ < 0.001"], ["patience", "no better (early)"]];
/** How a slider's number is written. @type {Record<string, (value: number) => string>} */
const SHOWN = {
  noise: (v) => number(v),
  samples: String,
  validation: percent,
  batch: (v) => (v ? String(v) : "all"),
  dropout: (v) => (v ? percent(v) : "none"),
  jitter: (v) => (v ? number(v) : "none"),
  shift: (v) => (v ? `${v} pixel${v > 1 ? "s" : ""}` : "none"),
  embedding: (v) => (v ? String(v) : "none"),
};
const MOST_MARKS = 5; // classes that a click may add
const NUMERIC = new Set(["l1", "l2"]);
const MOST_SEED = 2 ** 32 - 1;
/** What the catalogue calls otherwise. @type {Record<string, string>} */
const CALLED = { one: "overfit_one_batch", dataSeed: "seed" };

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(`play-${id}`));

/** A learning rate as typed, or null. @param {string} text */
export function rateOf(text) {
  const value = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && Number.isFinite(value) && value >= 0 ? value : null;
}

/** A token cannot come back after the end. @param {any} data */
const fitting = (data) => ("delay" in data ? { ...data, delay: Math.min(data.delay, data.length - 1) } : data);

/** A seed as typed: a whole number, null for none, undefined for what is no seed. @param {string} text */
export function seedOf(text) {
  if (text.trim() === "") return null;
  const value = Number(text.trim());
  return Number.isInteger(value) && value >= 0 && value <= MOST_SEED ? value : undefined;
}

/** A rate from the slider's power of ten, as people write it. @param {number} power */
export const rateAt = (power) => Number((10 ** power).toPrecision(power % 1 === 0 ? 1 : 2));

/** @param {Set[]} sets @param {Record<string, string>} words  the catalogue's, for options of all data @param {Ways} ways */
export function mountControls(sets, words, ways) {
  let kind = 1;
  const known = Object.fromEntries(sets.map((set) => [set.name, set]));
  const buttons = sets.map((set) => {
    const picture = h("canvas", { width: 68, height: 68, "aria-hidden": "true" });
    thumbnail(/** @type {CanvasRenderingContext2D} */ (picture.getContext("2d")), set);
    return h("button", {
      type: "button", class: "play-set", role: "radio", "aria-checked": "false", title: set.summary, dataset: { set: set.name },
      on: { click: () => ways.chooseSet(set.name), keydown: (/** @type {KeyboardEvent} */ event) => turn(event, set.name) },
    }, picture, set.name);
  });
  fill(at("sets"), buttons);

  /** @param {KeyboardEvent} event @param {string} name */
  function turn(event, name) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (sets.findIndex((set) => set.name === name) + by + sets.length) % sets.length;
    ways.chooseSet(sets[next].name);
    buttons[next].focus();
  }

  const own = at("own");
  const marks = h("span", { class: "play-marks" });
  /** What a click adds: a class, or a high or low number; on a line the place says it. @param {string[]} names */
  function offer(names) {
    const key = names.join();
    if (marks.dataset.key === key) return;
    marks.dataset.key = key;
    kind = Math.min(1, Math.max(0, names.length - 1));
    const buttons = names.map((name, value) => h("button", {
      type: "button", class: "tool", "aria-pressed": String(value === kind), on: { click: () => {
        kind = value;
        buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === kind)));
      } },
    }, name));
    fill(marks, names.length ? "Click adds" : "", buttons);
  }
  fill(own, marks,
    h("button", { type: "button", class: "tool play-link", "aria-label": "Empty plane", title: "An empty plane, for samples of your own", on: { click: ways.clearPoints } }, "Empty"),
    h("button", { type: "button", class: "tool play-link", title: "A table of your own", on: { click: mountTable(ways.useTable) } }, "CSV …"));

  for (const [list, options] of Object.entries({ activation: LISTS.activation, cell: LISTS.cell, init: LISTS.init, norm: LISTS.norm, optimizer: LISTS.optimizer, schedule: LISTS.schedule })) {
    fill(at(list), options.map(([value, word]) => h("option", { value }, word)));
  }
  fill(at("until"), ENDS.map(([value, word]) => h("option", { value }, word)));
  for (const list of ["l1", "l2"]) fill(at(list), PENALTIES.map((value) => h("option", { value }, value ? number(value) : "none")));

  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-choice]"))) {
    const name = field.dataset.choice ?? "";
    field.addEventListener("change", () => {
      const value = read(field, name);
      field.setAttribute("aria-invalid", String(value === undefined));
      if (value !== undefined) changed(name, value);
    });
    if (field.type === "range") field.addEventListener("input", () => tell(name, Number(field.value)));
    const about = words[CALLED[name] ?? name];
    if (about) field.labels?.[0].setAttribute("title", about);
  }

  /** What stands in a field; undefined if it cannot be meant. @param {HTMLInputElement} field @param {string} name */
  function read(field, name) {
    if (field.type === "checkbox") return field.checked;
    if (name === "seed") return seedOf(field.value) ?? undefined;
    if (name === "dataSeed") return seedOf(field.value);
    return field.type === "range" || NUMERIC.has(name) ? Number(field.value) : field.value;
  }

  /** @type {Choices | null} */
  let choices = null;

  /** @param {string} name @param {number | string | boolean | null} value */
  function changed(name, value) {
    if (!choices) return;
    if (!(name in choices) && !isOwn(choices.data)) ways.change({ data: fitting({ ...choices.data, [name]: value }) });
    else ways.change({ [name]: value });
  }

  /** How much of what is folded away is not as usual. @param {Record<string, any>} values @param {Record<string, any>} usual */
  function folds(values, usual) {
    for (const fold of document.querySelectorAll(".play-fold")) {
      const names = [.../** @type {NodeListOf<HTMLInputElement>} */ (fold.querySelectorAll("[data-choice]"))].filter((field) => !field.disabled).map((field) => field.dataset.choice ?? "");
      const other = names.filter((name) => values[name] !== usual[name]).length;
      fill(/** @type {Element} */ (fold.querySelector(".play-fold-set")), other ? [String(other), h("span", { class: "unseen" }, " changed")] : "");
      /** @type {HTMLElement} */ (fold).hidden = names.length === 0;
    }
  }

  /** @param {string} name @param {number} value */
  function tell(name, value) {
    const place = document.querySelector(`[data-shown="${name}"]`);
    if (place) place.textContent = SHOWN[name]?.(value) ?? String(value);
  }

  const slider = /** @type {HTMLInputElement} */ (at("lr-slider"));
  const typed = /** @type {HTMLInputElement} */ (at("lr"));
  slider.addEventListener("input", () => {
    const lr = rateAt(Number(slider.value));
    typed.value = String(lr);
    typed.setAttribute("aria-invalid", "false");
    ways.rate(lr);
  });
  typed.addEventListener("change", () => {
    const lr = rateOf(typed.value);
    typed.setAttribute("aria-invalid", String(lr === null));
    if (lr === null) return;
    if (lr > 0) slider.value = String(Math.log10(lr));
    ways.rate(lr);
  });

  let begun = false;
  /** What to press, then what more there is. @param {number} many  classes, 0 for regression */
  function hint(many) {
    if (begun || !choices) return;
    const { data } = choices;
    const task = isOwn(data) || !isSequence(data, known) ? ofPoints(many)
      : "delay" in data ? `say each token again, ${data.delay} steps later` : "tell whether the ones are odd in number";
    fill(at("hint"), h("b", null, "Press play."), ` The network learns to ${task}.`);
  }

  /** @param {number} many */
  function ofPoints(many) {
    return many === 2 ? "tell ● from ▲" : many ? `tell ${many} classes apart` : "follow the samples";
  }

  return {
    kind: () => kind,

    /** The first press has been made. */
    begun() {
      begun = true;
      fill(at("hint"), "Freeze it at any update and walk through that very one, node by node.");
    },

    /** @param {Choices} next @param {number} many  classes, 0 for regression */
    show(next, many) {
      choices = next;
      const ours = isOwn(next.data);
      buttons.forEach((button) => {
        const on = !ours && /** @type {{dataset: string}} */ (next.data).dataset === button.dataset.set;
        button.setAttribute("aria-checked", String(on));
        button.tabIndex = on || (ours && button === buttons[0]) ? 0 : -1;
      });
      fill(at("loss"), LISTS[many ? "classification" : "regression"].map(([value, word]) => h("option", { value }, word)));
      const values = /** @type {Record<string, any>} */ ({ ...next, ...(ours ? {} : next.data) });
      const options = isOwn(next.data) ? {} : known[next.data.dataset]?.options ?? {};
      const may = applying(next, known);
      hint(many);
      for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-choice]"))) {
        const name = field.dataset.choice ?? "";
        const value = values[name];
        field.disabled = value === undefined || may[name] === false;
        field.labels?.[0].toggleAttribute("hidden", field.disabled);
        if (field.disabled) continue;
        if (options[name]) field.labels?.[0].setAttribute("title", options[name].summary);
        field.setAttribute("aria-invalid", "false");
        if (field.type === "checkbox") field.checked = value;
        else field.value = String(value ?? "");
        tell(name, Number(value));
      }
      folds(values, { ...DEFAULT, ...Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default])) });
      typed.value = String(next.lr);
      if (next.lr > 0) slider.value = String(Math.log10(next.lr));
    },

    /** What a click into the plane may add. @param {import("./live.js").Scene} scene */
    marks({ flat, domain, classes: many }) {
      if (!flat || domain.length === 1) offer([]);
      else if (many > 2) offer(Array.from({ length: Math.min(many, MOST_MARKS) }, (_, i) => String(i)));
      else offer(many ? ["●", "▲"] : ["−1", "+1"]);
    },

    /** @param {number} n @param {boolean} recurrent */
    layers(n, recurrent) {
      at("recurrent").hidden = !recurrent;
      at("layers").textContent = n === 1 ? "1 hidden layer" : `${n || "no"} hidden layers`;
      /** @type {HTMLButtonElement} */ (at("fewer")).disabled = n === (recurrent ? 1 : 0);
      /** @type {HTMLButtonElement} */ (at("more")).disabled = n >= 6;
    },

    /** The ends of the colour scale in words. @param {import("./live.js").Scene} scene @param {number} limit @param {boolean} answer  whether the answer is shown */
    scale({ classes: many, sequences }, limit, answer) {
      const names = sequences ? ["0", "1"] : ["●", "▲"];
      const ends = many === 2 && answer ? names.map((name) => `surely ${name}`) : [number(many > 2 && answer ? 0 : -limit), number(limit)];
      ["low", "high"].forEach((name, i) => {
        if (at(name).textContent !== ends[i]) at(name).textContent = ends[i];
      });
    },

    /** @param {string} words */
    caption(words) {
      if (at("caption").textContent !== words) at("caption").textContent = words;
    },

    /** @param {number[][] | undefined} counts @param {string} which */
    confusion(counts, which) {
      const table = at("confusion");
      table.hidden = !counts;
      if (!counts) return;
      const named = choices && isOwn(choices.data) ? choices.data.classes : null;
      const tokens = choices && isSequence(choices.data, known);
      const names = counts.length === 2 && !tokens ? ["●", "▲"] : counts.map((_, i) => named?.[i] ?? String(i));
      const key = `${counts.flat()} ${which}`;
      if (table.dataset.key === key) return;
      table.dataset.key = key;
      table.classList.toggle("is-large", counts.length > 3);
      fill(table,
        h("thead", null, h("tr", null, h("th", { scope: "col" }, counts.length > 2 ? "is ╲ said" : `${which}: is`), names.map((name) => h("th", { scope: "col" }, counts.length > 2 ? name : `taken for ${name}`)))),
        h("tbody", null, counts.map((row, i) => h("tr", null, h("th", { scope: "row" }, names[i]), row.map((n) => h("td", null, String(n)))))));
    },

    /** What can be done about what was said. @param {(() => void) | null} walk @param {() => void} close */
    ways: (walk, close) => [
      walk && h("button", { type: "button", class: "button", on: { click: walk } }, "Walk through it"),
      h("button", { type: "button", class: "tool", "aria-label": "Close", on: { click: close } }, icon("close", 16)),
    ],
  };
}

/** @param {CanvasRenderingContext2D} brush @param {Set} set */
function thumbnail(brush, { points, picture, tokens, task }) {
  const size = brush.canvas.width;
  tokens?.forEach((row, y) => row.forEach((token, x) => {
    const cell = size / row.length;
    brush.fillStyle = signColour(token ? 1 : -1, token ? 1 : 6);
    brush.fillRect(x * cell + 1, (y * size) / tokens.length + 1, cell - 3, size / tokens.length - 3);
  }));
  if (picture) {
    const cell = size / picture.length;
    picture.forEach((row, y) => row.forEach((grey, x) => {
      brush.fillStyle = signColour(grey, 1);
      brush.fillRect(x * cell, y * cell, cell + 0.5, cell + 0.5);
    }));
  }
  if (!points) return;
  const reach = 1.1 * Math.max(...points.map(([x, y]) => Math.max(Math.abs(x), Math.abs(y))));
  const corner = points[0].length === 3 && points.every(([x, y]) => x > -0.5 && y > -0.5);
  for (const point of points) {
    const target = point[point.length - 1];
    const [x, y] = [point[0], point[1]].map((v) => (corner ? (v - 0.5) / 0.9 : v / reach));
    brush.fillStyle = task === "regression" ? (point.length === 2 ? signColour(1, 1) : signColour(target, 1)) : signColour(target ? 1 : -1, 1);
    brush.beginPath();
    brush.arc((size * (1 + 0.92 * x)) / 2, (size * (1 - 0.92 * y)) / 2, 3, 0, 2 * Math.PI);
    brush.fill();
  }
}
