// Watches a run: whenever more of it has been seen, the server's doctor is asked for its findings, once the page is at
// rest. Keeps the last report, for the count on the button and for the panel. Loaded after the first iteration, or by a
// click.

import * as api from "../api.js";
import { h } from "../h.js";

/** @import {Store} from "../store.js" */
/** @import {State, Num} from "../types.js" */

/** @typedef {{name: string, says: string, changes: object | null, until: number | null}} Cure */
/**
 * @typedef {object} Finding
 * @property {string} check
 * @property {string} title
 * @property {string} says
 * @property {Num} measured
 * @property {string} compared
 * @property {string} source
 * @property {{iteration: number, step: number | null, node: string | null, says: string}} place
 * @property {Cure[]} cures
 */
/** @typedef {{name: string, title: string, looks_at: string, threshold: number, source: string, measures: string, above: boolean, share: boolean}} Check */
/** @typedef {{iteration: number, verdict: string, findings: Finding[], checks: Check[]}} Report */
/** @typedef {{report: Report | null, failed: string, ask: () => Promise<void>, watch: (changed: () => void) => void}} Watch */

const REST = 900; // ms without anything new until the doctor looks
const AT_LEAST = 4000; // ms, while there is something new all the time

/** What the button says. @param {Report | null} report */
export function badge(report) {
  if (!report || report.iteration === 0) return { text: report?.findings.length ? String(report.findings.length) : "", name: "Doctor" };
  const many = new Set(report.findings.map((found) => found.check)).size;
  return many ? { text: String(many), name: `Doctor: ${many} ${many === 1 ? "finding" : "findings"}` } : { text: "✓", name: "Doctor: nothing found" };
}

/** The sheet of button and panel. */
const style = () => new Promise((done) => {
  document.head.append(h("link", { rel: "stylesheet", href: "/bundle/doctor+downloads.css", on: { load: done, error: done } }));
});

/** @param {Store<State>} store @param {HTMLElement} button @returns {Promise<Watch>} */
export async function watchOver(store, button) {
  await style();
  /** @type {(() => void)[]} */
  const watchers = [];
  /** @type {Watch} */
  const watch = { report: null, failed: "", ask, watch: (changed) => void watchers.push(changed) };
  const mark = h("span", { class: "doctor-count" });
  button.append(mark);
  let known = "";
  let asked = 0;
  let oldest = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const state = () => {
    const { session } = store.get();
    return JSON.stringify([session.seen.iteration, session.changes.length, session.settings]);
  };

  async function ask() {
    clearTimeout(timer);
    timer = undefined;
    const turn = ++asked;
    const now = state();
    const { session } = store.get();
    try {
      const report = await api.doctor(session.id, session.seen.iteration);
      if (turn !== asked) return;
      watch.report = report;
      watch.failed = "";
      known = now;
    } catch (error) {
      if (turn !== asked) return;
      watch.failed = /** @type {Error} */ (error).message;
    }
    const { text, name } = badge(watch.report);
    mark.textContent = text;
    mark.toggleAttribute("data-sick", text !== "" && text !== "✓");
    button.setAttribute("aria-label", name);
    for (const changed of watchers) changed();
  }

  store.watch((s) => [s.session.seen.iteration, s.session.changes, s.session.settings], () => {
    if (state() === known) return;
    const now = performance.now();
    if (timer === undefined) oldest = now;
    clearTimeout(timer);
    timer = setTimeout(ask, Math.max(0, Math.min(REST, oldest + AT_LEAST - now)));
  });
  return watch;
}
