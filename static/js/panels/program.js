// The program: the plan of an iteration as lines of code, grouped by phase. The current line is marked, every line can
// be gone to, a breakpoint in the gutter stops playing before its line, and zero_grad can be switched off. Of a long plan
// only the lines in view stand in the document; room is kept for the others.

import { fill, h } from "../h.js";
import { boundaries } from "../timeline.js";
import { wished } from "./edits.js";
import { orderSwitch } from "./order_switch.js";
import { createRows } from "./rows.js";

/** @import {Actions, PlanEntry, State} from "../types.js" */
/** @import {Store} from "../store.js" */

const GROUPS = /** @type {Record<string, string>} */ ({ data: "data", zero_grad: "zero_grad()", forward: "forward", loss: "loss", backward: "backward()", clip: "clip", update: "step()" });
const LONG = 300; // lines from which on only those in view are in the document
const ALONE = new Set(["data", "zero_grad", "clip"]); // phases of one line that need no heading

/** @param {HTMLElement} element @param {Store<State>} store @param {Actions} actions */
export function mount(element, store, actions) {
  /** In the document, by plan index. @type {Map<number, HTMLElement>} */
  const lines = new Map();
  /** @type {{from: number, to: number, list: HTMLElement}[]} the phases */
  let groups = [];
  let rows = createRows([]);
  let scrolling = 0;
  let frame = 0;
  const list = h("ol", { class: "program-list" });
  fill(element, h("h2", { class: "panel-title" }, "Program"), list);

  /** @param {PlanEntry} entry */
  function line(entry) {
    const label = h("code", { class: "line-code" }, entry.label);
    const go = h(
      "button",
      { type: "button", class: "line-go", title: entry.label, on: { click: () => actions.goto(store.get().position.iteration, entry.index) } },
      label,
    );
    const stop = h("button", {
      type: "button",
      class: "line-stop",
      "aria-label": `Breakpoint before ${entry.label}`,
      title: "Breakpoint: playing stops before this line",
      on: { click: () => actions.toggleBreakpoint(entry.index) },
    });
    const item = h("li", { class: "program-line", dataset: { index: entry.index, phase: entry.phase } }, stop, go, entry.phase === "zero_grad" && zeroSwitch(true));
    item.setAttribute("aria-posinset", String(entry.index + 1));
    item.setAttribute("aria-setsize", String(store.get().plan.length));
    markLine(item, entry.index);
    return item;
  }

  /** @param {boolean} here  whether this iteration's plan has the line; a switch may wait for the next one */
  function zeroSwitch(here) {
    const state = store.get();
    const on = wished(state, "zero_grad") !== false;
    return [
      h("button", {
        type: "button",
        class: "switch",
        role: "switch",
        "aria-checked": String(on),
        "aria-label": "zero_grad runs in every iteration",
        title: on ? "Forget zero_grad: gradients then add up" : "Run zero_grad again",
        on: { click: () => actions.patch({ zero_grad: !on }) },
      }),
      on !== here && h("small", { class: "line-when" }, `${on ? "on" : "off"} from iteration ${state.position.iteration + 1}`),
    ];
  }

  function build() {
    const { plan, session } = store.get();
    lines.clear();
    marked.clear();
    const marks = boundaries(plan);
    groups = marks.slice(0, -1).map((from, i) => ({ from, to: marks[i + 1], list: h("ol", {}) }));
    /** @type {import("../h.js").Child[]} */
    const phases = groups.map(({ from, to, list: inner }) => {
      const { phase } = plan[from];
      const alone = ALONE.has(phase) && to - from === 1;
      return h(
        "li",
        { class: "program-phase", dataset: { phase }, style: { "--band": `var(--phase-${phase}, var(--phase-data))` } },
        !alone && h("span", { class: "program-heading" }, GROUPS[phase] ?? phase.replaceAll("_", " "), phase === "backward" && orderSwitch(store)),
        inner,
      );
    });
    if (session.settings.zero_grad === false && !plan.some((entry) => entry.phase === "zero_grad")) {
      const missing = h("li", { class: "program-phase", dataset: { phase: "zero_grad" } }, h("ol", {}, h("li", { class: "program-line is-missing" }, h("span", { class: "line-go" }, h("code", { class: "line-code" }, "zero_grad()")), zeroSwitch(false))));
      const first = plan.findIndex((entry) => entry.phase !== "data");
      phases.splice(first > 0 ? 1 : 0, 0, missing);
    }
    fill(list, phases);
    rows = createRows(plan.map(({ label }) => label));
    list.classList.toggle("is-long", plan.length > LONG);
    if (plan.length <= LONG) stand(0, plan.length);
    mark();
  }

  // -- which lines stand there -----------------------------------------------------------------------

  /** Puts the lines from one to another into the document, and no others. @param {number} from @param {number} to */
  function stand(from, to) {
    const { plan } = store.get();
    for (const [index, item] of lines) {
      if (index >= from && index < to) continue;
      item.remove();
      lines.delete(index);
    }
    for (const { from: first, to: last, list: inner } of groups) {
      const [start, stop] = [Math.max(first, from), Math.min(last, to)];
      /** @type {HTMLElement | null} */
      let next = null;
      for (let index = stop - 1; index >= start; index--) {
        const known = lines.get(index) ?? line(plan[index]);
        if (!lines.has(index)) inner.insertBefore(known, next);
        lines.set(index, known);
        next = known;
      }
      if (plan.length <= LONG) continue;
      const [above, below] = start < stop ? [rows.sum(first, start), rows.sum(stop, last)] : [rows.sum(first, last), 0];
      inner.style.paddingTop = `${above}px`;
      inner.style.paddingBottom = `${below}px`;
    }
    if (plan.length > LONG) for (const [index, item] of lines) rows.learn(index, item.offsetHeight);
  }

  /** The lines in view and some around them, around a line where one is wanted. @param {number} [wanted] */
  function window_(wanted) {
    const { plan } = store.get();
    if (plan.length <= LONG) return;
    const own = element.scrollHeight > element.clientHeight + 2 && getComputedStyle(element).overflowY !== "visible";
    const height = own ? element.clientHeight : innerHeight;
    if (wanted !== undefined) {
      const [above, below] = rows.around(wanted, height);
      return stand(above, below);
    }
    const top = own ? element.scrollTop : -element.getBoundingClientRect().top;
    let from = 0;
    for (const group of groups) {
      const box = /** @type {HTMLElement} */ (group.list.parentElement);
      if (box.offsetTop + box.offsetHeight < top) continue;
      from = rows.at(group.from, group.to, top - group.list.offsetTop);
      break;
    }
    stand(...rows.around(from, height));
  }

  const follow = () => {
    if (store.get().plan.length <= LONG) return;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => window_());
  };
  element.addEventListener("scroll", follow, { passive: true });
  addEventListener("scroll", follow, { passive: true });

  // -- marks -----------------------------------------------------------------------------------------

  /** What was marked last, so that a step touches only what it changes. @type {Map<string, number>} */
  const marked = new Map();

  function places() {
    const { position, frame: shown, plan } = store.get();
    const current = position.step === 0 && shown ? plan.length - 1 : position.step - 1;
    return { current, next: position.step % Math.max(1, plan.length), done: position.step };
  }

  /** @param {HTMLElement} item @param {number} index */
  function markLine(item, index) {
    const { current, next, done } = places();
    item.classList.toggle("is-done", index < done);
    item.classList.toggle("is-current", index === current);
    item.classList.toggle("is-next", index === next);
    const go = item.querySelector(".line-go");
    if (index === current) go?.setAttribute("aria-current", "step");
    else go?.removeAttribute("aria-current");
    const on = store.get().breakpoints.includes(index);
    item.classList.toggle("has-stop", on);
    item.querySelector(".line-stop")?.setAttribute("aria-pressed", String(on));
  }

  function mark() {
    const { current, next, done } = places();
    const [was, wasNext, wasDone] = [marked.get("current") ?? -1, marked.get("next") ?? -1, marked.get("done") ?? 0];
    const touched = new Set([was, wasNext, current, next]);
    for (let index = Math.min(done, wasDone); index < Math.max(done, wasDone); index++) touched.add(index);
    for (const index of touched) {
      const item = lines.get(index);
      if (item) markLine(item, index);
    }
    marked.set("current", current).set("next", next).set("done", done);
    cancelAnimationFrame(scrolling);
    scrolling = requestAnimationFrame(() => reveal(Math.max(0, current)));
  }

  /** Scrolls the panel, and nothing else, to a line. @param {number} index */
  function reveal(index) {
    if (!lines.has(index)) window_(index);
    const item = lines.get(index);
    if (!item || element.scrollHeight <= element.clientHeight + 2) return;
    const [top, bottom] = [item.offsetTop, item.offsetTop + item.offsetHeight];
    if (top < element.scrollTop + 40 || bottom > element.scrollTop + element.clientHeight - 60) {
      element.scrollTo({ top: top - element.clientHeight / 2, behavior: "instant" });
    }
  }

  store.watch((s) => [s.plan, s.session.settings.zero_grad, wished(s, "zero_grad")], build);
  store.watch((s) => s.position, mark);
  store.watch((s) => s.breakpoints, () => lines.forEach(markLine));
  build();
}
