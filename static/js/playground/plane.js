// The samples over what the painter draws: circles for the first class, triangles for the second, white where a sample is
// held back. A click adds one of one's own.

import { h } from "../h.js";
import { mountGallery } from "./gallery.js";
import { mountRecital } from "./recital.js";
import { signColour } from "../scale.js";

/** @import {Scene} from "./live.js" */

const POINT = 4.2;
const CROWD = 80;

/** How many samples there are. @param {Scene} scene */
const inputsOf = ({ samples }) => Object.values(samples).reduce((sum, { inputs }) => sum + inputs.length, 0);

/** @param {HTMLElement} root @param {{add: (place: number[]) => void, measured: () => void}} ways */
export function mountPlane(root, ways) {
  const map = h("canvas", { class: "plane-map", "aria-hidden": "true" });
  const over = h("canvas", { class: "plane-points", "aria-hidden": "true" });
  root.append(map, over);
  const recital = mountRecital(root);
  const gallery = mountGallery(root);
  const pen = /** @type {CanvasRenderingContext2D} */ (over.getContext("2d"));
  /** @type {Scene | null} */
  let scene = null;
  let size = 300;
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
    const scale = Math.min(2, globalThis.devicePixelRatio || 1);
    [over.width, over.height] = [Math.round(size * scale), Math.round(size * scale)];
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    drawPoints();
    ways.measured();
  }

  function drawPoints() {
    pen.clearRect(0, 0, size, size);
    if (!scene) return;
    const { classes } = scene;
    const line = scene.domain.length === 1;
    pen.globalAlpha = line && inputsOf(scene) > CROWD ? 0.35 : 1; // the curve under them is to be seen
    const most = Math.max(1e-9, ...(scene.samples.train?.targets ?? []).flat().map(Math.abs));
    for (const [which, { inputs, targets }] of Object.entries(scene.samples)) {
      inputs.forEach((input, i) => {
        const target = Array.isArray(targets[i]) ? targets[i][0] : targets[i];
        const [x, y] = [place(input[0], 0), place(line ? target : input[1], 1)];
        const colour = classes === 2 ? signColour(target ? 1 : -1, 1) : classes ? "#1a1a1a" : line ? signColour(1, 1) : signColour(target, most);
        if (classes > 2) letter(x, y, String(target), which !== "train");
        else dot(x, y, classes === 2 && target === 1, colour, which !== "train");
      });
    }
  }

  /** @param {number} x @param {number} y @param {string} sign @param {boolean} held */
  function letter(x, y, sign, held) {
    pen.font = "600 12px sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineWidth = 3;
    pen.strokeStyle = "#fff";
    pen.strokeText(sign, x, y);
    pen.fillStyle = held ? "#63635f" : "#1a1a1a";
    pen.fillText(sign, x, y);
  }

  /** @param {number} x @param {number} y @param {boolean} triangle @param {string} colour @param {boolean} hollow */
  function dot(x, y, triangle, colour, hollow) {
    pen.beginPath();
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
    if (!hollow) {
      pen.fillStyle = "rgb(0 0 0 / 45%)"; // so that it is seen where the network is sure, on its own colour
      pen.fill();
    }
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
    canvas: map,
    /** @param {Scene} next */
    build(next) {
      scene = next;
      if (next.domain.length === 1) {
        const all = Object.values(next.samples).flatMap(({ targets }) => targets.flat().map(Number)).filter(Number.isFinite);
        const reach = 1.15 * Math.max(1e-9, ...all.map(Math.abs));
        range = [-reach, reach];
      }
      recital.build(next);
      gallery.build(next);
      drawPoints();
    },
    /** What is said of sequences now. @param {import("./recital.js").Said} told */
    show(told) {
      recital.show(told);
      gallery.show(told);
    },
    /** The answer again, or one neuron; of a gallery's outputs each has a map of its own. @param {boolean} answer @param {boolean} nobody */
    answer(answer, nobody) {
      recital.shown(answer);
      gallery.shown(nobody);
    },
    layout: () => ({ width: size, range }),
  };
}
