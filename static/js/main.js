// The walk page: makes or finds the session, mounts the panels over one store, and keeps the link up to date.

import { createActions } from "./actions.js";
import * as api from "./api.js";
import { fill, h } from "./h.js";
import { mountKeys } from "./keys.js";
import { mountLive } from "./live.js";
import { mount as stage } from "./panels/stage.js";
import { mount as transport } from "./panels/transport.js";
import { bringsSpec, fragment, pathOf, readFragment } from "./share.js";
import { createStore } from "./store.js";
import { applyTheme, labelThemeButton, rememberedTheme, shownTheme } from "./theme.js";

/** @import {Actions, Beginning, Session, State} from "./types.js" */
/** @import {Store} from "./store.js" */

/** @type {Record<string, (element: HTMLElement, store: any, actions: any) => void>} */
const PANELS = { stage, transport }; // what can be pressed stands before what explains, which rest.js has
const OTHER_PLANS = ["accumulate", "checkpoint", "precision", "fault"];
const LOOK_AFTER = 1500; // ms from the opening of a run that has come somewhere until the doctor looks
const LINK_AFTER = 400; // ms without a move until the address shows the position

const main = /** @type {HTMLElement} */ (document.querySelector("main"));

/** The browser has shown what stands there; a page in the background does not wait for that. */
const painted = () =>
  new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 100);
  });

/**
 * The session of this address: given by id, restored from the link, or made new; a lesson's own beginning came with the
 * page and is shown before its session is made.
 * @returns {Promise<{session: Session, begun?: Beginning, make?: () => Promise<Session>}>}
 */
async function openSession() {
  const { lesson, session } = main.dataset;
  if (session) return { session: await api.session(session) };
  const nothing = { spec: null, changes: [], position: null };
  const { spec, changes, position } = location.hash ? await readFragment(location.hash) : nothing;
  const make = () =>
    api.createSession({
      ...(lesson ? { lesson } : { spec: spec ?? {} }),
      ...(changes.length ? { changes } : {}),
      ...(position ? { position } : {}),
    });
  const begun = api.given.walk;
  const of = begun?.session.plan.length ?? 0;
  const { iteration, step } = position ?? { iteration: 0, step: 0 };
  if (!begun || changes.length || iteration > 0 || step > of) return { session: await make() };
  return { session: { ...begun.session, position: { iteration, step, of } }, begun, make };
}

/** @param {Session} session @returns {State} */
function firstState(session) {
  return {
    session,
    position: session.position,
    plan: session.plan,
    graph: session.graph,
    frame: null,
    nodes: {},
    next: session.plan[session.position.step] ?? session.plan[0] ?? null,
    selected: null,
    hover: null,
    playing: false,
    speed: 1,
    tab: new URLSearchParams(location.search).get("picture") ?? api.given.answers[`/api/lessons/${session.lesson}`]?.opens ?? "graph",
    projection: new URLSearchParams(location.search).has("projection"),
    theme: shownTheme(),
    history: null,
    effect: null,
    error: null,
    busy: false,
    stale: false,
    progress: null,
    breakpoints: [],
    moved: 0,
    motion: "jump",
    editing: null,
  };
}

/** The link to this very moment, for any server. @param {Store<State>} store */
async function linkTo(store) {
  const { session, position } = store.get();
  const spec = bringsSpec(session) ? { ...(session.lesson ? { title: session.title } : {}), ...session.spec } : null;
  return pathOf(session) + (await fragment({ position, changes: session.changes, spec }));
}

/** @param {Store<State>} store */
function keepAddress(store) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  store.watch(
    (s) => [s.position, s.session.changes],
    () => {
      clearTimeout(timer);
      timer = setTimeout(async () => history.replaceState(null, "", await linkTo(store)), LINK_AFTER);
    },
  );
}

/** The doctor, loaded when the run has come somewhere or its button is pressed. @param {Store<State>} store @param {Actions} actions @returns {() => void} */
function doctorOf(store, actions) {
  const button = /** @type {HTMLElement} */ (document.querySelector("[data-do=doctor]"));
  /** @type {Promise<import("./panels/doctor_watch.js").Watch> | undefined} */
  let watch;
  /** @type {Promise<{toggle: () => void}> | undefined} */
  let made;
  const watching = () => (watch ??= import("./panels/doctor_watch.js").then(({ watchOver }) => watchOver(store, button)));
  const look = () => void watching().then(({ ask }) => ask());
  if (store.get().session.seen.iteration > 0) setTimeout(look, LOOK_AFTER);
  store.watch((s) => s.session.seen.iteration > 0, (somewhere) => somewhere && look());
  return () => {
    made ??= Promise.all([watching(), import("./panels/doctor.js")]).then(([over, { createDoctor }]) => createDoctor(store, actions, over, button));
    made.then(({ toggle }) => toggle(), console.warn);
  };
}

/** @param {Store<State>} store @param {Actions} actions @param {{help: () => void, doctor: () => void}} more */
function mountHeader(store, actions, more) {
  /** @type {Record<string, () => void>} */
  const ways = {
    theme: actions.toggleTheme,
    projection: actions.toggleProjection,
    ...more,
    share: async () => {
      const link = await actions.share();
      const said = /** @type {HTMLElement} */ (document.querySelector("[data-said=share]"));
      said.textContent = link ? "Link copied" : "Link is in the address bar";
      setTimeout(() => (said.textContent = ""), 2500);
    },
  };
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-do]"))) {
    button.addEventListener("click", () => ways[button.dataset.do ?? ""]?.());
  }
  const theme = /** @type {HTMLElement} */ (document.querySelector('[data-do="theme"]'));
  const projection = document.querySelector('[data-do="projection"]');
  const reflect = () => {
    const state = store.get();
    applyTheme(state.theme);
    labelThemeButton(theme, state.theme);
    document.documentElement.toggleAttribute("data-projection", state.projection);
    projection?.setAttribute("aria-pressed", String(state.projection));
  };
  store.set({ theme: rememberedTheme() });
  store.watch((s) => [s.theme, s.projection], reflect);
  reflect();
  store.watch((s) => s.stale, (stale) => document.body.toggleAttribute("data-stale", stale));
  store.watch((s) => s.busy, (busy) => main.setAttribute("aria-busy", String(busy)));
}

/** A page that was opened by a session or a spec learns its title only now; a formula is its own. @param {Session} session */
function nameIt({ title: given, spec }) {
  const heading = document.querySelector("h1");
  const title = given || (spec.program ?? "").trim().split("\n").at(-1);
  if (!heading || !title || heading.textContent === title) return;
  heading.textContent = title;
  document.title = `${title} · Backstep`;
}

/** The panel of other plans, only where there is one: at the head of what explains. @param {Store<State>} store @param {Actions} actions */
async function mountPlans(store, actions) {
  const side = document.querySelector(".walk-side");
  const { mount } = await import("./panels/plans.js");
  const place = h("section", { class: "panel panel-plans", "aria-label": "The plan" });
  side?.prepend(place);
  mount(place, store, actions).catch(console.warn);
}

async function open() {
  const { session, begun, make } = await openSession();
  nameIt(session);
  const store = createStore(firstState(session));
  const walking = createActions(store, begun);
  if (make) {
    api.makeWhenNeeded(async () => {
      await painted();
      const made = await make();
      walking.own(made);
      return made;
    });
  }
  /** @type {Actions} */
  const actions = {
    ...walking,
    async share() {
      const link = location.origin + (await linkTo(store));
      try {
        await navigator.clipboard.writeText(link);
        return link;
      } catch {
        history.replaceState(null, "", link);
        return "";
      }
    },
  };
  const doctor = doctorOf(store, actions);
  const help = () => void import("./help.js").then(({ toggleHelp }) => toggleHelp());
  const starting = walking.start();
  const panels = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-panel]"))];
  /** @param {typeof PANELS} which */
  const mount = (which) => {
    for (const element of panels) which[element.dataset.panel ?? ""]?.(element, store, actions);
  };
  mount(PANELS);
  mountKeys(actions, { help });
  performance.mark("usable");
  const rest = import("./rest.js").then(({ REST }) => REST, () => null);
  await painted();
  mountHeader(store, actions, { help, doctor });
  mountLive(/** @type {Element} */ (document.querySelector("#live")), store);
  if (main.dataset.session) walking.follow();
  else keepAddress(store);
  const explaining = await rest;
  if (explaining) mount(explaining);
  else store.set({ error: { code: "page", message: "The panels beside the stage did not arrive. Load the page again.", where: null } });
  if (OTHER_PLANS.some((field) => session.spec[field])) await mountPlans(store, actions);
  await starting;
  main.dataset.ready = "";
  performance.mark("ready");
  if (new URLSearchParams(location.search).has("doctor")) doctor();
}

open().catch((error) => {
  console.warn(error);
  const place = /** @type {HTMLElement} */ (document.querySelector("#stage"));
  fill(
    place,
    h("div", { class: "complaint stage-complaint", role: "alert" }, h("strong", {}, "This walk could not be opened. "), error.message),
  );
});
