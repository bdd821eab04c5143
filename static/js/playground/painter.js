// Draws the three pictures that move: network, plane and curve. It is told of scenes, pictures and sizes by messages, so it
// may work in a thread of its own or on the page; it answers with what it has drawn, for the page to write beside it.

import { drawCurve, joined } from "./painter_curve.js";
import { drawNetwork } from "./painter_network.js";
import { drawPlane } from "./painter_plane.js";
import { bytesOf, placesOf } from "./pixels.js";

/** @import {Picture, Point, Scene} from "./live.js" */

/**
 * @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Brush
 * @typedef {{width: number, height: number, scale: number}} Size
 * @typedef {{column: number, unit: number}} Neuron
 * @typedef {{positive: string, negative: string, curve: string, ink: string, faint: string, line: string, value: string, tint: string, surface: string}} Inks
 * @typedef {{start: number, rows: number, columns: number}} Place
 * @typedef {object} Layout  what the page has measured
 * @property {Size} network
 * @property {Size} plane
 * @property {Size} curve
 * @property {[number, number][][]} middles  of all neurons, by column; the inputs are the first
 * @property {number} half  half a neuron's side
 * @property {number} text  px of small figures
 * @property {[number, number]} range  of the values, where there is one input
 *
 * @typedef {{is: "canvases", network: any, plane: any, curve: any}
 *   | {is: "layout", layout: Layout} | {is: "inks", inks: Inks} | {is: "look", neuron: Neuron | null, output: number}
 *   | {is: "calm", calm: boolean} | {is: "scene", scene: Scene} | {is: "picture", text: string}} Message
 * @typedef {Omit<Picture, "maps" | "weights">} Told
 */

const CALM = 500; // ms between two pictures for who wants less motion
const DEAR = 4; // a picture is drawn again after so many times what it took at the earliest

/** A small canvas to prepare a map in. @returns {Brush} */
function scratch() {
  const canvas = typeof OffscreenCanvas === "undefined" ? document.createElement("canvas") : new OffscreenCanvas(1, 1);
  return /** @type {Brush} */ (canvas.getContext("2d"));
}

/** @param {(told: Told) => void} tell  after a picture has been drawn */
export function createPainter(tell) {
  const small = scratch();
  /** @type {Record<"network" | "plane" | "curve", Brush> | null} */
  let brushes = null;
  /** @type {Layout | null} */
  let layout = null;
  /** @type {Inks | null} */
  let inks = null;
  /** @type {Scene | null} */
  let scene = null;
  /** @type {Picture | null} */
  let picture = null;
  /** @type {Point[]} */
  let points = [];
  /** @type {Place[][]} */
  let places = [];
  let look = { neuron: /** @type {Neuron | null} */ (null), output: 0 };
  /** @type {string | null} the latest picture that came, as it came */
  let waiting = null;
  let asked = false;
  let took = 0;
  let drawn = 0;
  let calm = false;

  const frame = /** @type {(run: () => void) => void} */ (
    typeof requestAnimationFrame === "function" ? requestAnimationFrame : (run) => setTimeout(run, 16));

  function ask() {
    if (asked) return;
    asked = true;
    const rest = drawn + Math.max(calm ? CALM : 0, DEAR * took) - performance.now();
    if (rest > 16) setTimeout(() => frame(draw), rest - 16);
    else frame(draw);
  }

  function draw() {
    asked = false;
    const began = performance.now();
    const news = waiting;
    if (news !== null) {
      waiting = null;
      const { maps, points: more, ...rest } = JSON.parse(news);
      picture = { ...rest, maps: bytesOf(maps) };
      points = joined(points, more);
    }
    if (brushes && layout && inks && scene && picture) {
      fit(brushes.network, layout.network);
      drawNetwork(brushes.network, small, scene, picture, places, layout, inks);
      fit(brushes.plane, layout.plane);
      drawPlane(brushes.plane, small, scene, picture, places, look, layout, inks);
      fit(brushes.curve, layout.curve);
      drawCurve(brushes.curve, points, layout.curve, inks, layout.text);
    }
    drawn = performance.now();
    took = drawn - began;
    if (news === null || !picture) return;
    const { maps: _, weights: __, ...told } = picture;
    tell(told);
  }

  /** The canvas has as many pixels as it is shown with. @param {Brush} brush @param {Size} size */
  function fit(brush, { width, height, scale }) {
    const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
    if (brush.canvas.width !== w || brush.canvas.height !== h) [brush.canvas.width, brush.canvas.height] = [w, h];
    brush.setTransform(scale, 0, 0, scale, 0, 0);
    brush.clearRect(0, 0, width, height);
  }

  return {
    /** @param {Message} message */
    receive(message) {
      if (message.is === "canvases") {
        const { network, plane, curve } = message;
        brushes = { network: network.getContext("2d"), plane: plane.getContext("2d"), curve: curve.getContext("2d") };
      } else if (message.is === "layout") layout = message.layout;
      else if (message.is === "inks") inks = message.inks;
      else if (message.is === "look") look = message;
      else if (message.is === "calm") ({ calm } = message);
      else if (message.is === "scene") {
        ({ scene } = message);
        places = placesOf(scene);
        picture = null;
        points = scene.curve;
        look = { neuron: null, output: 0 };
      } else if (waiting === null) waiting = message.text;
      else waiting = merged(waiting, message.text);
      ask();
    },
  };
}

/** Two pictures of which only the later one will be drawn; its curve has the points of both. @param {string} a @param {string} b */
function merged(a, b) {
  const [first, second] = [JSON.parse(a), JSON.parse(b)];
  return JSON.stringify({ ...second, points: [...first.points, ...second.points] });
}
