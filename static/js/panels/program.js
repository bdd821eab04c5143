// The program: the plan of an iteration as lines of code, grouped by phase. The current line is marked, every line can
// be gone to, a breakpoint in the gutter stops playing before its line, and zero_grad can be switched off.

import { fill, h } from "../h.js";
import { boundaries } from "../timeline.js";
import { wished } from "./edits.js";

/** @import {Actions, PlanEntry, State} from "../types.js" */
/** @import {Store} from "../store.js" */

const GROUPS = /** @type {Record<string, string>} */ ({ data: "data", zero_grad: "zero_grad()", forward: "forward", loss: "loss", backward: "backward()", clip: "clip", update: "step()" });
const ALONE = new Set(["data", "zero_grad", "clip"]); // phases of one line that need no heading

/** @param {HTMLElement} element @param {Store<State>} store @param {Actions} actions */
export function mount(element, store, actions) {
  /** @type {HTMLElement[]} by plan index */
  let lines = [];
  let scrolling = 0;
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
    lines[entry.index] = item;
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
    lines = [];
    const marks = boundaries(plan);
    /** @type {import("../h.js").Child[]} */
    const groups = marks.slice(0, -1).map((from, i) => {
      const part = plan.slice(from, marks[i + 1]);
      const { phase } = part[0];
      const alone = ALONE.has(phase) && part.length === 1;
      return h(
        "li",
        { class: "program-phase", dataset: { phase }, style: { "--band": `var(--phase-${phase}, var(--phase-data))` } },
        !alone && h("span", { class: "program-heading" }, GROUPS[phase] ?? phase),
        h("ol", {}, part.map(line)),
      );
    });
    if (session.settings.zero_grad === false && !plan.some((entry) => entry.phase === "zero_grad")) {
      const missing = h("li", { class: "program-phase", dataset: { phase: "zero_grad" } }, h("ol", {}, h("li", { class: "program-line is-missing" }, h("span", { class: "line-go" }, h("code", { class: "line-code" }, "zero_grad()")), zeroSwitch(false))));
      const first = plan.findIndex((entry) => entry.phase !== "data");
      groups.splice(first > 0 ? 1 : 0, 0, missing);
    }
    fill(list, groups);
    mark();
    markBreakpoints();
  }

  function mark() {
    const { position, frame, plan } = store.get();
    const current = position.step === 0 && frame ? plan.length - 1 : position.step - 1;
    lines.forEach((item, index) => {
      item.classList.toggle("is-done", index < position.step);
      item.classList.toggle("is-current", index === current);
      item.classList.toggle("is-next", index === position.step % Math.max(1, plan.length));
      const go = item.querySelector(".line-go");
      if (index === current) go?.setAttribute("aria-current", "step");
      else go?.removeAttribute("aria-current");
    });
    cancelAnimationFrame(scrolling);
    scrolling = requestAnimationFrame(() => reveal(lines[current] ?? lines[0]));
  }

  /** Scrolls the panel, and nothing else, to a line. @param {HTMLElement | undefined} item */
  function reveal(item) {
    if (!item || element.scrollHeight <= element.clientHeight + 2) return;
    const [top, bottom] = [item.offsetTop, item.offsetTop + item.offsetHeight];
    if (top < element.scrollTop + 40 || bottom > element.scrollTop + element.clientHeight - 60) {
      element.scrollTo({ top: top - element.clientHeight / 2, behavior: "instant" });
    }
  }

  function markBreakpoints() {
    const { breakpoints } = store.get();
    lines.forEach((item, index) => {
      const on = breakpoints.includes(index);
      item.classList.toggle("has-stop", on);
      item.querySelector(".line-stop")?.setAttribute("aria-pressed", String(on));
    });
  }

  store.watch((s) => [s.plan, s.session.settings.zero_grad, wished(s, "zero_grad")], build);
  store.watch((s) => s.position, mark);
  store.watch((s) => s.breakpoints, markBreakpoints);
  build();
}
