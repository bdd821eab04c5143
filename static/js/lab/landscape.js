/**
 * The loss on a plane through the real network's weights, with the way that the run took over it: a contour map, and a
 * surface where the browser can draw one.
 */

import { number, toNumber } from "../format.js";
import { fill, h } from "../h.js";
import { draw as plot, plotly, theme } from "../plotly.js";
import { fragment } from "../share.js";
import { landscape, streamed } from "../stream.js";
import { downloads } from "../download.js";
import { readPacked, readable, wish } from "./address.js";
import { offer, pick, problems, queryOf, rateOf, ways } from "./frame.js";
import { laneText, named, rateIn, readLane, typed } from "./lanes.js";
import { enlarged } from "./lines.js";
import { asked, find, ownProblem } from "./problems.js";
import { working } from "./working.js";

/** @import {Problem} from "./problems.js" */
/** @import {Num} from "../types.js" */
/** @typedef {{iteration: number, axes: string[], explained: Num[] | null, a: number[], b: number[], loss: (Num[] | null)[], complete: boolean, here: {loss: Num}, path: {iteration: number, a: Num, b: Num, loss: Num}[], parameters: {node: string, shape: number[]}[]}} Ground */

const PLANES = { random: "two random directions", trajectory: "the way's principal directions", parameters: "two parameters" };
const GRIDS = [25, 41, 61, 101];
const COUNTS = [0, 20, 40, 60, 100, 200, 400, 1000];
const OPTIMIZERS = ["sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw"];
const LOG_FROM = 30;
const NARROW = 600; // px: below, the picture takes the room of its scale

/** "0.weight[0,1]" as a place, or null. @param {string} text */
export function placeOf(text) {
  const [, node, index] = /^([^[\]]+?)\s*(?:\[([\d,\s]*)\])?$/.exec(text.trim()) ?? [];
  return node ? { node, index: (index ?? "").split(",").filter((n) => n.trim()).map(Number) } : null;
}

/** The first numbers of the first two parameters, or the two of one. @param {{node: string, shape: number[]}[]} parameters */
export function firstPlaces(parameters) {
  const all = parameters.flatMap(({ node, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const at = (/** @type {number} */ flat) => {
      const index = [];
      for (const side of shape.toReversed()) {
        index.unshift(flat % side);
        flat = Math.floor(flat / side);
      }
      return index.length ? `${node}[${index.join(",")}]` : node;
    };
    return Array.from({ length: Math.min(2, size) }, (_, i) => at(i));
  });
  return all.slice(0, 2);
}

/**
 * Heights as drawn: logarithms where they reach over more than a decade and a half.
 * @param {Ground} ground
 */
export function heights({ loss, path }) {
  const rows = loss.map((row) => (row ?? []).map(toNumber));
  const all = rows.flat().filter(Number.isFinite);
  const [low, high] = [all.reduce((a, b) => Math.min(a, b), Infinity), all.reduce((a, b) => Math.max(a, b), -Infinity)];
  const log = low > 0 && high > LOG_FROM * low;
  const height = (/** @type {number} */ v) => (!Number.isFinite(v) || (log && v <= 0) ? null : log ? Math.log10(v) : v);
  return { log, z: rows.map((row) => row.map(height)), way: path.map(({ loss: v }) => height(toNumber(v))) };
}

/**
 * The way as far as it keeps near a surface: what towers over it, as a start does over a plane through the end, would
 * make the surface flat.
 * @param {{z: (number | null)[][], way: (number | null)[]}} drawn
 */
export function nearby({ z, way }) {
  const all = z.flat().filter((v) => v !== null);
  const [low, high] = [all.reduce((a, b) => Math.min(a, b), Infinity), all.reduce((a, b) => Math.max(a, b), -Infinity)];
  const room = high - low;
  return way.map((v) => (v === null || v > high + room || v < low - room ? null : v));
}

function canDrawSurfaces() {
  try {
    const canvas = document.createElement("canvas");
    return Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
  } catch {
    return false;
  }
}

/** @param {HTMLElement} root */
export function landscapePage(root) {
  const asks = new URLSearchParams(location.search);
  const wanted = wish(location.search);
  const session = asks.get("session");
  /** @type {Problem} */
  let on = find(asks.get("on") || asks.has("lesson") ? wanted.on : "moons") ?? /** @type {Problem} */ (find("moons"));
  /** @type {Record<string, any>} */
  let lane = readLane(asks.get("lane") ?? "") ?? {};
  let iterations = asks.get("iterations") !== null && COUNTS.includes(Number(asks.get("iterations"))) ? Number(asks.get("iterations")) : Math.min(200, on.iterations);
  let plane = asks.get("plane") && Object.hasOwn(PLANES, asks.get("plane") ?? "") ? /** @type {keyof typeof PLANES} */ (asks.get("plane")) : "trajectory";
  let points = GRIDS.find((n) => String(n) === asks.get("points")) ?? 41;
  let [first, second] = [asks.get("a") ?? "", asks.get("b") ?? ""];
  let view = asks.get("view") === "map" ? "map" : "surface";
  /** @type {Problem[]} */
  let known = [];
  /** @type {Ground | null} */
  let ground = null;
  /** @type {AbortController | null} */
  let running = null;
  const surfaces = canDrawSurfaces();

  const choose = h("select", { id: "lab-problem" });
  const field = h("input", { id: "lab-rate", type: "text", inputmode: "decimal", class: "lab-number", autocomplete: "off" });
  const how = h("select", { id: "lab-optimizer" });
  const count = h("select", { id: "lab-iterations" });
  const planes = h("select", { id: "lab-plane" }, Object.entries(PLANES).map(([id, title]) => h("option", { value: id }, title)));
  const grid = h("select", { id: "lab-points" }, GRIDS.map((n) => h("option", { value: n }, `${n} × ${n}`)));
  const one = h("input", { id: "lab-a", type: "text", class: "lab-place", autocomplete: "off" });
  const two = h("input", { id: "lab-b", type: "text", class: "lab-place", autocomplete: "off" });
  const pair = h("span", { class: "lab-pair" }, pick("across", one), pick("up", two));
  const complaint = h("p", { class: "complaint", role: "alert", hidden: true });
  const facts = h("dl", { class: "limit-facts" });
  const says = h("p", { class: "limit-says", role: "status" });
  const walk = h("a", { class: "button", hidden: true }, "Walk from here");
  const map = h("div", { class: "ground-plot" });
  const surface = h("div", { class: "ground-plot" });
  const tabs = h("div", { class: "lab-tabs", role: "group", "aria-label": "Which picture" });
  const source = {
    name: "lab landscape", columns, svg: () => null,
    plot: () => (view === "surface" && surfaces ? surface : map),
  };
  const work = working(() => {
    running?.abort();
    complain("Cancelled: what is shown is from before.");
  });

  root.append(
    h("header", { class: "lab-head" }, h("div", { class: "lab-title" },
      h("h1", null, "What does the loss look like from the weights?"),
      h("p", null, "Every point is the real network with other weights. The line is the way that training took, seen on this plane."))),
    h("div", { class: "lab-bar" }, ways("landscape", () => queryOf(on)),
      session ? h("span", null, "The run that you walk") : [pick("Train", choose), pick("Rate η", field), pick("Optimizer", how), pick("Iterations", count)],
      pick("Plane through", planes), pair, pick("Points", grid)),
    complaint, work.element,
    h("div", { class: "lab-body" },
      h("div", { class: "lab-side" }, h("section", { class: "plate" }, h("h2", { class: "panel-title" }, "Here"), facts, says, walk)),
      h("figure", { class: "lab-figure lab-ground" },
        h("figcaption", { class: "lab-figure-head" }, tabs, downloads(source, "the landscape")), h("div", { class: "lab-stage" }, map, surface))));

  function complain(/** @type {string} */ words) {
    complaint.hidden = !words;
    complaint.textContent = words;
  }

  /** @returns {import("../download.js").Columns} */
  function columns() {
    if (!ground) return {};
    const { a, b, loss, axes, path } = ground;
    return {
      [axes[0]]: b.flatMap(() => a), [axes[1] === axes[0] ? "line" : axes[1]]: b.flatMap((v) => a.map(() => v)),
      loss: b.flatMap((_, j) => loss[j] ?? a.map(() => null)),
      "path iteration": path.map(({ iteration }) => iteration), "path a": path.map((place) => place.a),
      "path b": path.map((place) => place.b), "path loss": path.map((place) => place.loss),
    };
  }

  function draw() {
    if (known.length || !session) offer(choose, known, on);
    field.value = lane.lr === undefined ? "" : typed(lane.lr);
    fill(how, h("option", { value: "" }, "its own"), OPTIMIZERS.map((name) => h("option", { value: name, selected: lane.optimizer?.type === name }, named(name))));
    fill(count, [...new Set([...COUNTS, iterations])].sort((a, b) => a - b).map((n) => h("option", { value: n, selected: n === iterations }, String(n))));
    planes.value = plane;
    grid.value = String(points);
    pair.hidden = plane !== "parameters";
    [one.value, two.value] = [first, second];
    fill(tabs, [["surface", "Surface"], ["map", "Contour map"]].map(([id, title]) => h("button", {
      type: "button", class: "tool", "aria-pressed": String(id === view), on: { click: () => turn(id) },
    }, title)));
  }

  /** @param {string} id */
  function turn(id) {
    view = id;
    draw();
    remember();
    picture();
  }

  function remember() {
    const text = laneText(lane);
    const all = { ...(session ? { session } : Object.fromEntries(new URLSearchParams(queryOf(on)))),
      ...(session ? {} : { iterations: String(iterations), ...(text ? { lane: text } : {}) }), plane, points: String(points), view,
      ...(plane === "parameters" ? { a: first, b: second } : {}) };
    history.replaceState(null, "", `?${readable(new URLSearchParams(all))}${on.id === "own" ? location.hash : ""}`);
  }

  async function picture() {
    if (!ground) return;
    const onSurface = view === "surface" && surfaces;
    map.hidden = onSurface;
    surface.hidden = !onSurface;
    says.textContent = words(ground);
    const shown = onSurface ? surface : map;
    try {
      const size = String(enlarged(shown));
      if (shown.dataset.size !== size) (await plotly()).purge(shown); // a surface does not take its numbers' size anew
      shown.dataset.size = size;
      await plot(shown, traces(ground, onSurface), layout(shown, ground, onSurface));
    } catch (error) {
      complain(/** @type {Error} */ (error).message);
    }
  }

  /** @param {Ground} found @param {boolean} solid */
  function traces(found, solid) {
    const { token } = theme(root);
    const drawn = heights(found);
    const { z, log } = drawn;
    const way = nearby(drawn);
    const ink = token("--ink", "#111");
    const scale = [[0, token("--ground-low", "#4a93c7")], [0.4, token("--ground-middle", "#8fc0e0")], [1, token("--ground-high", "#eef6fb")]];
    const line = token("--ground-line", "#00324f");
    const real = found.loss.map((row) => (row ?? []).map((v) => number(v)));
    const about = { x: found.a, y: found.b, z, customdata: real, colorscale: scale, showscale: root.clientWidth > NARROW, colorbar: { title: { text: log ? "log₁₀ loss" : "loss" }, thickness: 14, outlinewidth: 0 },
      hovertemplate: `${found.axes[0]} %{x:.3g}<br>${found.axes[1]} %{y:.3g}<br>loss %{customdata}<extra></extra>` };
    const places = { x: found.path.map(({ a }) => toNumber(a)), y: found.path.map(({ b }) => toNumber(b)), name: "the way",
      text: found.path.map(({ iteration, loss }) => `iteration ${iteration}: loss ${number(loss)}`), hovertemplate: "%{text}<extra></extra>" };
    const sizes = found.path.map((_, i) => (i === 0 || i === found.path.length - 1 ? 9 : 4));
    const ends = { size: sizes, color: ink, line: { color: token("--surface", "#fff"), width: 1 }, symbol: found.path.map((_, i) => (i === found.path.length - 1 ? "diamond" : "circle")) };
    return solid
      ? [{ type: "surface", ...about, contours: { z: { show: true, usecolormap: false, color: line, width: 1 } } },
        { type: "scatter3d", mode: "lines+markers", ...places, z: way, line: { color: ink, width: 6 }, marker: { ...ends, size: sizes.map((n) => n / 1.6) } }]
      : [{ type: "contour", ...about, ncontours: 24, contours: { coloring: "fill" }, line: { width: 0.8, color: line } },
        { type: "scatter", mode: "lines+markers", ...places, line: { color: ink, width: 2.5 }, marker: ends }];
  }

  /** @param {HTMLElement} element @param {Ground} found @param {boolean} solid */
  function layout(element, found, solid) {
    const { layout: base, axis } = theme(element);
    const { log } = heights(found);
    const size = 14 * enlarged(element); // larger in projection
    const common = { ...base, font: { ...base.font, size }, showlegend: false, hovermode: "closest", uirevision: "stay" };
    const large = size > 20;
    const tickfont = { size: Math.sqrt(12 * size) * (large ? 0.85 : 1) }; // a surface's numbers grow with the square of it
    const flat = { tickfont, nticks: large ? 4 : 0, gridcolor: axis.gridcolor, zerolinecolor: axis.zerolinecolor, exponentformat: "power" };
    if (!solid) return { ...common, xaxis: { ...axis, title: { text: found.axes[0] } }, yaxis: { ...axis, title: { text: found.axes[1] } } };
    const away = Math.max(1, 1.08 * element.clientHeight / Math.max(1, element.clientWidth)); // all of it in a tall window, too
    return { ...common, margin: { l: 0, r: 0, t: 0, b: 0 },
      scene: { xaxis: { ...flat, title: { text: found.axes[0] } }, yaxis: { ...flat, title: { text: found.axes[1] } },
        zaxis: { ...flat, title: { text: log ? "log₁₀ loss" : "loss" } }, camera: { eye: { x: 1.5 * away, y: -1.6 * away, z: 1.15 * away }, center: { x: 0, y: 0, z: -0.12 } } } };
  }

  /** @param {Ground} found */
  function words(found) {
    const told = [];
    if (found.explained) {
      const share = found.explained.reduce((/** @type {number} */ sum, v) => sum + toNumber(v), 0);
      told.push(`These two directions hold ${number(100 * share)} % of how far the weights moved.`);
    } else if (plane === "random") told.push("Each filter of these directions is as long as the weights’ own, so that planes can be compared; the way is hardly seen on them.");
    if (!found.complete) told.push("Ended early: what is missing was not computed.");
    if (view === "surface" && !surfaces) told.push("This browser has no WebGL, so the surface is shown as a contour map.");
    told.push("The way is laid onto the plane; its height is its own loss.");
    const drawn = heights(found);
    if (nearby(drawn).some((v, i) => v === null && drawn.way[i] !== null)) told.push("Where it lies far above this plane it is left out of the surface.");
    return told.join(" ");
  }

  async function run() {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    complain("");
    root.setAttribute("aria-busy", "true");
    if (!session && lane.lr === undefined && !lane.optimizer) lane = { lr: await rateOf(on) };
    draw();
    remember();
    work.begin("Computing the landscape …");
    const options = { signal: mine.signal, heard: work.heard };
    const parameters = [first, second].map(placeOf);
    const laid = { plane, points, ...(plane === "parameters" && first && second ? { parameters } : {}) };
    try {
      if (plane === "parameters" && !(first && second)) {
        const [a, b] = firstPlaces((await ask({ plane: "random", points: 2 }, options)).parameters);
        [first, second] = [a, b];
        laid.parameters = [first, second].map(placeOf);
        draw();
        remember();
      }
      const found = await ask(laid, options);
      if (mine.signal.aborted) return;
      ground = found;
      const { path } = /** @type {Ground} */ (found);
      fill(facts, [["iteration", String(found.iteration)], ["loss here", number(found.here.loss)], ["loss at the start", number(path[0]?.loss)],
        ["points", `${found.a.length} × ${found.b.length}`]].map(([name, told]) => h("div", null, h("dt", null, name), h("dd", null, told))));
      await picture();
      await lead(found);
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") complain(/** @type {Error} */ (error).message);
    } finally {
      if (running === mine) {
        work.end();
        root.removeAttribute("aria-busy");
      }
    }
  }

  /** @param {object} laid @param {import("../stream.js").Options} options */
  const ask = (laid, options) => (session ? streamed(`/api/sessions/${encodeURIComponent(session)}/landscape`, laid, options)
    : landscape({ ...asked(on), lane, iterations, ...laid }, options));

  /** The link to the very iteration around which the plane lies. @param {Ground} found */
  async function lead(found) {
    walk.hidden = false;
    if (session) walk.href = `/walk/session/${encodeURIComponent(session)}`;
    else {
      const { lanes } = await streamed("/api/sweeps", { ...asked(on), lanes: [lane], iterations: 1, specs: true });
      walk.href = `/walk${await fragment({ position: { iteration: found.iteration, step: 0 }, spec: lanes[0].spec })}`;
    }
  }

  const changed = (/** @type {HTMLElement} */ control, /** @type {() => void | false} */ take) => control.addEventListener("change", () => {
    if (take() !== false) run();
  });
  changed(choose, () => {
    on = find(choose.value, known) ?? on;
    lane = {};
    iterations = Math.min(200, on.iterations);
    [first, second] = ["", ""];
    if (on.id === "ravine" || on.id === "saddle") plane = "parameters";
  });
  changed(field, () => {
    const value = rateIn(field, complain);
    if (value === null) return false;
    lane = { ...lane, lr: value };
    return undefined;
  });
  changed(how, () => {
    const { optimizer: _, ...others } = lane;
    lane = how.value ? { ...others, optimizer: { type: how.value } } : others;
  });
  changed(count, () => { iterations = Number(count.value); });
  changed(planes, () => { plane = /** @type {keyof typeof PLANES} */ (planes.value); });
  changed(grid, () => { points = Number(grid.value); });
  changed(one, () => { first = one.value; });
  changed(two, () => { second = two.value; });
  new MutationObserver(() => picture()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-projection"] });

  async function begin() {
    const packed = await readPacked(location.hash);
    if (packed.spec) on = ownProblem(packed.spec);
    draw();
    const there = session || packed.spec || find(wanted.on) ? run() : null;
    if (!session) {
      try {
        known = await problems(on);
        if (!there) on = known.find(({ id }) => id === wanted.on) ?? on;
      } catch (error) {
        complain(/** @type {Error} */ (error).message);
      }
      draw();
    }
    if (!there) run();
  }
  begin();
}
