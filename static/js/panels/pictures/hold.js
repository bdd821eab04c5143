// A picture that is drawn anew at every step and shows one of several: what has the focus keeps it, and knobs choose which.

import { h } from "../../h.js";

/** To be called before a redraw; what it returns, after it: what had the focus in here has it again. @param {Element} element */
export function hold(element) {
  const had = element.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.hold : null;
  return () => {
    if (had) /** @type {HTMLElement | null} */ (element.querySelector(`[data-hold="${CSS.escape(had)}"]`))?.focus({ preventScroll: true });
  };
}

/**
 * The knobs of a picture: which of several is shown, round and round; none where there is only one.
 * @template {string} Axis
 * @param {Record<Axis, number>} at @param {() => void} redraw
 * @returns {(axis: Axis, name: string, length: number) => HTMLElement | null}
 */
export function turner(at, redraw) {
  return (axis, name, length) => {
    if (length < 2) return null;
    const by = (/** @type {number} */ step) => () => {
      at[axis] = (at[axis] + step + length) % length;
      redraw();
    };
    return h(
      "span",
      { class: "maps-turn" },
      h("button", { type: "button", class: "tool", dataset: { hold: `${axis}-` }, "aria-label": `${name} before`, on: { click: by(-1) } }, "‹"),
      h("span", {}, `${name} ${at[axis] + 1} of ${length}`),
      h("button", { type: "button", class: "tool", dataset: { hold: `${axis}+` }, "aria-label": `next ${name}`, on: { click: by(1) } }, "›"),
    );
  };
}
