// The lens over one op of the feature maps: image, kernel, result and gradients, the window upon them, and what happens
// under it written out with numbers.

import { number } from "../../format.js";
import { h } from "../../h.js";
import { reach } from "../arrays.js";
import { mapImage } from "./map_image.js";
import { scaleLegend } from "./parts.js";
import { covered, gathered, largest, nearest, planeOf, products, under } from "./window.js";

/** @import {ArrayData, GraphNode, Nodes} from "../../types.js" */
/** @import {Pair, Plane, Window} from "./window.js" */

const WIDE = 9; // ems of an image of many cells
const CELL = { least: 2.5, most: 4.4, high: 2.9 }; // ems of a cell that bears its number
const FLAT = 2; // ems of a row that is the whole image
const FEW = 4; // cells a side, up to which numbers are written

/** The ems of a cell: room for its number where there are few, else what the image's width leaves. @param {number} rows @param {number} cols @param {number} [letters] of its longest number */
export function widthOf(rows, cols, letters = 3) {
  const room = 0.6 * letters + 0.7;
  return Math.max(rows, cols) <= FEW && room <= CELL.most ? Math.max(CELL.least, room) : WIDE / Math.max(rows, cols, FEW);
}

/** @param {Plane | null} plane @param {Pair} like  its rows and columns, where it is not there yet */
function cellOf(plane, like) {
  const letters = Math.max(...(plane ?? [[0]]).flat().map((v) => number(v, 2).length));
  const [rows, cols] = plane ? [plane.length, plane[0].length] : like;
  return { cell: widthOf(rows, cols, letters), written: Math.max(rows, cols) <= FEW && 0.6 * letters + 0.7 <= CELL.most };
}

/**
 * @typedef {object} Told
 * @property {GraphNode} op @property {GraphNode} source @property {GraphNode | undefined} weight @property {GraphNode | undefined} bias
 * @property {Window} window @property {Pair} places @property {Pair} image
 * @property {Nodes} nodes @property {boolean} back  its backward step has run
 * @property {{sample: number, from: number, to: number, place: number}} at
 * @property {number | null} seen  places that a slide has passed
 * @property {(place: Pair) => void} put @property {(event: KeyboardEvent) => void} key
 */

const bracket = (/** @type {number} */ x) => (x < 0 ? `(${number(x)})` : number(x));
const operator = (/** @type {string} */ sign) => h("span", { class: "lens-operator", "aria-hidden": "true" }, sign);

/** @param {Told} told */
export function lens(told) {
  const { op, source, weight, window, places, image, nodes, back, at, seen } = told;
  /** @type {Pair} */
  const place = [Math.floor(at.place / places[1]), at.place % places[1]];
  const cells = covered(place, window, image);
  const from = weight ? at.from : at.to;
  const arrays = { x: nodes[source.name]?.value, y: nodes[op.name]?.value, g: nodes[op.name]?.grad, dx: nodes[source.name]?.grad, w: weight && nodes[weight.name]?.value };
  const x = planeOf(arrays.x, [at.sample, from]);
  const y = planeOf(arrays.y, [at.sample, at.to]);
  const g = back ? planeOf(arrays.g, [at.sample, at.to]) : null;
  const dx = back ? planeOf(arrays.dx, [at.sample, from]) : null;
  const kernel = weight ? planeOf(arrays.w, [at.to, at.from]) : null;
  const best = x && op.op.startsWith("max_pool") ? largest(x, cells) : null;
  if (arrays.x?.data === null || arrays.y?.data === null) return h("p", { class: "pic-caption" }, "These maps have many numbers; they are on their way.");

  const story = !x || !y ? "Not computed yet." : back && g ? backwards() : forwards();
  const wherein = `row ${place[0] + 1}, column ${place[1] + 1}`;
  return h(
    "div",
    { class: "lens" },
    h("div", { class: "lens-row" }, back && g ? pictureBack() : pictureForward()),
    h("p", { class: "lens-line", id: "lens-line" }, h("span", { class: "lens-place" }, `Window ${at.place + 1} of ${places[0] * places[1]} (${wherein}): `), story),
    h("p", { class: "lens-hint" }, "Put the window elsewhere: click or drag on a map, or use the arrow keys."),
  );

  function pictureForward() {
    return [
      figure(source.label, x, arrays.x, "value", { window: true, best, main: true, like: image }),
      weight && [operator("∗"), figure(weight.label, kernel, arrays.w, "value", { like: window.size })],
      operator(weight ? "=" : "→"),
      figure(op.label, y, arrays.y, "value", { result: true, until: seen ?? Infinity, like: places }),
    ];
  }

  function pictureBack() {
    if (!weight) {
      return [
        figure(`∂${op.label}`, g, arrays.g, "grad", { result: true }),
        operator("→"),
        figure(`∂${source.label}`, dx, arrays.dx, "grad", { window: true, best, main: true }),
        figure(source.label, x, arrays.x, "value", { window: true, best }),
      ];
    }
    const term = x && g ? unflat(cells.map((cell) => g[place[0]][place[1]] * under(x, cell))) : null;
    return [
      figure(`∂${op.label}`, g, arrays.g, "grad", { result: true }),
      operator("×"),
      figure(source.label, x, arrays.x, "value", { window: true, main: true }),
      operator("="),
      plain("this window adds", term, nodes[weight.name]?.grad),
      operator("Σ"),
      plain(`∂${weight.label} so far`, sumSoFar(), nodes[weight.name]?.grad),
      dx && figure(`∂${source.label}`, dx, arrays.dx, "grad", { window: true, extra: true }),
    ];
  }

  /** @param {number[]} list @returns {Plane} */
  function unflat(list) {
    return Array.from({ length: window.size[0] }, (_, i) => list.slice(i * window.size[1], (i + 1) * window.size[1]));
  }

  function sumSoFar() {
    const images = Array.from({ length: at.sample + 1 }, (_, n) => planeOf(arrays.x, [n, at.from])).filter((p) => p !== null);
    const upstream = Array.from({ length: at.sample + 1 }, (_, n) => planeOf(arrays.g, [n, at.to])).filter((p) => p !== null);
    return images.length === at.sample + 1 && upstream.length === images.length ? gathered(images, upstream, window, at.place + 1) : null;
  }

  function forwards() {
    if (!x || !y) return "";
    const result = number(y[place[0]][place[1]]);
    if (weight) return convolved(result);
    const list = cells.filter((cell) => cell.inside).map((cell) => number(under(x, cell))).join(", ");
    if (best) return `max(${list}) = ${result}${ties(x) > 1 ? `; ${ties(x)} cells are equal, and the first of them counts` : ""}`;
    if (op.op.startsWith("avg_pool")) return `(${cells.map((cell) => bracket(under(x, cell))).join(" + ")}) / ${cells.length} = ${result}`;
    return `${op.op.replaceAll("_", " ")}: ${list} → ${result}`;
  }

  /** How many cells of a max-pool's window are its maximum. @param {Plane} image */
  function ties(image) {
    return best ? cells.filter((cell) => cell.inside && under(image, cell) === under(image, best)).length : 0;
  }

  /** @param {string} result */
  function convolved(result) {
    if (!x || !kernel || !weight) return "";
    const own = products(x, kernel, cells);
    const written = own.terms.map((term) => `${bracket(term.x)}·${bracket(term.w)}`).join(" + ");
    const others = Array.from({ length: source.shape[1] }, (_, c) => c)
      .filter((c) => c !== at.from)
      .map((c) => products(planeOf(arrays.x, [at.sample, c]) ?? x, planeOf(arrays.w, [at.to, c]) ?? kernel, cells).sum);
    const bias = told.bias ? planeOf(nodes[told.bias.name]?.value, [])?.[0][at.to] : undefined;
    const tail = [
      ...(others.length > 3 ? [`${bracket(others.reduce((a, b) => a + b, 0))} (${others.length} other channels)`] : others.map((sum) => `${bracket(sum)} (another channel)`)),
      ...(bias === undefined ? [] : [`${bracket(bias)} (bias)`]),
    ];
    return [written, tail.length > 0 && ` = ${number(own.sum)}${tail.map((t) => ` + ${t}`).join("")}`, " = ", h("strong", {}, result)];
  }

  function backwards() {
    if (!x || !g) return "";
    const here = g[place[0]][place[1]];
    if (best) return ["the whole ", h("strong", {}, number(here)), ` goes to ${ties(x) > 1 ? `the first of ${ties(x)} equal cells` : "the largest cell"}, ${number(under(x, best))}; the others get 0 from here.`];
    if (op.op.startsWith("avg_pool")) return `each of the ${cells.length} cells gets ${bracket(here)} / ${cells.length} = ${number(here / cells.length)}`;
    if (!weight) return `∂${source.label} = ${dx ? number(dx[place[0]][place[1]]) : "?"}, from ∂${op.label} = ${number(here)}`;
    return ["∂", weight.label, " gets ", h("strong", {}, number(here)), ` · [${unflat(cells.map((cell) => under(x, cell))).map((row) => row.map((v) => number(v)).join(" ")).join("; ")}]`, `; the image gets ${bracket(here)} · ${weight.label} there.`];
  }

  /** A map with its name and its own scale. @param {string} name @param {Plane | null} plane @param {ArrayData | null | undefined} array @param {"value" | "grad"} role @param {{window?: boolean, like?: Pair, result?: boolean, best?: import("./window.js").Covered | null, main?: boolean, extra?: boolean, until?: number}} ways */
  function figure(name, plane, array, role, ways) {
    const limit = array ? reach(array) : 0;
    const like = ways.like ?? [1, 1];
    const [rows, cols] = plane ? [plane.length, plane[0].length] : like;
    const { cell, written } = cellOf(plane, like);
    /** @param {Pair} here */
    const marked = ([r, c]) => {
      if (ways.result && r === place[0] && c === place[1]) return "here";
      if (ways.best && r === ways.best.at[0] && c === ways.best.at[1]) return "best";
      return null;
    };
    const margin = ways.window ? `${window.padding[0] * cell}em 0` : "0"; // a window over the border hides no word
    const frame = h("div", { class: `lens-map role-${role}`, style: { margin } }, mapImage(plane, { like, limit, cell, high: rows === 1 ? Math.max(cell, FLAT) : Math.min(cell, CELL.high), written, until: ways.until, marked }));
    if (plane && (ways.window || ways.result)) pointer(frame, rows, cols, ways.window ?? false);
    if (plane && ways.window) frame.append(ways.main ? held(rows, cols) : outline(rows, cols));
    return h("figure", { class: `lens-figure${ways.extra ? " is-extra" : ""}` }, h("figcaption", {}, h("strong", {}, name)), frame, scaleLegend(limit, role, ""));
  }

  /** A small matrix of gradients that stands for itself. @param {string} name @param {Plane | null} plane @param {ArrayData | null | undefined} like */
  function plain(name, plane, like) {
    const limit = like ? reach(like) : 1;
    const { cell, written } = cellOf(plane, window.size);
    return h("figure", { class: "lens-figure" }, h("figcaption", {}, h("strong", {}, name)), h("div", { class: "lens-map role-grad" }, mapImage(plane, { like: window.size, limit, cell, high: Math.min(cell, CELL.high), written })), scaleLegend(limit, "grad", ""));
  }

  /** @param {number} rows @param {number} cols */
  function outline(rows, cols) {
    const [top, left] = [place[0] * window.stride[0] - window.padding[0], place[1] * window.stride[1] - window.padding[1]];
    return h("div", {
      class: "lens-window",
      "aria-hidden": "true",
      style: { top: `${(100 * top) / rows}%`, left: `${(100 * left) / cols}%`, width: `${(100 * window.size[1]) / cols}%`, height: `${(100 * window.size[0]) / rows}%` },
    });
  }

  /** The window that arrow keys move. @param {number} rows @param {number} cols */
  function held(rows, cols) {
    const cell = outline(rows, cols);
    cell.removeAttribute("aria-hidden");
    cell.setAttribute("role", "gridcell");
    cell.tabIndex = 0;
    cell.dataset.hold = "window";
    cell.setAttribute("aria-label", `Window ${at.place + 1} of ${places[0] * places[1]}, row ${place[0] + 1}, column ${place[1] + 1}; arrow keys move it`);
    cell.setAttribute("aria-describedby", "lens-line");
    cell.addEventListener("keydown", told.key);
    return h("div", { role: "grid", "aria-label": "The sliding window", class: "lens-grid" }, h("div", { role: "row" }, cell));
  }

  /** Places the window under the pointer. @param {HTMLElement} frame @param {number} rows @param {number} cols @param {boolean} overImage */
  function pointer(frame, rows, cols, overImage) {
    const go = (/** @type {PointerEvent} */ event) => {
      const box = frame.getBoundingClientRect();
      /** @type {Pair} */
      const point = [((event.clientY - box.top) / box.height) * rows, ((event.clientX - box.left) / box.width) * cols];
      const to = overImage ? nearest(point, window, places) : /** @type {Pair} */ (point.map((v, axis) => Math.max(0, Math.min(places[axis] - 1, Math.floor(v)))));
      if (to[0] !== place[0] || to[1] !== place[1]) told.put(to);
    };
    frame.addEventListener("pointerdown", go);
    frame.addEventListener("pointermove", (event) => event.buttons > 0 && go(event));
  }
}
