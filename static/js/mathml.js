/**
 * Formulas whose numbers know where they come from: `<mrow class="ref r0 grad">` in the server's
 * MathML becomes a link to the step that made the number, and lights its source on the stage.
 */

import { math } from "./h.js";

/** @import {Ref} from "./types.js" */

const ROLES = ["value", "grad", "update"];

/**
 * The number behind a class list such as "ref r12 grad".
 * @param {string} classes
 * @returns {{key: string, role: string} | null}
 */
export function reference(classes) {
  const words = classes.split(/\s+/);
  if (!words.includes("ref")) return null;
  const key = words.find((word) => /^r\d+$/.test(word));
  if (!key) return null;
  return { key, role: words.find((word) => ROLES.includes(word)) ?? "value" };
}

/**
 * A formula with its references alive: `open` on click and Enter, `light` on hover and focus (null
 * when it ends). A number that stood there before this iteration lights up but leads nowhere.
 * @param {string} markup
 * @param {Record<string, Ref>} refs
 * @param {{open: (ref: Ref) => void, light: (ref: Ref | null) => void, describe: (ref: Ref) => string}} ways
 * @returns {Element}
 */
export function linkedMath(markup, refs, { open, light, describe }) {
  const root = math(markup);
  for (const element of root.querySelectorAll(".ref")) {
    const found = reference(element.getAttribute("class") ?? "");
    const ref = found && refs?.[found.key];
    if (!ref) continue;
    element.addEventListener("pointerenter", () => light(ref));
    element.addEventListener("pointerleave", () => light(null));
    if (ref.index === null || ref.index === undefined) continue;
    root.setAttribute("role", "group"); // a math element would hide its links from screen readers
    element.classList.add("goes");
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "link");
    element.setAttribute("aria-label", describe(ref));
    element.addEventListener("focus", () => light(ref));
    element.addEventListener("blur", () => light(null));
    element.addEventListener("click", () => open(ref));
    element.addEventListener("keydown", (event) => {
      if (/** @type {KeyboardEvent} */ (event).key !== "Enter") return;
      event.preventDefault();
      event.stopPropagation();
      open(ref);
    });
  }
  return root;
}

const RELATIONS = ["=", "←", "≈", "+="];

/** @param {Node} node */
const isRelation = (node) => node.nodeName.toLowerCase() === "mo" && RELATIONS.includes(node.textContent ?? "");

/**
 * Where a line breaks: the places of its relations, and whether something stands before the first.
 * @param {boolean[]} relations  which children are relations
 * @returns {[number, number][]}  parts as [start, stop), each beginning with its relation where there is one
 */
export function breaks(relations) {
  const starts = relations.flatMap((is, i) => (is ? [i] : []));
  if (!starts.length) return [[0, relations.length]];
  return starts.map((start, i) => [start, starts[i + 1] ?? relations.length]);
}

/** The parts of a row, with groups that contain a relation taken apart. @param {Element} row @returns {Node[]} */
function flat(row) {
  return [...row.childNodes].flatMap((child) => {
    const group = child instanceof Element && child.localName === "mrow" && !child.hasAttribute("class");
    return group && [...child.querySelectorAll("mo")].some(isRelation) ? flat(/** @type {Element} */ (child)) : [child];
  });
}

/**
 * "y = 2·3 = 6" as the lines "= 2·3" and "= 6": what stands before the first relation is on the
 * line above already.
 * @param {Element} root a math element @returns {Element[]}
 */
export function rightHandSides(root) {
  const parts = flat(root);
  const relations = parts.map(isRelation);
  if (!relations.includes(true)) {
    const sign = document.createElementNS(root.namespaceURI, "mo");
    sign.append("=");
    root.prepend(sign);
    return [root];
  }
  return breaks(relations).map(([start, stop]) => {
    const line = /** @type {Element} */ (root.cloneNode(false));
    line.append(...parts.slice(start, stop));
    return line;
  });
}

/**
 * What stands under a line's symbols: its parts in numbers, then its result. Where the last part says what the result
 * says (of "x = x[0] = 2" nothing is left to be worked out), it is the result.
 * @param {Element | null} numbers @param {Element | null} result
 */
export function worked(numbers, result) {
  const parts = numbers ? rightHandSides(numbers) : [];
  const results = result ? rightHandSides(result) : [];
  if (results.length && parts.at(-1)?.textContent === results[0].textContent) results[0] = /** @type {Element} */ (parts.pop());
  return { parts, results };
}
