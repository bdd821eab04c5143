/**
 * The picture that is alive when the page opens: a small lesson walks by itself, quietly, with real
 * frames from the server; one button takes over at the very step that is shown.
 */

import * as api from "./api.js";
import { around, aim } from "./geometry.js";
import { fill, h, icon, math } from "./h.js";
import { rightHandSides } from "./mathml.js";
import { noteOf } from "./notes.js";
import { createGraph } from "./panels/graph.js";
import { focusOf } from "./panels/graph_steps.js";
import { createPackets } from "./panels/packets.js";
import { createTimeline, walk } from "./timeline.js";
import { fragment, pathOf } from "./share.js";

/** @import {Frame, Nodes, PlanEntry, Session, State} from "./types.js" */
/** @import {Camera} from "./geometry.js" */

const KEPT = "backstep-hero";
const PACE = /** @type {Record<string, number>} */ ({ data: 900, zero_grad: 900, forward: 1900, loss: 2200, backward: 2600, clip: 1500, update: 2200 });
const TRAVEL = 650;
const AROUND = 3; // iterations, then again from the start
const READABLE = 0.72;
const MARGIN = 20;

/** Where the walk opens: at the first backward step after the loss, so that both lanes are in use. @param {PlanEntry[]} plan */
export function opening(plan) {
  const backward = plan.findIndex((entry) => entry.phase === "backward");
  return backward < 0 ? Math.ceil(plan.length / 2) : Math.min(plan.length, backward + 2);
}

/** The next moment of a walk that goes round. @param {{iteration: number, step: number}} moment @param {number} of */
export function onward(moment, of) {
  const next = walk(moment, 1, () => of);
  return next.iteration >= AROUND ? { iteration: 0, step: 1 } : next;
}

/** The session of the last visit in this tab, or a new one; the first iteration came with the page and needs none. @param {string} lesson @returns {Promise<Session>} */
async function openSession(lesson) {
  const known = sessionStorage.getItem(KEPT);
  if (known) {
    const session = await api.session(known).catch(() => null);
    if (session?.lesson === lesson) return session;
  }
  const session = await api.createSession({ lesson });
  sessionStorage.setItem(KEPT, session.id);
  return session;
}

/** @param {HTMLElement} element */
export async function mountHero(element) {
  const stage = /** @type {HTMLElement} */ (element.querySelector(".hero-stage"));
  const words = /** @type {HTMLElement} */ (element.querySelector(".hero-words"));
  const take = /** @type {HTMLAnchorElement} */ (element.querySelector(".hero-take"));
  const pause = /** @type {HTMLButtonElement} */ (element.querySelector(".hero-pause"));
  const lesson = element.dataset.lesson ?? "";
  try {
    api.makeWhenNeeded(() => openSession(lesson));
    const session = api.given().walk?.session ?? (await api.ownSession());
    await play(session, { stage, words, take, pause });
  } catch (error) {
    fill(words, h("p", { class: "complaint" }, /** @type {Error} */ (error).message));
  }
}

/** @param {Session} session @param {{stage: HTMLElement, words: HTMLElement, take: HTMLAnchorElement, pause: HTMLButtonElement}} places */
async function play(session, { stage, words, take, pause }) {
  const { graph, plan, id } = session;
  const of = plan.length;
  const timeline = createTimeline(() => of, { window: of });
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const actions = /** @type {any} */ ({
    select: () => {}, edit: () => {}, hover: () => {},
    frame: (/** @type {number} */ iteration, /** @type {number} */ index) => timeline.frame(iteration, index),
  });
  const begun = api.given().walk;
  if (!id && begun) {
    timeline.putState(0, 0, begun.nodes);
    timeline.putFrames(0, begun.frames);
  }
  const view = createGraph(graph, actions);
  const packetLayer = h("div", { class: "packets" });
  const world = h("div", { class: "world", style: { width: `${graph.width}px`, height: `${graph.height}px` } }, view.edges, view.nodes, packetLayer);
  const packets = createPackets(packetLayer, view);
  stage.replaceChildren(world);

  /** @type {Camera | null} */
  let camera = null;
  let moment = { iteration: 0, step: opening(plan) };
  let playing = !still.matches;
  let seen = true;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {{iteration: number, step: number}} wanted */
  async function obtain(wanted) {
    const lack = timeline.lacks(wanted);
    if (!lack) return;
    const { iteration } = wanted;
    const [first, run] = await Promise.all([
      lack.state === null ? null : api.state(id, { iteration, step: lack.state }),
      api.frames(id, { iteration }),
    ]);
    if (first) timeline.putState(iteration, Number(lack.state), first.nodes);
    timeline.putFrames(iteration, run.frames);
  }

  /** @param {Frame | null} frame */
  function look(frame) {
    const { near } = focusOf(frame, graph);
    const focus = around(graph.nodes.filter((node) => near.has(node.name)));
    const { clientWidth: width, clientHeight: height } = stage;
    if (!width) return;
    const whole = { x: -10, y: -10, width: graph.width + 20, height: graph.height + 46 };
    const next = aim({ width, height, free: { x: 12, y: 12, width: width - 24, height: height - 24 }, legible: READABLE, comfortable: 1.15, most: 1.5 },
      whole, focus && { x: focus.x - MARGIN, y: focus.y - MARGIN, width: focus.width + 2 * MARGIN, height: focus.height + 2 * MARGIN }, focus, camera);
    world.classList.toggle("is-moving", camera !== null && !still.matches);
    camera = next;
    world.style.transform = `translate(${next.x}px, ${next.y}px) scale(${next.scale})`;
    stage.style.setProperty("--zoom", String(next.scale));
  }

  /** @param {Nodes} nodes @param {Frame | null} frame @param {Nodes} shown */
  function draw(nodes, frame, shown) {
    const state = /** @type {State} */ (/** @type {unknown} */ ({
      session, graph, plan, nodes, frame, position: { ...moment, of }, next: null, selected: null, hover: null,
    }));
    view.draw(state, shown);
  }

  /** @param {boolean} moving */
  async function show(moving) {
    await obtain(moment);
    const nodes = timeline.at(moment);
    if (!nodes) return;
    const frame = timeline.frameAt(moment);
    const before = (moving && timeline.at({ iteration: moment.iteration, step: Math.max(0, moment.step - 1) })) || nodes;
    look(frame);
    draw(nodes, frame, before);
    packets.run(frame, moving ? before : timeline.at({ ...moment, step: Math.max(0, moment.step - 1) }) ?? nodes, nodes, {
      travel: moving && !still.matches ? TRAVEL : 0, landed: () => draw(nodes, frame, nodes),
    });
    tell(frame);
    take.href = pathOf(session) + (await fragment({ position: moment }));
    obtain(onward(moment, of)).catch(() => {});
  }

  /** @param {Frame | null} frame */
  function tell(frame) {
    if (!frame) return;
    const line = frame.lines?.[0];
    fill(words,
      h("p", { class: "hero-where" }, h("span", { class: "phase", dataset: { phase: frame.phase } }, frame.phase.replace("_", " ")),
        h("span", null, `step ${frame.index + 1} of ${of} · iteration ${moment.iteration}`)),
      h("p", { class: "hero-says" }, noteOf(session, frame) ?? frame.says),
      h("div", { class: "hero-formula" }, math(line?.symbols ?? frame.formula?.mathml), line?.numbers && rightHandSides(math(line.numbers)), line?.result && math(line.result)));
  }

  function tick() {
    clearTimeout(timer);
    if (!playing || !seen || document.hidden) return;
    const phase = plan[moment.step - 1]?.phase ?? "forward";
    timer = setTimeout(async () => {
      moment = onward(moment, of);
      await show(true).catch(() => {});
      tick();
    }, PACE[phase] ?? 2000);
  }

  /** @param {boolean} on */
  function setPlaying(on) {
    playing = on;
    fill(pause, icon(on ? "pause" : "play", 18));
    pause.setAttribute("aria-label", on ? "Pause the picture" : "Let the picture walk on");
    tick();
  }

  pause.hidden = false;
  pause.addEventListener("click", () => setPlaying(!playing));
  stage.addEventListener("click", () => take.click());
  document.addEventListener("visibilitychange", tick);
  new IntersectionObserver(([entry]) => {
    seen = entry.isIntersecting;
    tick();
  }).observe(stage);
  new ResizeObserver(() => {
    camera = null;
    look(timeline.frameAt(moment));
  }).observe(stage);
  await show(false);
  setPlaying(playing);
}
