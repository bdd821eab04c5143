/**
 * Is the gradient right? Every entry is nudged by ±ε, the loss runs twice more, and the central
 * difference is put beside the automatic value.
 */

import { h } from "../h.js";
import { number } from "../format.js";

const SHOWN = 200;

/** "w" or "0.weight[1, 2]". */
export const entryName = ({ node, index }) => (index?.length ? `${node}[${index.join(", ")}]` : node);

/** The worst first, then by name; at most `count`. */
export function worstFirst(entries, count = SHOWN) {
  const size = (entry) => (typeof entry.relative_error === "number" ? entry.relative_error : Infinity);
  return [...entries].sort((a, b) => Number(a.ok) - Number(b.ok) || size(b) - size(a)).slice(0, count);
}

function table(result) {
  const rows = worstFirst(result.entries);
  return h("div", { class: "check-scroll", tabindex: "0", role: "region", "aria-label": "Gradient check, entry by entry" },
    h("table", { class: "check-table" },
      h("thead", {}, h("tr", {}, ["entry", "automatic", "by hand", "error", ""].map((t) => h("th", { scope: "col" }, t || h("span", { class: "unseen" }, "verdict"))))),
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

/** @param {HTMLElement} element */
export function mount(element, store, actions) {
  const out = h("div", { class: "check-out", role: "status" });
  const button = h("button", { type: "button", class: "button", on: { click: run } }, "Check the gradients");
  element.classList.add("check");
  element.append(button, out);

  async function run() {
    button.disabled = true;
    out.replaceChildren(h("p", {}, "Nudging every entry up and down …"));
    const result = await actions.gradientCheck().catch((error) => ({ error }));
    button.disabled = false;
    if (!result || result.error) {
      out.replaceChildren(h("p", { class: "check-off" }, result?.error?.message ?? "the check did not run"));
      return;
    }
    out.replaceChildren(
      h("p", { class: result.ok ? "check-ok" : "check-off" }, result.ok ? "✓ " : "✗ ", result.verdict),
      h("p", { class: "check-how" }, `(L(w + ε) − L(w − ε)) / 2ε, ε = ${number(result.epsilon)}`),
      table(result),
    );
  }

  store.watch((s) => s.session?.revision, () => out.replaceChildren());
}
