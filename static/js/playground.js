/**
 * The playground: choices make a spec, a spec makes a session, and the server trains it while the page draws the latest
 * picture. What may change while it runs goes to the running session; all else begins a new one, with the same seed.
 */

import * as api from "./api.js";
import { count, number, percent } from "./format.js";
import { fill, icon } from "./h.js";
import { startPainter, watchInks } from "./playground/canvases.js";
import { DEFAULT, choicesOf, classesOf, isOwn, specOf } from "./playground/choices.js";
import { mountControls } from "./playground/controls.js";
import { watch } from "./playground/live.js";
import { mountNetwork } from "./playground/network.js";
import { mountPlane } from "./playground/plane.js";
import { says } from "./playground/words.js";
import { fragment, readFragment } from "./share.js";
import { themeButton } from "./theme.js";

/** @import {Choices} from "./playground/choices.js" */
/** @import {Scene} from "./playground/live.js" */
/** @import {Told} from "./playground/painter.js" */
/** @typedef {{name: string, task: string, noise: number, summary: string, points: number[][]}} Set */

const WRITE_AFTER = 240; // ms between two writings of numbers
const CHANGE_AFTER = 120; // ms of quiet until a dragged slider counts
/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(`play-${id}`));

async function main() {
  const sets = /** @type {{sets: Set[]}} */ (/** @type {any} */ (api.given())).sets ?? [];
  const tasks = Object.fromEntries(sets.map(({ name, task }) => [name, task]));
  /** @type {Choices} */
  let choices = structuredClone(DEFAULT);
  let id = "";
  let ending = () => {};
  /** @type {Scene | null} */
  let scene = null;
  let written = 0; // when numbers were last written
  let wanted = false; // to be playing: the button, not the server's answer
  let making = Promise.resolve();
  let measuring = 0;

  const curve = /** @type {HTMLCanvasElement} */ (at("curve"));
  const plane = mountPlane(at("plane"), { add: addPoint, measured });
  const network = mountNetwork(at("network"), { changeLayers: (layers) => change({ layers }), look, measured });
  const paint = startPainter(document.querySelector("main")?.dataset.painter ?? "", { network: network.canvas, plane: plane.canvas, curve }, draw);
  watchInks((inks) => paint({ is: "inks", inks }));
  new ResizeObserver(measured).observe(curve);
  const controls = mountControls(sets, { change, rate: changeRate, chooseSet, clearPoints });

  /** The painter hears of sizes and places once they have settled. */
  function measured() {
    cancelAnimationFrame(measuring);
    measuring = requestAnimationFrame(() => {
      const scale = Math.min(2, globalThis.devicePixelRatio || 1);
      const { middles, half, ...net } = network.layout();
      const { range, width } = plane.layout();
      const layout = { network: { ...net, scale }, plane: { width, height: width, scale }, curve: { width: curve.clientWidth, height: curve.clientHeight, scale }, middles, half, range };
      network.canvas.style.setProperty("width", `${net.width}px`);
      paint({ is: "layout", layout });
    });
  }

  /** One neuron on the large plane, or the answer again. @param {import("./playground/painter.js").Neuron | null} neuron */
  function look(neuron) {
    const output = neuron && scene && neuron.column === scene.columns.length - 1 ? neuron.unit : 0;
    paint({ is: "look", neuron: neuron && scene && neuron.column < scene.columns.length - 1 ? neuron : null, output });
  }

  // -- the session -------------------------------------------------------------------------------

  /** Begins anew with these choices; goes on playing if it played. @param {Partial<Choices>} [changed] */
  function change(changed = {}) {
    choices = { ...choices, ...changed };
    controls.show(choices, classesOf(choices.data, tasks));
    making = making.then(() => begin(wanted)).catch(complain);
    return making;
  }

  /** @param {boolean} play */
  async function begin(play) {
    complain(null);
    const mine = choices;
    const before = id;
    const spec = specOf(mine, tasks);
    const made = await api.createSession({ spec });
    if (mine !== choices) {
      void api.request("DELETE", `/api/sessions/${made.id}`).catch(() => {});
      return;
    }
    id = made.id;
    ending();
    follow();
    if (before) void api.request("DELETE", `/api/sessions/${before}`).catch(() => {});
    history.replaceState(null, "", `/playground${await fragment({ position: { iteration: 0, step: 0 }, spec })}`);
    if (play) await go(true);
  }

  function follow() {
    ending = watch(id, {
      scene(next) {
        scene = next;
        paint({ is: "scene", scene: next });
        network.build(next, choices.layers);
        plane.build(next);
        controls.layers(choices.layers.length);
      },
      picture(text) {
        network.picture(text);
        if (!document.hidden) paint({ is: "picture", text });
      },
      gone: () => complain(new Error("This run is not kept any more. Press reset to begin anew.")),
    });
  }

  /** @param {boolean} on */
  async function go(on) {
    wanted = on;
    button(on);
    at("hint").hidden = true;
    try {
      if (on) {
        const speed = Number(/** @type {HTMLSelectElement} */ (at("speed")).value) || null;
        await api.request("POST", `/api/sessions/${id}/play`, { body: { speed, gentle: speed === null } });
      } else await api.request("DELETE", `/api/sessions/${id}/play`);
    } catch (error) {
      complain(error);
    }
  }

  /** @param {boolean} on */
  function button(on) {
    fill(at("go"), icon(on ? "pause" : "play", 26));
    at("go").setAttribute("aria-label", on ? "Pause" : "Train");
  }

  async function step() {
    if (wanted) await go(false);
    await api.step(id, { count: 1, unit: "iteration" }).catch(complain);
  }

  async function freeze() {
    if (wanted) await go(false);
    location.href = `/walk/session/${encodeURIComponent(id)}`;
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let dragging;
  /** The learning rate of the running session. @param {number} lr */
  function changeRate(lr) {
    choices = { ...choices, lr };
    clearTimeout(dragging);
    dragging = setTimeout(() => {
      api.patch(id, { lr }).then(() => complain(null), complain);
    }, CHANGE_AFTER);
  }

  // -- data --------------------------------------------------------------------------------------

  /** @param {string} name */
  function chooseSet(name) {
    const { noise } = sets.find((set) => set.name === name) ?? { noise: 0.1 };
    const samples = isOwn(choices.data) ? 500 : choices.data.samples;
    change({ data: { dataset: name, samples, noise }, loss: "" });
  }

  /** A point of one's own joins those that are there. @param {number[]} place */
  function addPoint(place) {
    if (!scene) return;
    /** @type {{inputs: number[][], targets: number[]}} */
    const all = { inputs: [], targets: [] };
    for (const { inputs, targets } of Object.values(scene.samples)) {
      all.inputs.push(...inputs);
      all.targets.push(...targets.flat().map(Number));
    }
    const kind = controls.kind();
    const line = scene.domain.length === 1;
    all.inputs.push((line ? [place[0]] : place).map((x) => Number(x.toFixed(3))));
    all.targets.push(line ? Number(place[1].toFixed(3)) : scene.classes ? kind : kind || -1);
    change({ data: isOwn(choices.data) && choices.data.inputs.length === 0 ? { inputs: all.inputs.slice(-1), targets: all.targets.slice(-1) } : all });
  }

  /** Two points, one of each class, to begin with. */
  function clearPoints() {
    const line = scene?.domain.length === 1;
    change({ data: { inputs: line ? [[-0.5], [0.5]] : [[-0.5, -0.5], [0.5, 0.5]], targets: line ? [-0.5, 0.5] : [0, 1] }, validation: 0, batch: 0 });
  }

  // -- what is seen ------------------------------------------------------------------------------

  /** Numbers beside a picture that has been drawn; a few times a second is enough to read. @param {Told} told */
  function draw(told) {
    const now = performance.now();
    if (told.playing && now - written < WRITE_AFTER) return;
    written = now;
    write(at("iteration"), count(told.iteration));
    write(at("epoch"), count(told.epoch));
    write(at("rate"), told.playing ? count(Number(told.rate.toPrecision(2))) : "–");
    const { train, validation } = told.scores;
    write(at("train"), number(train?.loss));
    write(at("held"), validation ? number(validation.loss) : "–");
    const best = validation ?? train;
    write(at("accuracy"), best?.accuracy === undefined ? "–" : percent(best.accuracy));
    controls.confusion(best?.confusion, validation ? "held back" : "training");
    controls.scale(scene?.classes ?? 0, told.limits.at(-1) ?? 1);
    if (wanted && !told.playing && told.reason) stopped(told);
    if (document.body.dataset.playing !== String(told.playing)) document.body.dataset.playing = String(told.playing);
  }

  /** @param {HTMLElement} place @param {string} text */
  function write(place, text) {
    if (place.textContent !== text) place.textContent = text;
  }

  /** It has ended by itself. @param {Told} last */
  function stopped({ reason, iteration }) {
    wanted = false;
    button(false);
    const words = says(reason, iteration, scene?.limit ?? 0);
    if (words) complain(new Error(words), reason === "nonfinite");
  }

  /** @param {unknown} error @param {boolean} [walk] */
  function complain(error, walk = false) {
    const place = at("complaint");
    place.hidden = !error;
    if (!error) return;
    if (error instanceof DOMException && error.name === "AbortError") return;
    fill(place, /** @type {Error} */ (error).message, walk && controls.walkButton(freeze));
  }

  // -- hands -------------------------------------------------------------------------------------

  fill(at("reset"), icon("start"));
  fill(at("step"), icon("forward"));
  fill(at("fewer"), icon("minus", 14));
  fill(at("more"), icon("plus", 14));
  button(false);
  at("go").addEventListener("click", () => go(!wanted));
  at("step").addEventListener("click", step);
  at("reset").addEventListener("click", reset);
  at("seed").addEventListener("click", () => change({ seed: Math.floor(Math.random() * 1e6) }));
  at("more").addEventListener("click", () => network.more());
  at("fewer").addEventListener("click", () => network.fewer());
  at("walk").addEventListener("click", freeze);
  at("speed").addEventListener("change", () => wanted && go(true));
  function reset() {
    wanted = false;
    button(false);
    change();
  }
  addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const slider = target.matches('input[type="range"]') && !event.key.startsWith("Arrow"); // it has no use for the others
    if ((target.closest("input, select, textarea") && !slider) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && target.matches("button, a") && target.matches(":focus-visible")) return;
    /** @type {Record<string, () => void>} */
    const keys = { " ": () => go(!wanted), ArrowRight: step, r: reset, f: freeze };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !id) return;
    ending();
    follow(); // pictures that came meanwhile have not been drawn
  });

  const { spec } = location.hash ? await readFragment(location.hash) : { spec: null };
  if (spec) choices = choicesOf(spec);
  await change();
  document.querySelector("main")?.setAttribute("data-ready", "");
}

if (typeof document !== "undefined") {
  const theme = document.querySelector('[data-do="theme"]');
  if (theme) themeButton(theme);
  main().catch((error) => {
    const place = document.getElementById("play-complaint");
    if (!place) return;
    place.hidden = false;
    place.textContent = error.message;
  });
}
