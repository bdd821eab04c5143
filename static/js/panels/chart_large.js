/**
 * The whole course of a run in Plotly, to be zoomed: loss, gradient norm, learning rate. Opened on
 * demand, redrawn while training goes on.
 */

import { downloads } from "../download.js";
import { toNumber } from "../format.js";
import { h } from "../h.js";
import { draw as plot, theme } from "../plotly.js";
import { lossPicture } from "./chart.js";

/** @import {History, Num} from "../types.js" */

/** Plotly's gaps are nulls. @param {(Num | null)[] | undefined} values */
export const finite = (values) => (values ?? []).map((v) => (Number.isFinite(toNumber(v)) ? toNumber(v) : null));

/** How many powers of ten lie between two lines of a logarithmic axis, so that about seven are read. @param {(Num | null)[] | undefined} values */
export function powersApart(values) {
  const logs = finite(values).filter((v) => v !== null && v > 0).map((v) => Math.log10(Number(v)));
  const most = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  const least = logs.reduce((a, b) => Math.min(a, b), Infinity);
  return logs.length ? Math.max(1, Math.ceil((most - least) / 7)) : 1;
}

/** @param {() => Promise<History>} whole  every iteration, for a file @param {() => void} closed @param {string} [session]  for its landscape */
export function openLarge(whole, closed, session = "") {
  const place = h("div", { class: "chart-plot" });
  const said = h("p", { class: "chart-wait", role: "status" }, "Loading the chart …");
  const files = downloads({
    name: "history", plot: () => place, columns: async () => /** @type {import("../download.js").Columns} */ (/** @type {unknown} */ (await whole())),
  }, "the history");
  const close = h("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, "Close");
  const dialog = h("dialog", { class: "chart-dialog", "aria-label": "Loss, gradient norm and learning rate" },
    h("header", { class: "dialog-head" }, h("h2", null, "Loss, gradient norm, learning rate"), session && h("a", { class: "button", href: `/lab/landscape?session=${encodeURIComponent(session)}` }, "Landscape"), files, close), said, place);
  let busy = false;
  /** @type {History | null} */
  let waiting = null;
  dialog.addEventListener("close", () => {
    /** @type {any} */ (window).Plotly?.purge(place);
    dialog.remove();
    closed();
  });
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();

  /** Of the pictures that are asked for while one is drawn only the last is drawn. @param {History} runs */
  async function draw(runs) {
    if (busy) {
      waiting = runs;
      return;
    }
    busy = true;
    try {
      await plot(place, traces(runs), layout(runs));
      said.hidden = true;
    } catch (error) {
      said.textContent = /** @type {Error} */ (error).message;
    }
    busy = false;
    const next = waiting;
    waiting = null;
    if (next && dialog.open) draw(next);
  }

  /** @param {History} runs */
  function traces(runs) {
    const { token } = theme(place);
    const row = (/** @type {string} */ name, /** @type {any[]} */ values, /** @type {string} */ yaxis, /** @type {string} */ color, dash = "solid") => ({
      x: runs.iteration, y: finite(values), name, yaxis, type: "scatter",
      mode: runs.iteration.length > 1 ? "lines" : "markers", line: { color, width: 2, dash },
    });
    const validated = finite(runs.validation_loss).some((v) => v !== null);
    return [
      row("loss", runs.train_loss, "y", token("--value", "#0072b2")),
      ...(validated ? [row("validation loss", runs.validation_loss, "y", token("--value", "#0072b2"), "dot")] : []),
      row("gradient norm", runs.grad_norm, "y2", token("--grad", "#d55e00")),
      row("learning rate", runs.lr, "y3", token("--update", "#009e73")),
    ];
  }

  /** @param {History} runs */
  function layout(runs) {
    const { layout: base, axis } = theme(place);
    const { log } = lossPicture(runs, { width: 400, height: 100 });
    return {
      ...base,
      xaxis: { ...axis, title: { text: "iteration" }, anchor: "y3" },
      yaxis: { ...axis, domain: [0.48, 1], title: { text: "loss" }, ...(log ? { type: "log", dtick: powersApart([...runs.train_loss, ...(runs.validation_loss ?? [])]) } : { type: "linear" }) },
      yaxis2: { ...axis, domain: [0.24, 0.44], title: { text: "∂ norm" } },
      yaxis3: { ...axis, domain: [0, 0.2], title: { text: "η" }, rangemode: "tozero" },
    };
  }

  return { draw };
}
