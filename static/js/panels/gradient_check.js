/**
 * Is the gradient right? Every entry is nudged by ±ε, the loss runs twice more, and the central
 * difference is put beside the automatic value.
 */

import * as api from "../api.js";
import { fill, h } from "../h.js";
import { number } from "../format.js";

/** @import {Store} from "../store.js" */
/** @import {State, Actions, CheckEntry, GradientCheck} from "../types.js" */

const SHOWN = 200;

/** "w" or "0.weight[1, 2]". @param {{node: string, index?: number[]}} entry */
export const entryName = ({ node, index }) => (index?.length ? `${node}[${index.join(", ")}]` : node);

/** The worst first; at most `count`. @param {CheckEntry[]} entries @param {number} [count] */
export function worstFirst(entries, count = SHOWN) {
  const size = (/** @type {CheckEntry} */ entry) => (typeof entry.relative_error === "number" ? entry.relative_error : Infinity);
  return [...entries].sort((a, b) => Number(a.ok) - Number(b.ok) || size(b) - size(a)).slice(0, count);
}

/** @param {GradientCheck} result */
function table(result) {
  const rows = worstFirst(result.entries);
  return h("div", { class: "check-scroll", tabindex: "0", role: "region", "aria-label": "Gradient check, entry by entry" },
    h("table", { class: "check-table" },
      h("thead", {}, h("tr", {}, ["entry", "backward pass", "nudged", "error", ""].map((t) => h("th", { scope: "col" }, t || h("span", { class: "unseen" }, "verdict"))))),
      h("tbody", {}, rows.map((entry) => h("tr", { class: entry.ok ? "ok" : "off" },
        h("th", { scope: "row" }, entryName(entry)),
        h("td", {}, number(entry.automatic)),
        h("td", {}, number(entry.numerical)),
        h("td", {}, number(entry.relative_error)),
        h("td", {}, entry.ok ? "✓" : "✗ differs"),
      ))),
    ),
    rows.length < result.entries.length
      ? h("p", { class: "check-more" }, `and ${result.entries.length - rows.length} more`) : null,
  );
}

/** Opens the check in a dialog, and runs it. @param {Store<State>} store @param {Actions} actions */
export async function checkGradients(store, actions) {
  const back = /** @type {HTMLElement | null} */ (document.activeElement);
  const out = h("div", { class: "check-out", role: "status" }, h("p", null, "Nudging every entry up and down …"));
  const close = h("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, "Close");
  const dialog = h("dialog", { class: "check", "aria-labelledby": "check-title" },
    h("header", { class: "dialog-head" }, h("h2", { id: "check-title" }, "Is the gradient right?"), close),
    h("p", { class: "check-how" }, "Each number is nudged by ±ε, the loss is computed twice more, and ",
      h("span", { class: "check-rule" }, "(L(w + ε) − L(w − ε)) ∕ 2ε"), " is put beside what the backward pass gives."),
    out);
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => {
    dialog.remove();
    back?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  try {
    const result = await actions.gradientCheck();
    if (!result) throw new Error(store.get().error?.message ?? "the check did not run");
    fill(out,
      h("p", { class: result.ok ? "check-ok" : "check-off" }, result.ok ? "✓ " : "✗ ", result.verdict),
      h("p", { class: "check-more" }, `ε = ${number(result.epsilon)}, worst relative error ${number(result.worst)}`),
      table(result));
    const { session, position } = store.get();
    const found = await api.approaches(session.id, position.iteration).catch(() => null); // up to 64 numbers
    if (!found) return;
    const place = h("div", { class: "check-ways" });
    out.append(place);
    await (await import("./ways.js")).mountWays(place, found, store.get());
  } catch (error) {
    fill(out, h("p", { class: "check-off" }, /** @type {Error} */ (error).message));
  }
}
