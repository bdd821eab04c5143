// A number that is changed by dragging it sideways: the chip of a node on the stage, or a field of its editor.

import { nudged, stepOf } from "./edits.js";

const CLICK = 4; // px a hand may tremble and still mean a click
const NOTCH = 4; // px that move the number by one step

/**
 * Dragging sideways over the element changes its number; a click stays a click.
 * @param {HTMLElement} element @param {() => number | null} get  null: no number stands there now
 * @param {(x: number) => void} set
 */
export function draggable(element, get, set) {
  let from = 0;
  let sent = 0;
  /** @type {number | null} */
  let start = null;
  let moved = false;
  element.classList.add("is-draggable");
  element.addEventListener("pointerdown", (event) => {
    moved = false;
    // a finger on the stage means the stage; in the editor it means the number
    const meant = event.button === 0 && (event.pointerType !== "touch" || element.matches("input"));
    start = meant ? get() : null;
    [from, sent] = [event.clientX, 0];
    if (start !== null) element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    const way = event.clientX - from;
    if (start === null || (!moved && Math.abs(way) < CLICK)) return;
    moved = true;
    element.classList.add("is-dragged");
    const notches = Math.round(way / NOTCH);
    if (notches !== sent) set(nudged(start, (sent = notches) * stepOf(start)));
  });
  for (const type of ["pointerup", "pointercancel"]) {
    element.addEventListener(type, () => {
      start = null;
      element.classList.remove("is-dragged");
    });
  }
  element.addEventListener("click", (event) => moved && event.stopPropagation());
}
