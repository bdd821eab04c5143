/**
 * The lab's lanes: one start, up to twelve ways on. The visitor picks a question or makes one: a problem, what lanes
 * differ in, how many. All lanes are trained by the server, then shown in lock-step. The address holds all of it.
 */

import * as api from "../api.js";
import { fill, h, icon } from "../h.js";
import { fragment } from "../share.js";
import { sweep } from "../stream.js";
import { address, readPacked, wish } from "./address.js";
import { charts } from "./charts.js";
import { editLane } from "./editor.js";
import { offer, pick, problems, queryOf, rateOf, ways } from "./frame.js";
import { FEWEST, FIELDS, MOST, differing, labels, ratesAround, schedule, spareRate } from "./lanes.js";
import { PRESETS, preset } from "./presets.js";
import { FORMULAS, asked, find, ownProblem } from "./problems.js";
import { laneRow } from "./row.js";
import { transport } from "./transport.js";
import { working } from "./working.js";

/** @import {Changes, Field, Lane} from "./lanes.js" */
/** @import {Problem} from "./problems.js" */
/** @import {Result} from "./row.js" */

const COUNTS = [10, 20, 40, 60, 100, 200, 300, 400, 1000, 2000, 5000];
const REMEMBER = 300; // ms after the last move
const SOME = 7; // lanes that a hall sees with all that is told of them

/** Rates at which optimizers with a scale of their own begin, as shares of plain gradient descent's. @type {Record<string, number>} */
const SHARES = { sgd: 1, momentum: 0.2, rmsprop: 0.05, adagrad: 0.2, adam: 0.1, adamw: 0.1 };

/**
 * Lanes to begin with where a person asks for another difference.
 * @param {Field} by @param {Problem} problem @param {number} lr @param {number} iterations @param {Record<string, any[]> | null} catalogue
 * @returns {Changes[]}
 */
export function fresh(by, problem, lr, iterations, catalogue) {
  const rows = (/** @type {string} */ table) => (catalogue?.[table] ?? []).map(({ name }) => name);
  const short = (/** @type {number} */ v) => Number(v.toPrecision(2));
  switch (by) {
    case "optimizer": return rows("optimizers").slice(0, MOST).map((type) => ({ lr: short(lr * (SHARES[type] ?? 0.1)), optimizer: { type } }));
    case "schedule": return rows("schedules").slice(0, MOST).map((type) => ({ lr, schedule: schedule(type, iterations) }));
    case "batch_size": return [null, 32, 8, 1].map((batch_size) => ({ lr, batch_size }));
    case "init": return ["zeros", "xavier_uniform", "kaiming_uniform"].map((type) => ({ lr, init: { type } }));
    default: return ratesAround(lr, [lr]).map((rate) => ({ lr: problem.id === "ravine" || problem.id === "saddle" ? short(rate / 3) : rate }));
  }
}

/** @param {HTMLElement} root */
export function lanesPage(root) {
  let state = wish(location.search);
  let on = find(state.on) ?? FORMULAS[0];
  let keys = 0;
  /** @param {Changes[]} all @returns {Lane[]} */
  const keyed = (all) => all.map((changes) => ({ key: keys++, changes }));
  let lanes = keyed(state.lanes ?? ratesAround(null, [on.lr]).map((lr) => ({ lr })));
  let by = differing(lanes.map(({ changes }) => changes));
  let { iterations } = state;
  /** @type {string | null} */
  let asking = state.preset;
  /** @type {Problem[]} */
  let known = [...FORMULAS];
  /** @type {Record<string, any[]> | null} */
  let catalogue = null;
  /** @type {Result[] | null} */
  let results = null;
  /** @type {AbortController | null} */
  let running = null;
  /** @type {string[]} */
  let walks = [];
  let later = 0;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const question = h("h1");
  const says = h("p");
  const questions = h("div", { class: "lab-presets", role: "group", "aria-label": "Questions" }, PRESETS.map(({ id, title }) =>
    h("button", { type: "button", class: "button lab-preset", "data-preset": id, on: { click: () => ask(id) } }, title)));
  const choose = h("select", { id: "lab-problem" });
  const differ = h("select", { id: "lab-by" }, Object.entries(FIELDS).map(([field, { title }]) => h("option", { value: field }, title)));
  const count = h("select", { id: "lab-iterations" });
  const complaint = h("p", { class: "complaint", role: "alert", hidden: true });
  const list = h("ol", { class: "lab-lanes", "aria-label": "Lanes" });
  const add = h("button", { type: "button", class: "button lab-add", on: { click: addLane } }, icon("plus", 16), "Add a lane");
  const pictures = charts();
  const told = h("p", { class: "unseen", role: "status" });
  const work = working(() => {
    running?.abort();
    complain("Cancelled: what is shown is from before.");
  });
  const clock = transport({ show, ended: summary, held: () => remember(true) });

  root.append(
    h("header", { class: "lab-head" }, h("div", { class: "lab-title" }, question, says), questions),
    h("div", { class: "lab-bar" },
      ways("lanes", () => queryOf(on)), pick("Train", choose), pick("Lanes differ in", differ), pick("Iterations", count), add),
    complaint, work.element,
    h("div", { class: "lab-body" }, list, pictures.element),
    clock.element, told);

  /** @type {{update: (result: Result | undefined, k: number, last: number) => void, lead: (address: string, k: number) => void}[]} */
  let rows = [];

  function draw() {
    const names = labels(lanes.map(({ changes }) => changes));
    rows = [];
    fill(list, lanes.map((lane, place) => {
      const row = laneRow(lane, place, {
        by, catalogue, iterations, name: names[place], alone: lanes.length <= FEWEST, complain,
        changed: (changes) => change(lanes.map((one) => (one === lane ? { ...lane, changes } : one))),
        drop: () => change(lanes.filter((one) => one !== lane)),
        edit: () => edit(lane, place),
        look: (is) => pictures.look(is, place),
      });
      rows.push(row);
      return row.element;
    }));
    add.disabled = lanes.length >= MOST;
    add.title = add.disabled ? `At most ${MOST} lanes` : "";
    root.dataset.lanes = String(lanes.length);
    root.toggleAttribute("data-many", lanes.length > SOME);
    differ.value = by;
    fill(count, [...new Set([...COUNTS, iterations])].sort((a, b) => a - b).map((n) => h("option", { value: n, selected: n === iterations }, String(n))));
    const chosen = preset(asking);
    question.textContent = chosen?.question ?? "Same start: which lane learns best?";
    says.textContent = chosen?.says ?? `Every lane starts with the same seed. They differ in the ${FIELDS[by].title}.`;
    for (const button of questions.children) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.preset === asking));
  }

  /** @param {Lane[]} wanted */
  function change(wanted) {
    asking = null;
    lanes = wanted.map((lane) => ({ ...lane, changes: Object.fromEntries(Object.entries(lane.changes).filter(([, value]) => value !== undefined)) }));
    draw();
    run();
  }

  /** @param {Lane} lane @param {number} place */
  function edit(lane, place) {
    if (!catalogue) return;
    editLane(lane.changes, { title: `Lane ${place + 1}`, catalogue, iterations,
      changed: (changes) => {
        const next = lanes.map((one) => (one === lane ? { ...lane, changes } : one));
        by = by === "lr" ? differing(next.map((one) => one.changes)) : by;
        change(next);
      } });
  }

  /** @param {string} id */
  function ask(id) {
    const chosen = preset(id);
    if (!chosen) return;
    asking = id;
    on = find(chosen.on, known) ?? on;
    ({ iterations } = chosen);
    lanes = keyed(chosen.lanes);
    by = differing(chosen.lanes);
    offer(choose, known, on);
    draw();
    run();
  }

  function addLane() {
    if (lanes.length >= MOST) return;
    const last = lanes[lanes.length - 1].changes;
    const rates = lanes.map(({ changes }) => changes.lr ?? 0.1);
    const rows = by === "lr" || by === "batch_size" ? [] : (catalogue?.[FIELDS[by].table ?? ""] ?? []).map(({ name }) => name);
    const free = rows.find((name) => !lanes.some(({ changes }) => changes[by]?.type === name));
    const sizes = [64, 16, 4, 2, 128].filter((n) => !lanes.some(({ changes }) => changes.batch_size === n));
    const more = by === "batch_size" && sizes.length ? { batch_size: sizes[0] }
      : free ? { [by]: by === "schedule" ? schedule(free, iterations) : { type: free } } : { lr: spareRate(rates) };
    change([...lanes, ...keyed([{ ...last, ...more }])]);
  }

  function show(/** @type {number} */ k) {
    rows.forEach((row, place) => row.update(results?.[place], k, iterations));
    pictures.update(k);
    if (!clock.playing()) lead(k);
  }

  /** Each lane's link goes to the iteration shown. @param {number} k */
  function lead(k) {
    walks.forEach((packed, place) => rows[place]?.lead(`/walk#at=${k}.0&${packed}`, k));
  }

  function summary() {
    lead(clock.at());
    const names = labels(lanes.map(({ changes }) => changes));
    told.textContent = (results ?? []).map(({ verdict }, i) => `${names[i]}: ${verdict.says}`).join(" ");
  }

  function complain(/** @type {string} */ words) {
    complaint.hidden = !words;
    complaint.textContent = words;
  }

  function remember(withPlace = false) {
    clearTimeout(later);
    later = window.setTimeout(async () => {
      const where = await address({ preset: asking, on: on.id, lanes: lanes.map(({ changes }) => changes), iterations,
        spec: on.id === "own" ? on.spec : null, at: withPlace ? clock.at() : null });
      history.replaceState(null, "", where);
    }, withPlace ? REMEMBER : 0);
  }

  async function run() {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    clock.toggle(false);
    complain("");
    remember(state.at !== null);
    root.setAttribute("aria-busy", "true");
    const changes = lanes.map((lane) => lane.changes);
    try {
      work.begin(lanes.length === 1 ? "Training the lane …" : `Training ${lanes.length} lanes …`);
      const found = await sweep({ ...asked(on), lanes: changes, iterations, specs: true }, { signal: mine.signal, heard: work.heard });
      if (mine.signal.aborted) return;
      work.end();
      results = found.lanes;
      walks = [];
      clock.ready(iterations);
      const drawn = pictures.show(found.lanes, labels(changes), { problem: asked(on), lanes: changes, by, signal: mine.signal });
      await Promise.race([drawn, new Promise((resolve) => setTimeout(resolve, 400))]);
      drawn.then(() => !mine.signal.aborted && pictures.update(clock.at()), () => {});
      if (mine.signal.aborted) return;
      const { at } = state;
      state = { ...state, at: null };
      if (at !== null) clock.show(at);
      else if (still.matches) clock.show(iterations);
      else clock.toggle(true);
      const packed = await Promise.all(found.lanes.map(async (/** @type {Result} */ lane) =>
        (await fragment({ position: { iteration: 0, step: 0 }, spec: lane.spec })).replace(/^#at=0\.0&/, "")));
      if (mine.signal.aborted) return;
      walks = packed;
      lead(clock.at());
      await drawn;
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") complain(/** @type {Error} */ (error).message);
    } finally {
      if (running === mine) {
        work.end();
        root.removeAttribute("aria-busy");
      }
    }
  }

  choose.addEventListener("change", async () => {
    on = find(choose.value, known) ?? on;
    asking = null;
    const lr = await rateOf(on);
    iterations = on.iterations;
    const plain = "values" in (on.spec ?? {});
    if (plain && (by === "batch_size" || by === "init")) by = "lr";
    lanes = keyed(fresh(by, on, lr, iterations, catalogue));
    on = { ...on, lr };
    draw();
    run();
  });
  differ.addEventListener("change", () => {
    by = /** @type {Field} */ (differ.value);
    const wanted = fresh(by, on, on.lr, iterations, catalogue);
    if (wanted.length) change(keyed(wanted));
  });
  count.addEventListener("change", () => {
    asking = null;
    iterations = Number(count.value);
    draw();
    run();
  });

  async function begin() {
    const packed = await readPacked(location.hash);
    if (packed.spec || packed.lanes) {
      state = wish(location.search, packed);
      if (packed.spec) on = ownProblem(packed.spec);
      lanes = keyed(state.lanes ?? fresh("lr", on, on.lr, state.iterations, null));
      by = differing(lanes.map(({ changes }) => changes));
      ({ iterations } = state);
      asking = null;
    }
    offer(choose, known, on);
    draw();
    clock.ready(iterations);
    clock.show(0);
    const [rows, table] = [api.catalogue(), problems(on)];
    const ready = find(state.on) || on.id === "own" ? run() : null;
    try {
      catalogue = await rows;
      known = await table;
      on = known.find(({ id }) => id === (on.id === "own" ? "own" : state.on)) ?? on;
    } catch (error) {
      complain(/** @type {Error} */ (error).message);
    }
    offer(choose, known, on);
    const at = clock.at();
    draw();
    rows_(at);
    if (!ready) run();
  }

  /** After the rows were made anew: what they showed. @param {number} k */
  function rows_(k) {
    rows.forEach((row, place) => row.update(results?.[place], k, iterations));
    lead(k);
  }

  begin();
}
