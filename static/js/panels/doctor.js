// The doctor's panel: every finding with cause, place, measured number and source, and its cures, each to be tried as a
// second lane beside the run. It takes the program's place while it is open.

import { downloads } from "../download.js";
import { count, number } from "../format.js";
import { fill, h, icon } from "../h.js";
import { fragment } from "../share.js";
import { treat } from "../stream.js";
import { lanesView } from "./doctor_lanes.js";

/** @import {Store} from "../store.js" */
/** @import {State, Actions} from "../types.js" */
/** @import {Check, Cure, Finding, Report, Watch} from "./doctor_watch.js" */
/** @import {Treatment} from "./doctor_lanes.js" */

const TALL = 168;

/** A threshold as a sentence's end: "sick below 0.001". @param {Check} check */
export const limitOf = ({ above, share, threshold }) => `sick ${above ? "above" : "below"} ${share ? `${number(100 * threshold)} %` : number(threshold)}`;

/** @param {Store<State>} store @param {Actions} actions @param {Watch} watch @param {HTMLElement} button */
export function createDoctor(store, actions, watch, button) {
  const body = h("div", { class: "doctor-body" });
  const close = h("button", { type: "button", class: "tool", "aria-label": "Close the doctor", on: { click: () => toggle() } }, icon("close", 18));
  const element = h("section", { class: "panel panel-doctor", "aria-label": "Doctor" },
    h("header", { class: "doctor-head" }, h("h2", { class: "panel-title" }, "Doctor"), close), body);
  let told = "";
  let arriving = false;
  /** @type {AbortController | null} the cure that is tried */
  let running = null;
  /** On a phone it stands below the stage. */
  const come = () => matchMedia("(max-width: 900px)").matches && element.scrollIntoView({ block: "start" });

  function draw() {
    const { report, failed } = watch;
    if (failed) fill(body, h("p", { class: "doctor-none" }, failed));
    else if (!report) fill(body, h("p", { class: "doctor-none", role: "status" }, "Looking …"));
    const now = JSON.stringify(report?.findings ?? null) + report?.iteration;
    if (failed || !report || told === now) return;
    told = now;
    const held = body.contains(document.activeElement);
    fill(body,
      h("p", { class: "doctor-verdict", role: "status" }, report.findings.length ? "" : h("span", { class: "doctor-well" }, "✓"),
        `After ${count(report.iteration)} ${report.iteration === 1 ? "iteration" : "iterations"}: ${report.findings.length ? sick(report) : "nothing found."}`),
      report.findings.length ? null : h("p", { class: "doctor-none" }, report.iteration
        ? `All ${report.checks.length} checks are passed.`
        : "So far only the recipe can be looked at. Train a few iterations, and the gradients and losses are watched, too."),
      report.findings.map((finding) => findingView(finding, report)),
      checksView(report));
    if (held) close.focus({ preventScroll: true });
    if (arriving) come();
    arriving = false;
  }

  /** @param {Report} report */
  const sick = ({ findings }) => `${findings.length} ${findings.length === 1 ? "finding" : "findings"}.`;

  /** @param {Finding} finding @param {Report} report */
  function findingView(finding, report) {
    const { place } = finding;
    const look = () => (place.step === null ? actions.seek({ iteration: place.iteration, step: 0 }) : actions.goto(place.iteration, place.step));
    const tried = h("div", { class: "doctor-tried", "aria-live": "polite" });
    return h("article", { class: "doctor-finding" },
      h("h3", {}, finding.title),
      h("p", {}, finding.says),
      h("button", { type: "button", class: "doctor-place", on: { click: look } }, h("span", {}, "Look there"), ` ${place.says}`),
      h("p", { class: "doctor-measure" }, h("b", {}, finding.compared), h("small", {}, finding.source)),
      finding.cures.length ? h("h4", {}, "Try a cure as a second lane") : null,
      h("ul", { class: "doctor-cures" }, finding.cures.map((cure) => h("li", {},
        h("button", { type: "button", class: "doctor-cure", "aria-pressed": "false", on: { click: (/** @type {MouseEvent} */ event) => attempt(/** @type {HTMLElement} */ (event.currentTarget), finding, cure, report, tried) } }, cure.says)))));
  }

  /** @param {HTMLElement} pressed @param {Finding} finding @param {Cure} cure @param {Report} report @param {HTMLElement} place */
  async function attempt(pressed, finding, cure, report, place) {
    pressed.after(place);
    for (const other of pressed.closest("ul")?.querySelectorAll("button") ?? []) other.setAttribute("aria-pressed", String(other === pressed));
    running?.abort();
    const mine = (running = new AbortController());
    const far = h("progress", { max: 1, "aria-label": "Progress" });
    fill(place, h("p", { class: "doctor-none" }, "Both lanes are running … ", far));
    try {
      const { session } = store.get();
      const treatment = await treat(session.id, { check: finding.check, cure: cure.name, iteration: report.iteration }, {
        signal: mine.signal, heard: (done, of) => { far.value = done / of; },
      });
      await show(place, treatment, finding, session.title);
    } catch (error) {
      if (mine.signal.aborted) return;
      fill(place, h("p", { class: "doctor-none", role: "alert" }, /** @type {Error} */ (error).message));
    }
  }

  /** @param {HTMLElement} place @param {Treatment} treatment @param {Finding} finding @param {string} title */
  async function show(place, treatment, finding, title) {
    const [sick, cured] = treatment.lanes;
    const at = { iteration: Math.min(finding.place.iteration, cured.loss.length), step: 0 };
    const spec = { ...cured.spec, title: `${title || "Walk"}, ${cured.label.replaceAll("_", " ")}`.slice(0, 100) };
    const there = `/walk${await fragment({ position: at, spec })}`;
    const row = (/** @type {string} */ kind, /** @type {import("./doctor_lanes.js").Lane} */ lane, /** @type {Node} */ walk) => h("p", { class: "doctor-row" },
      h("span", { class: `doctor-key ${kind}`, "aria-hidden": "true" }), h("span", {}, lane.label.replaceAll("_", " ")), h("b", {}, `loss ${number(lane.final)}`), walk);
    const larger = document.documentElement.hasAttribute("data-projection") ? 2 : 1; // the whole drawing, for a hall
    const picture = lanesView(treatment, Math.max(220, place.clientWidth / larger), TALL);
    const validated = treatment.lanes.some((lane) => lane.validation.some((v) => v !== null));
    const columns = () => Object.fromEntries([["iteration", sick.loss.map((_, i) => i)], ...treatment.lanes.flatMap((lane) => [
      [lane.label, lane.loss], ...(validated ? [[`${lane.label}, validation`, lane.validation]] : [])])]);
    fill(place,
      h("p", { class: `doctor-says${treatment.healed ? " is-healed" : ""}` }, h("span", { "aria-hidden": "true" }, treatment.healed ? "✓ " : "✗ "), treatment.says),
      h("div", { class: "doctor-picture" }, picture, downloads({ name: `cure-${treatment.cure}`, columns, svg: () => picture }, "both lanes")),
      validated && h("p", { class: "doctor-none" }, "Dotted: on the samples that are held back."),
      row("is-sick", sick, h("button", { type: "button", class: "tool", on: { click: () => actions.seek(at) } }, "Walk it")),
      row("is-cured", cured, h("a", { class: "tool", href: there }, "Walk it")));
    place.scrollIntoView({ block: "nearest" });
  }

  /** @param {Report} report */
  function checksView({ checks, findings }) {
    const found = new Set(findings.map((finding) => finding.check));
    return h("details", { class: "doctor-checks" }, h("summary", {}, `All ${checks.length} checks`),
      h("ul", {}, checks.map((check) => h("li", {},
        h("b", {}, found.has(check.name) ? "✗ " : "✓ ", check.title), ` ${check.looks_at}: ${limitOf(check)}. `, h("small", {}, check.source)))));
  }

  function toggle() {
    const open = !element.isConnected;
    if (open) document.querySelector(".walk")?.append(element);
    else element.remove();
    button.setAttribute("aria-expanded", String(open));
    if (!open) return button.focus({ preventScroll: true });
    arriving = true;
    draw();
    watch.ask();
    close.focus({ preventScroll: true });
    come();
  }

  watch.watch(() => element.isConnected && draw());
  return { toggle };
}
