// The walk page: makes or finds the session, and mounts over one store what is needed for a step; what explains it, which
// rest.js has, comes a moment later.

import { createActions } from "./actions.js";
import * as api from "./api.js";
import { fill, h } from "./h.js";
import { mountKeys } from "./keys.js";
import { mount as mountStage } from "./panels/stage.js";
import { mount as mountTransport } from "./panels/transport.js";
import { createStore } from "./store.js";

/** @import {Actions, Beginning, Folds, Session, State} from "./types.js" */
/** @import {Store} from "./store.js" */

/** @param {string} name @returns {HTMLElement} */
const panel = (name) => /** @type {HTMLElement} */ (document.getElementById(name));

/** The browser has shown what stands there; a page in the background does not wait for that. */
const painted = () =>
  new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 100);
  });

/**
 * The session of this address: given by id, restored from the link, or made new; a lesson's own beginning came with the
 * page and is shown before its session is made.
 * @param {DOMStringMap} named  what the page says of itself
 * @returns {Promise<{session: Session, begun?: Beginning, make?: () => Promise<Session>, tab?: string | null, folds?: Folds | null}>}
 */
async function openSession({ lesson, session }) {
  if (session) return { session: await api.session(session) };
  const nothing = { spec: null, changes: [], position: null, tab: null, folds: null };
  const read = () => import("./share.js").then(({ readFragment }) => readFragment(location.hash));
  const { spec, changes, position, tab, folds } = location.hash ? await read() : nothing;
  const make = () =>
    api.createSession({
      ...(lesson ? { lesson } : { spec: spec ?? {} }),
      ...(changes.length ? { changes } : {}),
      ...(position ? { position } : {}),
    });
  const begun = api.given().walk;
  const of = begun?.session.plan.length ?? 0;
  const { iteration, step } = position ?? { iteration: 0, step: 0 };
  if (!begun || changes.length || iteration > 0 || step > of) return { session: await make(), tab, folds };
  return { session: { ...begun.session, position: { iteration, step, of } }, begun, make, tab, folds };
}

/** @param {Session} session @param {string | null} [tab]  the picture that the link names @returns {State} */
function firstState(session, tab = null) {
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
    tab: tab ?? new URLSearchParams(location.search).get("picture") ?? api.opensWith(session),
    projection: new URLSearchParams(location.search).has("projection"),
    theme: /** @type {State["theme"]} */ (document.documentElement.dataset.theme ?? "auto"),
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
    folds: null,
    following: false,
  };
}

/** A page that was opened by a session or a spec learns its title only now; a formula is its own. @param {Session} session */
function nameIt({ id, title: given, spec }) {
  const heading = document.querySelector("h1");
  if (given === "Playground") heading?.after(h("a", { class: "button", href: `/playground/session/${encodeURIComponent(id)}` }, "Back to playing"));
  const title = given || (spec.program ?? "").trim().split("\n").at(-1);
  if (!heading || !title || heading.textContent === title) return;
  heading.textContent = title;
  document.title = `${title} · Backstep`;
}

/** The page shows what the state says of it. @param {HTMLElement} main @param {Store<State>} store */
function reflect(main, store) {
  const project = (/** @type {boolean} */ on) => document.documentElement.toggleAttribute("data-projection", on);
  project(store.get().projection);
  store.watch((s) => s.projection, project);
  store.watch((s) => s.stale, (stale) => document.body.toggleAttribute("data-stale", stale));
  store.watch((s) => s.busy, (busy) => main.setAttribute("aria-busy", String(busy)));
}

/** The layers that the link says are open, as far as there are such. @param {Store<State>} store @param {Actions} actions @param {Folds} folds */
function refold(store, actions, { collapse, open }) {
  const names = new Set(store.get().graph.scopes?.map(({ name }) => name));
  return actions.collapse(collapse, open.filter((name) => names.has(name)));
}

async function open() {
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  const { session, begun, make, tab, folds } = await openSession(main.dataset);
  nameIt(session);
  const store = createStore(firstState(session, tab));
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
    share: () => import("./link.js").then(({ share }) => share(store)),
    anew: () => import("./link.js").then(({ anew }) => anew(store)),
  };
  const help = () => void import("./help.js").then(({ toggleHelp }) => toggleHelp());
  reflect(main, store);
  const starting = walking.start();
  mountTransport(panel("transport"), store, actions);
  mountKeys(actions, { help, doctor: () => /** @type {HTMLElement | null} */ (document.querySelector('[data-do="doctor"]'))?.click() });
  performance.mark("usable");
  await new Promise((next) => setTimeout(next)); // keys and buttons are heard while the stage is being built
  if (folds) await refold(store, actions, folds);
  const stage = mountStage(panel("stage"), store, actions);
  const rest = import("./rest.js").catch(() => null);
  await painted();
  if (main.dataset.session) walking.follow();
  const explaining = await rest;
  if (explaining) await explaining.mountRest(stage, store, actions, help);
  else store.set({ error: { code: "page", message: "The panels beside the stage did not arrive. Load the page again.", where: null } });
  await starting;
  main.dataset.ready = "";
  performance.mark("ready");
}

open().catch((error) => {
  console.warn(error);
  const words = h("div", { class: "complaint stage-complaint", role: "alert" }, h("span", {}, h("strong", {}, "This walk could not be opened. "), error.message), h("a", { class: "button", href: "/" }, "To the lessons"));
  fill(panel("stage"), words);
});
