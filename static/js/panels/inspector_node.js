/**
 * One node in full: its value and gradient, who wrote them, and an editor whose effect on the loss
 * is put beside what the slope had promised.
 */

import * as api from "../api.js";
import { fill, h, icon, math } from "../h.js";
import { full, number, parse, signed, signGlyph, toNumber } from "../format.js";
import { arrayView } from "./array_view.js";
import { at } from "./arrays.js";
import { effectWords, latest, nudged, stepOf, withEntry, writersOf } from "./edits.js";

/** @import {Store} from "../store.js" */
/** @import {State, Actions, Effect, ArrayData} from "../types.js" */

const KINDS = {
  op: "operation", parameter: "parameter", input: "input", target: "target",
  constant: "constant", noise: "drawn by chance", buffer: "running statistic",
};

/** @param {string} name @param {Store<State>} store @param {Actions} actions */
export function nodeView(name, store, actions) {
  const node = store.get().graph.nodes.find((n) => n.name === name);
  const value = h("div", { class: "fact role-value" });
  const grad = h("div", { class: "fact role-grad" });
  const memory = h("div", { class: "node-memory" });
  const effect = h("div", { class: "effect", role: "status" });
  /** @type {number[]} */
  let picked = node?.shape.map(() => 0) ?? [];
  const send = latest((x) => actions.setValue(name, x));
  const current = () => store.get().nodes[name];
  const editor = node?.editable ? makeEditor(node.label, (x) => {
    const whole = current()?.value;
    if (whole?.data !== null && whole?.data !== undefined) send(withEntry(whole.data, picked, x));
  }) : null;

  const element = h("div", { class: "node-view" },
    h("header", { class: "step-head" },
      h("span", { class: "phase", dataset: { phase: "node" } }, KINDS[node?.kind ?? "op"]),
      h("h2", { tabindex: "-1", "aria-label": node?.label ?? name }, node?.mathml ? math(node.mathml) : node?.label ?? name),
      h("button", { type: "button", class: "tool", "aria-label": "Back to the step", title: "Back to the step", on: { click: () => actions.select(null) } }, icon("close"))),
    node?.summary && h("p", { class: "says" }, node.summary),
    node?.shape.length
      ? [value, editor?.element, effect, grad]
      : [h("div", { class: "node-pair" }, value, grad), editor?.element, effect],
    memory);

  /** @type {unknown[]} */
  let drawn = [];
  /** @type {{effect: Effect | null, iteration: number}} an effect is told while its iteration is on the stage */
  let told = { effect: null, iteration: 0 };
  function update() {
    const state = store.get();
    const now = current();
    // the stage's own editor, beside the node, is enough while it is open
    if (editor) editor.element.hidden = state.editing === name;
    const { iteration } = state.position;
    if (state.effect !== told.effect) told = { effect: state.effect, iteration };
    const mark = [now?.value, now?.grad, now?.state, state.effect, state.plan, iteration, state.position.step];
    if (mark.every((part, i) => part === drawn[i])) return;
    drawn = mark;
    slot(value, "value", now?.value ?? null, (index) => {
      picked = index;
      editor?.show(at(current()?.value?.data, picked), index);
    });
    slot(grad, "gradient", now?.grad ?? null);
    editor?.show(at(now?.value?.data, picked), picked);
    fill(memory, Object.entries(now?.state ?? {}).map(([key, array]) => h("p", { class: "fact-state" },
      h("span", null, key), array.shape.length ? `norm ${number(array.norm)}` : number(array.data))));
    fill(effect, state.effect?.node === name && told.iteration === iteration ? effectView(state.effect) : null);
  }

  /** @param {HTMLElement} box @param {string} title @param {ArrayData | null} array @param {(index: number[]) => void} [pick] */
  function slot(box, title, array, pick) {
    const held = box.contains(document.activeElement); // a grid keeps the focus while its numbers change
    const grad = title === "gradient";
    const head = h("p", { class: "fact-head" }, h("span", null, grad ? "∂ gradient" : "value"), writers(grad ? "grad" : "value"));
    if (!array) {
      fill(box, head, h("p", { class: "fact-number none" }, grad ? "∂ ?" : "?"),
        h("p", { class: "fact-why" }, "not yet"));
      return;
    }
    if (!array.shape.length) {
      fill(box, head, h("p", { class: "fact-number", title: full(array.data) }, number(array.data),
        h("span", { class: "sign" }, signGlyph(array.data))));
      return;
    }
    const show = (/** @type {ArrayData} */ whole) => arrayView(whole, {
      role: grad ? "grad" : "value", name: `${title} of ${node?.label ?? name}`, picked: pick ? picked : null, pick,
      load: async () => {
        const { session, position } = store.get();
        const every = await api.node(session.id, name, position);
        view.replaceWith(show(grad ? every.grad : every.value));
      },
    });
    const view = show(array);
    fill(box, head, view);
    if (held) /** @type {HTMLElement | null} */ (view.querySelector('[role="gridcell"][tabindex="0"]'))?.focus();
  }

  /** Links to the steps that made a slot. @param {"value" | "grad"} key */
  function writers(key) {
    const { position, plan } = store.get();
    const { iteration, step } = position;
    const made = writersOf(name, key, step, (index) => actions.frame(iteration, index));
    return made.slice(-3).map((index) => h("button", { type: "button", class: "link", title: plan[index]?.label, on: { click: () => {
      actions.select(null);
      actions.goto(iteration, index);
    } } }, `by step ${index + 1}`));
  }

  update();
  return { name, element, update };
}

/** @param {Effect} effect */
function effectView(effect) {
  const { said, why } = effectWords(effect);
  const sizes = [effect.predicted, effect.actual].map(toNumber);
  const most = Math.max(...sizes.map(Math.abs).filter(Number.isFinite), Number.MIN_VALUE);
  const bar = (/** @type {string} */ kind, /** @type {number} */ size) => h("div", { class: `effect-bar ${kind}` },
    h("span", { class: "effect-name" }, kind === "said" ? "slope said" : "it was"),
    h("span", { class: "effect-track" }, h("span", { class: "effect-fill", style: {
      "--from": size < 0 ? 0.5 + Math.max(-1, size / most) / 2 : 0.5, "--size": Number.isFinite(size) ? Math.abs(size / most) / 2 : 0.5,
    } })),
    h("span", { class: "effect-number" }, signed(size)));
  return [
    h("p", { class: "effect-loss" }, "loss ", h("b", null, number(effect.before)), " → ", h("b", null, number(effect.after))),
    h("p", { class: "unseen" }, said),
    h("div", { "aria-hidden": "true" }, bar("said", sizes[0]), bar("was", sizes[1])),
    h("p", { class: "effect-why" }, why),
  ];
}

/**
 * A number that can be typed, nudged by arrow keys and dragged; each change is sent at once.
 * @param {string} label @param {(value: any) => void} commit
 */
function makeEditor(label, commit) {
  const field = h("input", { type: "text", inputmode: "decimal", class: "edit-field", autocomplete: "off", spellcheck: "false", "aria-label": `New value of ${label}` });
  const slider = h("input", { type: "range", class: "edit-slider", step: "any", "aria-label": `Drag the value of ${label}` });
  const hint = h("p", { class: "edit-hint" }, "type, drag, or ↑ ↓ (Shift: tenfold)");
  const name = h("span", { class: "edit-name" }, "change to");
  const element = h("div", { class: "edit" }, h("div", { class: "edit-line" }, name, field, slider), hint);
  let now = 0;
  let dragging = false;
  /** @type {any} */
  let shown;
  /** What was sent and has not come back; older answers must not take the hand's number away. @type {number | null} */
  let awaited = null;

  function centre() {
    const span = Math.max(1, 2 * Math.abs(now));
    slider.min = String(nudged(now, -span));
    slider.max = String(nudged(now, span));
    slider.value = String(now);
  }
  const set = (/** @type {number} */ value) => {
    now = value;
    field.value = full(value);
    field.setAttribute("aria-invalid", "false");
    awaited = value;
    commit(value);
  };
  const type = () => {
    const value = parse(field.value);
    field.setAttribute("aria-invalid", String(value === null));
    hint.textContent = value === null ? `"${field.value}" is not a number` : "type, drag, or ↑ ↓ (Shift: tenfold)";
    if (value === null || value === shown) return;
    now = toNumber(value);
    commit(value);
  };
  field.addEventListener("change", type);
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const by = stepOf(now) * (event.shiftKey ? 10 : 1) * (event.key === "ArrowUp" ? 1 : -1);
    set(nudged(now, by));
    centre();
  });
  element.addEventListener("focusout", () => { awaited = null; });
  slider.addEventListener("pointerdown", () => { dragging = true; });
  slider.addEventListener("input", () => {
    const reach = Number(slider.max) - Number(slider.min);
    set(Number(Number(slider.value).toPrecision(reach > 100 ? 3 : 2)));
  });
  slider.addEventListener("change", () => {
    dragging = false;
    centre();
  });
  slider.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const by = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    set(nudged(now, stepOf(now) * by * (event.shiftKey ? 10 : 1)));
    centre();
  });

  return {
    element,
    /** @param {any} value @param {number[]} index */
    show(value, index) {
      name.textContent = index.length ? `change [${index.join(", ")}]` : "change to";
      if (value === undefined || value === null) {
        field.disabled = slider.disabled = true;
        return;
      }
      field.disabled = slider.disabled = false;
      if (awaited !== null && awaited !== toNumber(value) && element.contains(document.activeElement)) return;
      awaited = null;
      shown = value;
      now = toNumber(value);
      if (document.activeElement !== field || parse(field.value) !== null) field.value = full(value);
      if (!dragging) centre();
    },
  };
}
