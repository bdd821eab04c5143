// What the pictures are made of: slots with a number or a small heat map, the scale of signs with its zero, and sizes
// that follow the type.

import { number, signGlyph } from "../../format.js";
import { h } from "../../h.js";
import { heat, only } from "../heat.js";

/** @import {ArrayData} from "../../types.js" */

/** The size of an em where the element stands, in px. @param {Element} element */
export const em = (element) => parseFloat(getComputedStyle(element).fontSize) || 14;

/**
 * A value or gradient as its number, or as a heat map of at most so many ems.
 * @param {ArrayData | null | undefined} array @param {"value" | "grad" | "update"} role
 * @param {{unit: number, wide?: number, high?: number, cell?: number, limit?: number}} room
 */
export function slot(array, role, { unit, wide = 5, high = 2.6, cell = 1.3, limit }) {
  const mark = role === "grad" && h("span", { class: "pic-mark" }, "∂");
  if (!array) return h("span", { class: `pic-slot role-${role} is-empty` }, mark, "?");
  const single = only(array);
  if (single !== null) return h("span", { class: `pic-slot role-${role}` }, mark, number(single), h("span", { class: "pic-sign" }, signGlyph(single)));
  return h("span", { class: `pic-slot is-map role-${role}` }, mark, heat(array, { width: wide * unit, height: high * unit, most: cell * unit, limit }).element);
}

/** What a colour means: from −limit over a true zero to limit. @param {number} limit @param {"value" | "grad"} role @param {string} [name] */
export function scaleLegend(limit, role, name = role === "grad" ? "∂ gradients" : "values") {
  const end = Number.isFinite(limit) && limit > 0 ? number(limit) : "?";
  return h(
    "span",
    { class: `pic-scale role-${role}${end === "?" ? " is-empty" : ""}`, role: "img", "aria-label": `Colours of ${name}: maroon ${end === "?" ? "negative" : `−${end}`}, near white 0, indigo ${end}` },
    h("span", { class: "pic-scale-name" }, name),
    h("span", {}, `−${end}`),
    h("span", { class: "pic-scale-bar" }, h("span", { class: "pic-scale-zero" })),
    h("span", {}, end),
  );
}

/** Scrolls the picture, and nothing else, to the part of this step. @param {Element | null} block */
export function reveal(block) {
  const room = block?.closest(".picture");
  if (!block || !room) return;
  const [own, shown] = [block.getBoundingClientRect(), room.getBoundingClientRect()];
  if (own.bottom > shown.bottom || own.top < shown.top) room.scrollTop += own.top - shown.top - (shown.height - own.height) / 2;
}
