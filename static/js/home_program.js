/** A visitor's own formula: type it, give its names numbers, walk through it. */

import * as api from "./api.js";
import { fill, h } from "./h.js";

const EXAMPLES = ["L = (w*x + b)**2", "a = sigmoid(w*x + b)\nL = 0.5 * (a - y)**2", "b = a + a\nL = 3 * b * b"];
const FIRST = /** @type {Record<string, string>} */ ({ w: "2", x: "3", b: "1", y: "1", a: "1", t: "1" });

/**
 * The names that need a number: used before the program gives them one, and not functions.
 * @param {string} program
 * @returns {string[]}
 */
export function freeNames(program) {
  const known = new Set();
  /** @type {string[]} */
  const free = [];
  for (const line of program.split(/\n|;/)) {
    const text = line.replace(/#.*$/, "");
    const assigned = /^\s*([\p{L}_][\p{L}\p{M}\p{N}_]*)\s*[-+*/@]?\*?=(?!=)/u.exec(text);
    const augmented = assigned && /[-+*/@]\s*=$/.test(assigned[0]);
    const right = assigned && !augmented ? text.slice(assigned[0].length) : text.replace(/=/, " ");
    for (const found of right.matchAll(/(\.\s*)?([\p{L}_][\p{L}\p{M}\p{N}_]*)(\s*\(|\s*=(?!=))?/gu)) {
      const [whole, dot, name, after] = found;
      const inNumber = /[\d.]$/.test(right.slice(0, found.index)) && /^[eE]\d*$/.test(whole.trim());
      if (dot || after || inNumber || known.has(name) || free.includes(name)) continue;
      free.push(name);
    }
    if (assigned && !free.includes(assigned[1])) known.add(assigned[1]);
  }
  return free;
}

/**
 * A value as typed: a number, or nested lists of numbers; null when it is neither.
 * @param {string} text
 * @returns {any}
 */
export function valueOf(text) {
  const plain = text.trim().replaceAll("−", "-");
  if (/^(NaN|-?Infinity)$/.test(plain)) return plain;
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain)) return Number(plain);
  if (!plain.startsWith("[")) return null;
  try {
    const lists = JSON.parse(plain);
    const sound = (/** @type {any} */ part) => (Array.isArray(part) ? part.length > 0 && part.every(sound) : typeof part === "number");
    return sound(lists) ? lists : null;
  } catch {
    return null;
  }
}

/**
 * Where in the text an error lies, as an offset; null when it does not say.
 * @param {string} program @param {string} words  message and place of an error
 */
export function offsetOf(program, words) {
  const found = /line (\d+),? column (\d+)/i.exec(words);
  if (!found) return null;
  const lines = program.split("\n");
  const line = Math.min(lines.length, Math.max(1, Number(found[1]))) - 1;
  const before = lines.slice(0, line).reduce((sum, l) => sum + l.length + 1, 0);
  return before + Math.min(lines[line].length, Math.max(1, Number(found[2])) - 1);
}

/** @param {HTMLElement} element */
export function mountProgram(element) {
  const text = h("textarea", { id: "own-program", class: "own-text", rows: 3, spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-describedby": "own-wrong", maxlength: 2000 });
  const values = h("div", { class: "own-values", role: "group", "aria-label": "Values" });
  const wrong = h("div", { id: "own-wrong", class: "own-wrong", role: "alert" });
  const go = h("button", { type: "submit", class: "button button-loud" }, "Walk through it");
  const examples = h("p", { class: "own-examples" }, "or try ", EXAMPLES.slice(1).map((example) => h("button", {
    type: "button", class: "own-example", on: { click: () => {
      text.value = example;
      listen();
      text.focus();
    } },
  }, example.replace("\n", "; "))));
  /** @type {Map<string, string>} */
  const typed = new Map();

  function listen() {
    fill(wrong);
    text.rows = Math.min(8, Math.max(2, text.value.split("\n").length));
    const names = freeNames(text.value);
    const shown = [...values.querySelectorAll("input")].map((input) => input.name);
    if (shown.join() === names.join() && shown.length) return;
    fill(values, names.map((name) => {
      const input = h("input", { type: "text", name, value: typed.get(name) ?? FIRST[name] ?? "1", size: 6, autocomplete: "off", spellcheck: "false" });
      input.addEventListener("input", () => {
        typed.set(name, input.value);
        fill(wrong);
      });
      return h("label", { class: "own-value" }, h("span", null, `${name} =`), input);
    }));
  }

  /** @param {any} error */
  function complain(error) {
    const place = offsetOf(text.value, `${error.where ?? ""} ${error.message}`);
    text.setAttribute("aria-invalid", "true");
    if (place === null) {
      fill(wrong, h("p", null, error.message));
      return;
    }
    const before = text.value.slice(0, place);
    const start = before.lastIndexOf("\n") + 1;
    const line = text.value.slice(start).split("\n")[0];
    const at = place - start;
    fill(wrong, h("pre", { class: "own-line", "aria-hidden": "true" }, line.slice(0, at), h("mark", null, line.slice(at, at + 1) || " "), line.slice(at + 1)),
      h("p", null, `${error.where}: ${error.message}`));
    text.focus();
    text.setSelectionRange(place, Math.min(text.value.length, place + 1));
  }

  const form = h("form", { class: "own-form" },
    h("label", { for: "own-program", class: "unseen" }, "Your formula"),
    text, values, wrong, h("div", { class: "own-go" }, go, examples));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(wrong);
    text.removeAttribute("aria-invalid");
    /** @type {Record<string, any>} */
    const given = {};
    for (const input of values.querySelectorAll("input")) {
      const value = valueOf(input.value);
      input.setAttribute("aria-invalid", String(value === null));
      if (value === null) {
        fill(wrong, h("p", null, `${input.name} is "${input.value}": write a number such as 0.5, or lists such as [1, 2]`));
        input.focus();
        return;
      }
      given[input.name] = value;
    }
    go.disabled = true;
    try {
      const session = await api.createSession({ spec: { program: text.value, values: given } });
      location.assign(`/walk/session/${encodeURIComponent(session.id)}`);
    } catch (error) {
      complain(error);
    } finally {
      go.disabled = false;
    }
  });
  text.addEventListener("input", () => {
    text.removeAttribute("aria-invalid");
    listen();
  });
  text.value = EXAMPLES[0];
  element.append(form);
  listen();
}
