/**
 * MathML from our own server, let through a door: the string is parsed apart from the page, and
 * only the elements and attributes of presentation MathML are copied across. Numbers that know
 * their source (`<mrow class="ref r0 grad">`) become links.
 */

const NAMESPACE = "http://www.w3.org/1998/Math/MathML";

const ELEMENTS = new Set(
  ("math mrow mi mo mn mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover " +
    "mtable mtr mtd mpadded mphantom mstyle mmultiscripts mprescripts").split(" "),
);

const ATTRIBUTES = new Set(
  ("class display displaystyle scriptlevel mathvariant stretchy symmetric form fence separator " +
    "accent accentunder largeop movablelimits minsize maxsize lspace rspace width height depth " +
    "voffset linethickness columnalign rowalign columnspacing rowspacing columnspan rowspan").split(" "),
);

/** @param {string} element @returns {boolean} whether an element may pass */
export const admitsElement = (element) => ELEMENTS.has(element.toLowerCase());

/** @param {string} attribute @returns {boolean} whether an attribute may pass */
export const admitsAttribute = (attribute) => ATTRIBUTES.has(attribute.toLowerCase());

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
  return { key, role: words.find((word) => ["value", "grad", "update"].includes(word)) ?? "value" };
}

function copy(source) {
  const name = source.localName;
  if (!admitsElement(name)) return null;
  const target = document.createElementNS(NAMESPACE, name);
  for (const { name: attribute, value } of source.attributes) {
    if (admitsAttribute(attribute)) target.setAttribute(attribute, value);
  }
  for (const child of source.childNodes) {
    if (child.nodeType === 3) target.append(child.nodeValue);
    if (child.nodeType === 1) {
      const inner = copy(child);
      if (inner) target.append(inner);
    }
  }
  return target;
}

/**
 * A MathML string as elements of this page; a string without MathML stays plain text.
 * @param {string | null | undefined} markup
 * @returns {Element | Text}
 */
export function math(markup) {
  if (!markup) return document.createTextNode("");
  const wrapped = markup.trimStart().startsWith("<math") ? markup : `<math>${markup}</math>`;
  const parsed = new DOMParser().parseFromString(wrapped, "text/html");
  const root = parsed.querySelector("math");
  const copied = root && copy(root);
  if (!copied) return document.createTextNode(parsed.body.textContent ?? "");
  copied.removeAttribute("display");
  return copied;
}

/**
 * The same, and every reference calls back: `open` on click and Enter, `light` on hover and focus
 * (null when it ends). A reference without a source stays a plain number.
 * @param {string} markup
 * @param {Record<string, {node: string, slot: string, index: number | null, value: unknown}>} refs
 * @param {{open: (ref: object) => void, light: (ref: object | null) => void,
 *          describe: (ref: object) => string}} ways
 */
export function linkedMath(markup, refs, { open, light, describe }) {
  const root = math(markup);
  if (!(root instanceof Element)) return root;
  for (const element of root.querySelectorAll(".ref")) {
    const found = reference(element.getAttribute("class") ?? "");
    const ref = found && refs?.[found.key];
    if (!ref) continue;
    const say = describe(ref);
    element.setAttribute("aria-label", say);
    element.addEventListener("pointerenter", () => light(ref));
    element.addEventListener("pointerleave", () => light(null));
    if (ref.index === null || ref.index === undefined) continue;
    element.classList.add("goes");
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "link");
    element.addEventListener("focus", () => light(ref));
    element.addEventListener("blur", () => light(null));
    element.addEventListener("click", () => open(ref));
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      event.stopPropagation();
      open(ref);
    });
  }
  return root;
}
