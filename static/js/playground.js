/**
 * The playground: choices make a spec, a spec makes a session, and the server trains it while the page draws the latest
 * picture. What may change while it runs goes to the running session; all else begins a new one, with the same seed.
 */

import * as api from "./api.js";
import { count, number, percent } from "./format.js";
import { fill, icon } from "./h.js";
import { startPainter, watchInks } from "./playground/canvases.js";
import { DEFAULT, choicesOf, classesOf, specOf, untilOf } from "./playground/choices.js";
import { mountControls } from "./playground/controls.js";
import { changesFor, emptied, withPoint } from "./playground/data.js";
import { watch } from "./playground/live.js";
import { mountLosses } from "./playground/losses.js";
import { mountNetwork } from "./playground/network.js";
import { mountPlane } from "./playground/plane.js";
import { says, shows } from "./playground/words.js";
import { fragment, readFragment } from "./share.js";
import { themeButton } from "./theme.js";

/** @import {Choices} from "./playground/choices.js" */
/** @import {Scene} from "./playground/live.js" */
/** @import {Neuron, Told} from "./playground/painter.js" */
/** @import {Set} from "./playground/controls.js" */

const WRITE_AFTER = 240; // ms between two writings of numbers
const RUNNING = new Set(["lr", "l1", "l2", "until"]); // what may change without a new beginning
const GOOD_ENDS = new Set(["loss_below", "grad_norm_below", "gradient_below", "validation_patience", "limit", "moved"]);
const SETTLED_AFTER = 500; // ms in which the server has heard of a press
const CHANGE_AFTER = 120; // ms of quiet until a dragged slider counts
/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(`play-${id}`));

async function main() {
  const { sets = [], words = {} } = /** @type {{sets?: Set[], words?: Record<string, string>}} */ (/** @type {any} */ (api.given()));
  const known = Object.fromEntries(sets.map((set) => [set.name, set]));
  /** @type {Choices} */
  let choices = structuredClone(DEFAULT);
  let id = "";
  let precious = false; // somebody may have the present session open elsewhere
  let ending = () => {};
  /** @type {Scene | null} */
  let scene = null;
  let written = 0; // when numbers were last written
  let wanted = false; // to be playing: the button, not the server's answer
  let making = Promise.resolve();
  let turn = 0; // of choices that begin anew
  let begun = 0; // the one that the present session is of
  let failed = false; // whether the latest of them could not be
  let pressed = 0; // when the button was last pressed
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let settling;
  let measuring = 0;
  /** @type {import("./playground/painter.js").Inks | null} */
  let ink = null;
  let limits = /** @type {number[]} */ ([]);
  /** @type {Neuron | null} the neuron that is looked at */
  let looked = null;

  const curve = /** @type {HTMLCanvasElement} */ (at("curve"));
  const plane = mountPlane(at("plane"), { add: addPoint, measured });
  const network = mountNetwork(at("network"), { changeLayers: (layers) => change({ layers }), look, measured });
  const paint = startPainter(document.querySelector("main")?.dataset.painter ?? "", { network: network.canvas, plane: plane.canvas, curve }, draw);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  paint({ is: "calm", calm: still.matches });
  still.addEventListener("change", () => paint({ is: "calm", calm: still.matches }));
  watchInks((inks) => paint({ is: "inks", inks: (ink = inks) }));
  mountLosses(at("loss-chart"), () => id, () => ink);
  new ResizeObserver(measured).observe(curve);
  const controls = mountControls(sets, words, {
    change: (changed) => (Object.keys(changed).every((name) => RUNNING.has(name)) ? changeRunning(changed) : change(changed)),
    rate: (lr) => changeRunning({ lr }),
    chooseSet,
    clearPoints,
    useTable: (own) => change({ data: own, standardise: true, loss: "", validation: own.inputs.length > 9 ? 0.2 : 0 }),
  });

  /** The painter hears of sizes and places once they have settled. */
  function measured() {
    cancelAnimationFrame(measuring);
    measuring = requestAnimationFrame(() => {
      const scale = Math.min(2, globalThis.devicePixelRatio || 1);
      const { middles, half, ...net } = network.layout();
      const { range, width } = plane.layout();
      const layout = { network: { ...net, scale }, plane: { width, height: width, scale }, curve: { width: curve.clientWidth, height: curve.clientHeight, scale }, middles, half, range, text: 0.7 * parseFloat(getComputedStyle(document.documentElement).fontSize) };
      network.canvas.style.setProperty("width", `${net.width}px`);
      paint({ is: "layout", layout });
    });
  }

  /** One neuron on the large plane, or the answer again. @param {Neuron | null} neuron */
  function look(neuron) {
    looked = neuron;
    const output = neuron && scene && neuron.column === scene.columns.length - 1 ? neuron.unit : 0;
    const inner = neuron && scene && neuron.column < scene.columns.length - 1 ? neuron : null;
    paint({ is: "look", neuron: inner, output });
    plane.answer(!inner, !neuron);
    caption();
  }

  /** What the large picture shows. */
  function caption() {
    if (!scene) return;
    const whole = scene.flat || Boolean(scene.sequences ?? scene.gallery);
    const answer = whole && (!looked || looked.column === scene.columns.length - 1);
    const column = looked?.column ?? (whole ? scene.columns.length - 1 : 0);
    at("low").parentElement?.toggleAttribute("hidden", (scene.flat && scene.domain.length === 1) || Boolean(scene.gallery && !looked));
    at("low").parentElement?.classList.toggle("is-share", answer && scene.classes > 2);
    controls.scale(scene, limits[Math.min(column, limits.length - 1)] ?? 1, answer);
    controls.caption(shows(scene, looked));
  }

  // -- the session -------------------------------------------------------------------------------

  /** Begins anew with these choices; goes on playing if it is wanted. @param {Partial<Choices>} [changed] */
  function change(changed = {}) {
    if (changed.one) [wanted, pressed] = [true, performance.now()]; // it is ticked to be seen
    choices = { ...choices, ...changed };
    turn += 1;
    controls.show(choices, classesOf(choices.data, known));
    making = making.then(begin).catch(refused);
    return making;
  }

  /** What is chosen cannot be: nothing goes on that is not what the page says. @param {unknown} error */
  function refused(error) {
    failed = true;
    if (wanted && id) void api.request("DELETE", `/api/sessions/${id}/play`).catch(() => {});
    wanted = false;
    button(false);
    complain(error);
  }

  async function begin() {
    complain(null);
    const mine = turn;
    const before = id;
    const spec = specOf(choices, known);
    const { lr, l1, l2 } = choices;
    const made = await api.createSession({ spec });
    if (mine !== turn) {
      void api.request("DELETE", `/api/sessions/${made.id}`).catch(() => {});
      return;
    }
    [id, begun, failed] = [made.id, mine, false];
    ending();
    follow();
    if (choices.lr !== lr || choices.l1 !== l1 || choices.l2 !== l2) await tellRunning(["lr", "l1"]); // moved meanwhile
    if (before && !precious) void api.request("DELETE", `/api/sessions/${before}`).catch(() => {});
    precious = false;
    keepAddress();
    if (wanted) await go(true);
  }

  /** Takes up the run that the address names, as it stands, if it is still there. */
  async function resumed() {
    const named = document.querySelector("main")?.dataset.session;
    const found = named ? await api.session(named).catch(() => null) : null;
    if (!found) return false;
    const { lr, regularisation } = /** @type {any} */ (found.settings);
    choices = { ...choicesOf(found.spec), ...(lr === null ? {} : { lr }), l1: regularisation?.l1 ?? 0, l2: regularisation?.l2 ?? 0 };
    [id, precious] = [found.id, true];
    controls.show(choices, classesOf(choices.data, known));
    follow();
    return true;
  }

  /** The address holds the run, to come back to it, and all choices, should it not be kept any more. */
  async function keepAddress() {
    const spec = specOf(choices, known);
    const run = await fragment({ position: { iteration: 0, step: 0 }, spec });
    history.replaceState(null, "", `/playground/session/${encodeURIComponent(id)}${run}`);
  }

  function follow() {
    ending = watch(id, {
      scene(next) {
        scene = next;
        paint({ is: "scene", scene: next });
        network.build(next, choices.layers);
        plane.build(next);
        look(network.chosen());
        controls.marks(next);
        controls.layers(choices.layers.length, Boolean(next.sequences));
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
    if (on && failed) return change(); // which says again why not, or begins
    pressed = performance.now();
    button(on);
    if (on) controls.begun();
    complain(null);
    try {
      if (on) {
        const speed = Number(/** @type {HTMLSelectElement} */ (at("speed")).value) || null;
        await api.request("POST", `/api/sessions/${id}/play`, { body: { speed, gentle: speed === null, ...untilOf(choices.until, scene?.columns ?? [], network.chosen()) } });
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
    precious = true;
    location.href = `/walk/session/${encodeURIComponent(id)}`;
  }

  /** The running session hears of these. @param {string[]} names */
  async function tellRunning(names) {
    const { lr, l1, l2 } = choices;
    const penalty = l1 > 0 || l2 > 0 ? { ...(l1 > 0 ? { l1 } : {}), ...(l2 > 0 ? { l2 } : {}) } : null;
    await api.patch(id, { ...(names.includes("lr") ? { lr } : {}), ...(names.includes("l1") || names.includes("l2") ? { regularisation: penalty } : {}) });
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let dragging;
  let moved = /** @type {string[]} */ ([]); // what the next telling is about
  /** What the running session takes over as it goes. @param {Partial<Choices>} changed */
  function changeRunning(changed) {
    choices = { ...choices, ...changed };
    moved.push(...Object.keys(changed));
    clearTimeout(dragging);
    dragging = setTimeout(async () => {
      const names = moved;
      moved = [];
      try {
        await making;
        if (names.includes("until") && wanted) await go(true);
        if (names.some((name) => name !== "until")) await tellRunning(names);
        complain(null);
        keepAddress();
      } catch (error) {
        complain(error);
      }
    }, CHANGE_AFTER);
  }

  // -- data --------------------------------------------------------------------------------------

  /** @param {string} name */
  function chooseSet(name) {
    change(changesFor(known[name], choices, known));
  }

  /** A point of one's own joins those that are there. @param {number[]} place */
  function addPoint(place) {
    if (scene) change({ data: withPoint(scene, choices, known, place, controls.kind()), standardise: false });
  }

  function clearPoints() {
    change(emptied(Boolean(scene?.flat && scene.domain.length === 1)));
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
    at("accuracy").parentElement?.toggleAttribute("hidden", best?.accuracy === undefined);
    if (best?.accuracy !== undefined) write(at("accuracy"), percent(best.accuracy));
    controls.confusion(best?.confusion, validation ? "held back" : "training");
    limits = told.limits;
    plane.show(told);
    caption();
    settle(told);
    if (document.body.dataset.playing !== String(told.playing)) document.body.dataset.playing = String(told.playing);
  }

  /** @param {HTMLElement} place @param {string} text */
  function write(place, text) {
    if (place.textContent !== text) place.textContent = text;
  }

  /** The button follows the run, which may have ended by itself or been begun by somebody else. @param {Told} told */
  function settle(told) {
    clearTimeout(settling);
    const wait = pressed + SETTLED_AFTER - performance.now();
    if (wanted === told.playing || turn !== begun) return;
    if (wait > 0) settling = setTimeout(() => settle(told), wait);
    else if (wanted) stopped(told);
    else {
      wanted = true;
      button(true);
    }
  }

  /** @param {Told} last */
  function stopped({ reason, says: told }) {
    wanted = false;
    button(false);
    const words = says(reason, told, scene?.limit ?? 0);
    if (words) complain(new Error(words), told !== "" && reason !== "error", !GOOD_ENDS.has(reason));
  }

  /** @param {unknown} error @param {boolean} [walk] @param {boolean} [bad]  a fault rather than something waited for */
  function complain(error, walk = false, bad = true) {
    const place = at("complaint");
    place.classList.toggle("complaint", bad);
    place.classList.toggle("plate", !bad);
    place.hidden = !error;
    if (!error) return;
    if (error instanceof DOMException && error.name === "AbortError") return;
    fill(place, /** @type {Error} */ (error).message, controls.ways(walk ? freeze : null, () => complain(null)));
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
  at("new").addEventListener("click", () => change({ seed: Math.floor(Math.random() * 1e6) }));
  at("more").addEventListener("click", () => network.more());
  at("fewer").addEventListener("click", () => network.fewer());
  at("walk").addEventListener("click", freeze);
  at("speed").addEventListener("change", () => wanted && go(true));
  at("projection").addEventListener("click", project);
  if (new URLSearchParams(location.search).has("projection")) project();

  /** Everything large, for the last row of a hall. */
  function project() {
    const on = document.documentElement.toggleAttribute("data-projection");
    at("projection").setAttribute("aria-pressed", String(on));
  }

  function reset() {
    wanted = false;
    pressed = performance.now();
    button(false);
    change();
  }
  addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const slider = target.matches('input[type="range"]') && !event.key.startsWith("Arrow"); // it has no use for the others
    if ((target.closest("input, select, textarea") && !slider) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && target.matches("button, a") && target.matches(":focus-visible")) return;
    /** @type {Record<string, () => void>} */
    const keys = { " ": () => go(!wanted), ArrowRight: step, r: reset, f: freeze, p: project };
    const act = keys[event.key.toLowerCase()] ?? keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !id) return;
    ending();
    follow(); // pictures that came meanwhile have not been drawn
  });

  if (!(await resumed())) {
    const { spec } = location.hash ? await readFragment(location.hash) : { spec: null };
    if (spec) choices = choicesOf(spec);
    await change();
    const gone = document.querySelector("main")?.dataset.session && !spec;
    if (gone) complain(new Error("The run of this address is not kept any more. This is a new one."), false, false);
  }
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
