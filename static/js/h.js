// Builds elements. Data reaches the page only as text nodes and attributes here, never as markup; the one exception,
// MathML from our own server, is copied element by element against a list.

/**
 * @typedef {Node | string | number | null | undefined | false | Child[]} Child
 * @typedef {Record<string, unknown>} Props  `class`, `style` (object), `dataset` (object), `on` (event -> listener), else attributes
 */

const SVG = "http://www.w3.org/2000/svg";
const MATH = "http://www.w3.org/1998/Math/MathML";

/** @param {Element} element @param {Child[]} children */
function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(typeof child === "number" ? String(child) : child);
  }
}

/**
 * Sets attributes, properties of style (through the CSSOM, as the CSP wants), data and listeners.
 * @template {HTMLElement | SVGElement} E @param {E} element @param {Props} props @returns {E}
 */
export function attributes(element, props) {
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined) continue;
    if (key === "style") {
      for (const [name, v] of Object.entries(/** @type {object} */ (value))) {
        if (v === null || v === undefined) element.style.removeProperty(name);
        else element.style.setProperty(name, String(v));
      }
    } else if (key === "dataset") {
      for (const [name, v] of Object.entries(/** @type {object} */ (value))) {
        if (v === null || v === undefined) delete element.dataset[name];
        else element.dataset[name] = String(v);
      }
    } else if (key === "on") {
      for (const [type, listener] of Object.entries(/** @type {object} */ (value))) {
        element.addEventListener(type, listener);
      }
    } else if (value === false && !key.startsWith("aria-")) {
      element.removeAttribute(key);
    } else {
      element.setAttribute(key, value === true && !key.startsWith("aria-") ? "" : String(value));
    }
  }
  return element;
}

/**
 * An HTML element: `h("button", {class: "tool", on: {click}}, "Share")`.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Props | null} [props] @param {Child[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props, ...children) {
  const element = attributes(document.createElement(tag), props ?? {});
  append(element, children);
  return element;
}

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag @param {Props | null} [props] @param {Child[]} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, props, ...children) {
  const element = /** @type {SVGElementTagNameMap[T]} */ (document.createElementNS(SVG, tag));
  attributes(element, props ?? {});
  append(element, children);
  return element;
}

const MATH_ELEMENTS = new Set(
  ("math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msup msub msubsup mover munder munderover " +
    "mtable mtr mtd mstyle mpadded mphantom menclose mmultiscripts none semantics").split(" "),
);
const MATH_ATTRIBUTES = new Set(
  ("class display displaystyle scriptlevel mathvariant stretchy fence separator accent accentunder lspace rspace " +
    "largeop movablelimits symmetric minsize maxsize form width height depth voffset linethickness columnalign " +
    "columnspacing rowspacing rowalign columnlines rowlines notation intent data-ref title").split(" "),
);

/** @param {Element} source @returns {Element | null} */
function copyMath(source) {
  if (!MATH_ELEMENTS.has(source.localName)) return null;
  const copy = document.createElementNS(MATH, source.localName);
  for (const { name, value } of source.attributes) {
    if (MATH_ATTRIBUTES.has(name)) copy.setAttribute(name, value);
  }
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) copy.append(child.textContent ?? "");
    else if (child instanceof Element) copy.append(copyMath(child) ?? "");
  }
  return copy;
}

/**
 * A `<math>` element from the server's markup (with or without the outer `<math>`). An empty one if there is none.
 * @param {string | null | undefined} markup @param {{display?: "block" | "inline", class?: string}} [options]
 * @returns {Element}
 */
export function math(markup, options = {}) {
  const text = markup ?? "";
  const whole = text.trimStart().startsWith("<math") ? text : `<math>${text}</math>`;
  const parsed = new DOMParser().parseFromString(whole, "text/html").querySelector("math");
  const element = (parsed && copyMath(parsed)) ?? document.createElementNS(MATH, "math");
  if (options.display) element.setAttribute("display", options.display);
  if (options.class) element.setAttribute("class", options.class);
  return element;
}

/** Replaces everything in an element. @param {Element} element @param {Child[]} children */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/** Icons, drawn on 24 × 24; `!` before a path means filled. @type {Record<string, string[]>} */
const ICONS = {
  play: ["!M7 4.5v15l13-7.5z"],
  pause: ["!M6 4.5h4v15H6zM14 4.5h4v15h-4z"],
  forward: ["M9 5l7 7-7 7"],
  back: ["M15 5l-7 7 7 7"],
  start: ["M18 5l-7 7 7 7M6 5v14"],
  end: ["M6 5l7 7-7 7M18 5v14"],
  share: ["M10 13.5a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 4.8l-1 1M14 10.5a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 19.2l1-1"],
  project: ["M3 5h18v11H3zM12 16v4M8 20h8"],
  sun: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2"],
  moon: ["M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z"],
  auto: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "!M12 3a9 9 0 0 1 0 18z"],
  help: ["M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.5"],
  close: ["M6 6l12 12M18 6L6 18"],
  fit: ["M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"],
  plus: ["M12 5v14M5 12h14"],
  minus: ["M5 12h14"],
  pencil: ["M4 20l1-4L16 5l3 3L8 19z"],
  download: ["M12 4v11M7 11l5 5 5-5M5 20h14"],
  walk: ["M4 12h13M12 6l6 6-6 6M21 5v14"],
};

/** An inline SVG icon, hidden from screen readers (the button carries the name). @param {string} name @param {number} [size] */
export function icon(name, size = 20) {
  return svg(
    "svg",
    { class: `icon icon-${name}`, viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" },
    (ICONS[name] ?? []).map((d) =>
      d.startsWith("!") ? svg("path", { class: "solid", d: d.slice(1) }) : svg("path", { d }),
    ),
  );
}
