// Moves the world under the stage: follows the focus, obeys drag, wheel and pinch, and draws the small map when the
// graph is larger than the stage.

import { aim, around } from "../geometry.js";
import { attributes, svg } from "../h.js";

/** @import {Graph} from "../types.js" */
/** @import {Box, Camera} from "../geometry.js" */

const CHIP = 15; // px of a chip's digits at scale 1, as graph.css has it
const PROJECTED_CHIP = 20;
const READABLE = 12.5; // px on a desk
const MARGIN = { x: 44, y: 30 }; // around a focus, in the graph's pixels: sums stand there
const NARROW = 16; // on a phone the margin is this part of the screen, so that a node and what it computes with fit side by side

const FAR = 1.5; // screens: a longer way is not travelled but left and arrived

/**
 * @param {HTMLElement} viewport @param {HTMLElement} world @param {Graph} graph
 * @param {object} ways
 * @param {() => boolean} ways.projected @param {() => {top: number, bottom: number, side: number}} ways.insets
 * @param {Map<string, Box>} ways.boxes  by name, for the map
 * @param {(view: Box) => void} ways.seen  told what part of the graph is in view, before it is
 * @param {Camera | null} [ways.from]  where it stands at first
 */
export function createCamera(viewport, world, graph, { projected, insets, boxes, seen, from = null }) {
  const leaving = new AbortController();
  const { signal } = leaving;
  /** @type {Camera | null} */
  let camera = from;
  let byHand = from !== null;
  /** @type {Box | null} */
  let focus = null;
  /** @type {Box | null} */
  let centre = null;
  const whole = { x: -24, y: -12, width: graph.width + 48, height: graph.height + 36 };

  const window_ = svg("rect", { class: "map-window", rx: 3 });
  const all = [...boxes.values()].map(({ x, y, width, height }) => `M${x} ${y}h${width}v${height}h${-width}z`).join("");
  const mark = svg("rect", { class: "map-node is-centre", rx: 12, visibility: "hidden" });
  const map = svg("svg", { class: "map", hidden: true, "aria-hidden": "true", preserveAspectRatio: "none" }, svg("path", { class: "map-node", d: all }), mark, window_);

  function view() {
    const { clientWidth: width, clientHeight: height } = viewport;
    const { top, bottom, side } = insets();
    const legible = projected() ? (0.0352 * innerHeight) / PROJECTED_CHIP : READABLE / CHIP;
    return {
      width,
      height,
      free: { x: side, y: top, width: Math.max(50, width - 2 * side), height: Math.max(50, height - top - bottom) },
      legible,
      comfortable: projected() ? legible : Math.min(1.35, Math.max(1, height / 640)),
      most: projected() ? legible * 1.5 : 1.45,
    };
  }

  const margin = () => Math.min(MARGIN.x, viewport.clientWidth / NARROW);

  /** What a camera shows of the graph. @param {Camera} camera @param {number} width @param {number} height @returns {Box} */
  const part = ({ x, y, scale }, width, height) => ({ x: -x / scale, y: -y / scale, width: width / scale, height: height / scale });
  let drawn = false; // whether the world stands where the camera says

  /** @param {Camera} next @param {boolean} smoothly */
  function apply(next, smoothly) {
    const { clientWidth, clientHeight } = viewport;
    if (camera && drawn && camera.x === next.x && camera.y === next.y && camera.scale === next.scale) return;
    const near = camera !== null && drawn && Math.abs(camera.x - next.x) < FAR * clientWidth && Math.abs(camera.y - next.y) < FAR * clientHeight;
    world.classList.toggle("is-moving", smoothly && near);
    const there = part(next, clientWidth, clientHeight);
    seen(camera && smoothly && near ? (around([part(camera, clientWidth, clientHeight), there]) ?? there) : there);
    camera = next;
    drawn = true;
    world.style.transform = `translate(${next.x}px, ${next.y}px) scale(${next.scale})`;
    viewport.style.setProperty("--zoom", String(next.scale));
    const [width, height] = [clientWidth, clientHeight];
    const over =
      whole.width * next.scale > width + 2 || whole.height * next.scale > height + 2;
    map.toggleAttribute("hidden", !over);
    if (!over) return;
    const scale = Math.min(Math.min(170, width / 4) / graph.width, 90 / graph.height);
    attributes(map, { viewBox: `0 0 ${graph.width} ${graph.height}`, width: graph.width * scale, height: Math.max(16, graph.height * scale) });
    attributes(window_, {
      x: -next.x / next.scale,
      y: -next.y / next.scale,
      width: width / next.scale,
      height: height / next.scale,
      "stroke-width": 1.5 / scale,
    });
  }

  function update(smoothly = true) {
    if (!measured || viewport.clientWidth === 0) return;
    apply(aim(view(), whole, focus, centre, camera), smoothly);
  }

  /** @param {number} dx @param {number} dy */
  function pan(dx, dy) {
    if (!camera) return;
    const { clientWidth: width, clientHeight: height } = viewport;
    const keep = 80; // px of the graph that stay in view
    const x = Math.min(width - keep, Math.max(keep - whole.width * camera.scale, camera.x + dx));
    const y = Math.min(height - keep, Math.max(keep - whole.height * camera.scale, camera.y + dy));
    byHand = true;
    apply({ ...camera, x, y }, false);
  }

  /** @param {number} factor @param {number} x @param {number} y  the place that stays, in the viewport */
  function zoom(factor, x, y) {
    if (!camera) return;
    const { legible, most } = view();
    const scale = Math.min(most * 2, Math.max(legible * 0.4, camera.scale * factor));
    const k = scale / camera.scale;
    byHand = true;
    apply({ x: x - (x - camera.x) * k, y: y - (y - camera.y) * k, scale }, false);
  }

  /** @type {Map<number, PointerEvent>} */
  const fingers = new Map();
  viewport.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || /** @type {Element} */ (event.target).closest("button, input, .map, .stage-over")) return;
    fingers.set(event.pointerId, event);
    viewport.setPointerCapture(event.pointerId);
  }, { signal });
  viewport.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const other = [...fingers.values()].find((f) => f.pointerId !== event.pointerId);
    if (other) {
      const box = viewport.getBoundingClientRect();
      const was = Math.hypot(before.clientX - other.clientX, before.clientY - other.clientY);
      const is = Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
      if (was > 0) zoom(is / was, (event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top);
    } else {
      pan(event.clientX - before.clientX, event.clientY - before.clientY);
    }
    fingers.set(event.pointerId, event);
  }, { signal });
  for (const type of ["pointerup", "pointercancel"]) {
    viewport.addEventListener(type, (event) => fingers.delete(/** @type {PointerEvent} */ (event).pointerId), { signal });
  }
  viewport.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const box = viewport.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) zoom(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
      else pan(-event.deltaX - (event.shiftKey ? event.deltaY : 0), event.shiftKey ? 0 : -event.deltaY);
    },
    { passive: false, signal },
  );
  map.addEventListener("pointerdown", (event) => {
    if (!camera) return;
    const box = map.getBoundingClientRect();
    const at = { x: ((event.clientX - box.left) / box.width) * graph.width, y: ((event.clientY - box.top) / box.height) * graph.height };
    const { clientWidth, clientHeight } = viewport;
    pan(clientWidth / 2 - (at.x * camera.scale + camera.x), clientHeight / 2 - (at.y * camera.scale + camera.y));
  });
  let measured = false; // the observer tells the size first, so that nobody forces a layout
  const sizes = new ResizeObserver(() => {
    if (measured || from === null) camera = null;
    measured = true;
    if (camera) apply(camera, false);
    else update(false);
  });
  sizes.observe(viewport);

  return {
    map,
    /** Looks at a step: its box with all around it, and what matters most in it. @param {Box | null} box @param {Box | null} middle */
    follow(box, middle) {
      const side = margin();
      const wider = box && { x: box.x - side, y: box.y - MARGIN.y / 2, width: box.width + 2 * side, height: box.height + 1.5 * MARGIN.y };
      focus = wider;
      centre = middle;
      if (byHand && camera) {
        byHand = false;
        const { clientWidth, clientHeight } = viewport;
        const b = wider ?? whole;
        const seen =
          b.x * camera.scale + camera.x >= 0 &&
          b.y * camera.scale + camera.y >= 0 &&
          (b.x + b.width) * camera.scale + camera.x <= clientWidth &&
          (b.y + b.height) * camera.scale + camera.y <= clientHeight;
        byHand = seen;
        if (seen) return;
      }
      update();
    },
    /** Brings a box into view, for the keyboard's focus. @param {Box} box */
    reveal(box) {
      const on = this.onScreen(box);
      const { clientWidth, clientHeight } = viewport;
      /** @param {number} from @param {number} size @param {number} room */
      const push = (from, size, room) => (from < 12 ? 12 - from : from + size > room - 12 ? room - 12 - from - size : 0);
      const [dx, dy] = [push(on.x, on.width, clientWidth), push(on.y, on.height, clientHeight)];
      if (dx || dy) pan(dx, dy);
    },
    /** Forgets what the hand has done. */
    reset() {
      byHand = false;
      camera = null;
      update();
    },
    update,
    /** Where it stands. */
    get place() {
      return camera;
    },
    /** How much of the graph can be shown so that it is read. */
    get reach() {
      const { free, legible } = view();
      return { width: free.width / legible - 2 * margin(), height: free.height / legible - 2 * MARGIN.y };
    },
    /** Marks a box on the map. @param {string | null} name */
    mark(name) {
      const box = boxes.get(name ?? "");
      mark.setAttribute("visibility", box ? "visible" : "hidden");
      if (box) attributes(mark, { x: box.x, y: box.y, width: box.width, height: box.height });
    },
    /** Lets go of the viewport. */
    leave() {
      leaving.abort();
      sizes.disconnect();
    },
    /** A box of the graph on the screen, relative to the stage. @param {Box} box */
    onScreen(box) {
      const { x, y, scale } = camera ?? { x: 0, y: 0, scale: 1 };
      return { x: box.x * scale + x, y: box.y * scale + y, width: box.width * scale, height: box.height * scale };
    },
  };
}
