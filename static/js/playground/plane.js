// The answer over the whole input plane (or the curve over one input) with the samples on it: circles for the first class,
// triangles for the second, hollow where a sample is held back. A click adds a sample of one's own.

import { number } from "../format.js";
import { h } from "../h.js";
import { signColour, ticks } from "../scale.js";
import { boundary, paint, placesOf } from "./pixels.js";

/** @import {Picture, Scene} from "./live.js" */
/** @import {Neuron} from "./network.js" */

const POINT = 4.2;

/** @param {HTMLElement} root @param {{add: (place: number[]) => void}} ways */
export function mountPlane(root, ways) {
  const map = h("canvas", { class: "plane-map", "aria-hidden": "true" });
  const over = h("canvas", { class: "plane-points", "aria-hidden": "true" });
  const small = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  root.append(map, over);
  const brush = /** @type {CanvasRenderingContext2D} */ (map.getContext("2d"));
  const pen = /** @type {CanvasRenderingContext2D} */ (over.getContext("2d"));
  /** @type {Scene | null} */
  let scene = null;
  /** @type {Picture | null} */
  let picture = null;
  /** @type {ReturnType<typeof placesOf>} */
  let places = [];
  /** @type {Neuron | null} */
  let shown = null;
  let output = 0;
  let size = 300;
  let scale = 1;
  /** @type {[number, number]} */
  let range = [-1, 1]; // of the value axis, for one input

  const axes = () => /** @type {[[number, number], [number, number]]} */ ([scene?.domain[0] ?? [-1, 1], scene?.domain[1] ?? range]);
  /** @param {number} value @param {number} axis */
  const place = (value, axis) => {
    const [low, high] = axes()[axis];
    const share = (value - low) / (high - low);
    return (axis ? 1 - share : share) * size;
  };

  function measure() {
    size = Math.max(80, root.clientWidth);
    scale = Math.min(2, globalThis.devicePixelRatio || 1);
    for (const canvas of [map, over]) [canvas.width, canvas.height] = [Math.round(size * scale), Math.round(size * scale)];
    drawPoints();
    drawMap();
  }

  function drawMap() {
    if (!scene || !picture || !places.length) return;
    const last = places.length - 1;
    const at = shown ?? { column: last, unit: Math.min(output, places[last].length - 1) };
    const where = places[at.column]?.[at.unit];
    if (!where) return;
    brush.setTransform(scale, 0, 0, scale, 0, 0);
    if (where.rows === 1) {
      drawCurve(where, picture.limits[at.column]);
      return;
    }
    paint(small, picture.maps, where);
    brush.imageSmoothingEnabled = true;
    brush.imageSmoothingQuality = "high";
    // the outer points of the grid lie on the edge of the plane: half a cell is left out all around
    brush.drawImage(small.canvas, 0.5, 0.5, where.columns - 1, where.rows - 1, 0, 0, size, size);
    if (scene.classes !== 2 && !shown) return;
    const cuts = boundary(picture.maps, where);
    const cell = size / (where.columns - 1);
    brush.beginPath();
    for (let i = 0; i < cuts.length; i += 4) {
      brush.moveTo(cuts[i] * cell, cuts[i + 1] * cell);
      brush.lineTo(cuts[i + 2] * cell, cuts[i + 3] * cell);
    }
    brush.strokeStyle = "#1a1a1a";
    brush.lineWidth = shown ? 1 : 2;
    brush.stroke();
  }

  /** @param {{start: number, columns: number}} where @param {number} limit */
  function drawCurve({ start, columns }, limit) {
    brush.fillStyle = "#f7f7f7";
    brush.fillRect(0, 0, size, size);
    brush.strokeStyle = "#c4c4c0";
    brush.lineWidth = 1;
    brush.beginPath();
    brush.moveTo(0, place(0, 1));
    brush.lineTo(size, place(0, 1));
    brush.stroke();
    brush.strokeStyle = getComputedStyle(root).getPropertyValue("--curve");
    brush.lineWidth = 3;
    brush.beginPath();
    for (let x = 0; x < columns; x += 1) {
      const value = /** @type {Picture} */ (picture).maps[start + x];
      if (value !== -128) brush.lineTo((x / (columns - 1)) * size, place((value / 127) * limit, 1));
    }
    brush.stroke();
  }

  function drawPoints() {
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, size, size);
    if (!scene) return;
    const { classes } = scene;
    const line = scene.domain.length === 1;
    const most = Math.max(1e-9, ...(scene.samples.train?.targets ?? []).flat().map(Math.abs));
    for (const [which, { inputs, targets }] of Object.entries(scene.samples)) {
      inputs.forEach((input, i) => {
        const target = Array.isArray(targets[i]) ? targets[i][0] : targets[i];
        const [x, y] = [place(input[0], 0), place(line ? target : input[1], 1)];
        const colour = classes === 2 ? signColour(target ? 1 : -1, 1) : classes ? "#1a1a1a" : line ? signColour(1, 1) : signColour(target, most);
        dot(x, y, classes === 2 && target === 1, colour, which !== "train", classes > 2 ? String(target) : "");
      });
    }
  }

  /** @param {number} x @param {number} y @param {boolean} triangle @param {string} colour @param {boolean} hollow @param {string} letter */
  function dot(x, y, triangle, colour, hollow, letter) {
    pen.beginPath();
    if (letter) {
      pen.font = "600 12px sans-serif";
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.lineWidth = 3;
      pen.strokeStyle = "#fff";
      pen.strokeText(letter, x, y);
      pen.fillStyle = hollow ? "#63635f" : colour;
      pen.fillText(letter, x, y);
      return;
    }
    if (triangle) {
      pen.moveTo(x, y - POINT * 1.15);
      pen.lineTo(x + POINT * 1.1, y + POINT * 0.85);
      pen.lineTo(x - POINT * 1.1, y + POINT * 0.85);
      pen.closePath();
    } else {
      pen.arc(x, y, POINT * 0.9, 0, 2 * Math.PI);
    }
    pen.fillStyle = hollow ? "#fff" : colour;
    pen.fill();
    pen.lineWidth = hollow ? 1.5 : 1;
    pen.strokeStyle = hollow ? colour : "#fff";
    pen.stroke();
  }

  over.addEventListener("click", (event) => {
    if (!scene?.flat) return;
    const box = over.getBoundingClientRect();
    const [[x0, x1], [y0, y1]] = axes();
    ways.add([x0 + ((event.clientX - box.left) / box.width) * (x1 - x0), y1 - ((event.clientY - box.top) / box.height) * (y1 - y0)]);
  });
  new ResizeObserver(measure).observe(root);

  return {
    /** @param {Scene} next */
    build(next) {
      scene = next;
      places = placesOf(next);
      shown = null;
      if (next.domain.length === 1) {
        const all = Object.values(next.samples).flatMap(({ targets }) => targets.flat().map(Number)).filter(Number.isFinite);
        const reach = 1.15 * Math.max(1e-9, ...all.map(Math.abs));
        range = [-reach, reach];
      }
      drawPoints();
    },
    /** @param {Picture} next */
    draw(next) {
      picture = next;
      drawMap();
    },
    /** Another neuron's map, or the answer again. @param {Neuron | null} neuron */
    look(neuron) {
      shown = neuron && neuron.column < places.length - 1 ? neuron : null;
      if (neuron && !shown) output = neuron.unit;
      drawMap();
    },
    /** Numbers along the axes, for the page to write. */
    axes: () => (scene ? axes().map(([low, high]) => ticks(low, high, 4).map((v) => number(v))) : []),
  };
}
