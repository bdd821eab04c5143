// What a visitor can do on a walk page. Moving is local: the timeline answers at once and the server's position follows
// a moment later. Changing goes to the server first, then this iteration and all later ones are fetched anew.

import * as api from "./api.js";
import { createFrames } from "./frames.js";
import { createGraphs, sameNodes } from "./graphs.js";
import { createPlayer } from "./player.js";
import { createServer } from "./server.js";
import { walk, walkPhases } from "./timeline.js";

/** @import {Actions, Answer, Beginning, Form, Session, State} from "./types.js" */
/** @import {Moment} from "./timeline.js" */
/** @import {Store} from "./store.js" */

const BUSY_AFTER = 140; // ms until waiting is shown
const LONG_AFTER = 350; // ms until a training shows how far it is and can be ended

/**
 * @param {Store<State>} store @param {Beginning | null} [begun]  what came with the page, if it begins without a session
 * @returns {Omit<Actions, "share" | "anew"> & {start: () => Promise<void>, own: (made: Session) => void, follow: () => void}}
 */
export function createActions(store, begun = null) {
  const id = store.get().session.id;
  const { timeline, plans, of, obtain, ahead, forget } = createFrames(store);
  if (begun) {
    timeline.putState(0, 0, begun.nodes);
    timeline.putFrames(0, begun.frames);
  }
  /** @type {Moment} where the visitor wants to be; `position` arrives there once its frames are here */
  let wanted = store.get().position;
  const server = createServer(store, { complain, replan });
  const graphs = createGraphs(store, complain);

  // -- moving ------------------------------------------------------------------------------------

  /** @param {Moment} moment @param {State["motion"]} motion */
  function show(moment, motion) {
    const nodes = timeline.at(moment);
    if (!nodes) return;
    const plan = plans.get(moment.iteration) ?? store.get().session.plan;
    store.set((state) => ({
      position: { iteration: moment.iteration, step: moment.step, of: plan.length },
      plan,
      nodes,
      frame: timeline.frameAt(moment),
      next: plan[moment.step] ?? plan[0] ?? null,
      moved: state.moved + 1,
      motion,
      busy: false,
      stale: false,
    }));
    ahead(moment);
    graphs.fit(plan);
    server.later();
  }

  /** @param {Moment} moment @param {State["motion"]} [motion] */
  async function go(moment, motion = "jump") {
    wanted = moment;
    const target = wanted;
    if (timeline.lacks(target)) {
      const waiting = setTimeout(() => store.set({ busy: true }), BUSY_AFTER);
      try {
        await obtain(target);
      } catch (error) {
        wanted = store.get().position;
        complain(error);
        return;
      } finally {
        clearTimeout(waiting);
        store.set({ busy: false });
      }
    }
    if (wanted !== target) return;
    wanted = { iteration: target.iteration, step: Math.min(target.step, of(target.iteration)) };
    show(wanted, motion);
  }

  /** @param {Session} session */
  function replan(session) {
    forget(0);
    const { graph, folds } = store.get();
    // the same graph stays the same object, so that the stage keeps its nodes, what is open, and the focus on one
    const same = sameNodes(graph, session.graph);
    store.set({ session, plan: session.plan, graph: same ? graph : session.graph, folds: same ? folds : null });
  }

  // -- changing ----------------------------------------------------------------------------------

  /** @param {unknown} error */
  function complain(error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    const told = /** @type {{code?: string, message: string, where?: string}} */ (error);
    store.set({
      busy: false,
      stale: false,
      error: { code: told.code ?? "page", message: told.message, where: told.where ?? null },
    });
  }

  /**
   * An edit: the server stands where the page stands, hears it, and this iteration is fetched anew.
   * @param {(revision: number) => Promise<Answer>} call
   */
  async function change(call) {
    pause();
    store.set({ stale: true, error: null });
    try {
      await server.sync();
      const before = wanted;
      const answer = await server.change(call);
      server.adopt(answer);
      const session = await api.session(id);
      server.heard(session);
      // at an iteration's end a number belongs to the next one, and the server has gone there
      const { iteration, step } = answer.effect && wanted === before ? answer.position : wanted;
      forget(Math.min(iteration, before.iteration));
      store.set({ session, history: null });
      server.recall();
      await go({ iteration, step });
      store.set({ effect: answer.effect ?? null });
    } catch (error) {
      complain(error);
    }
  }

  /** Edits of one node come faster than answers while a number is dragged: only the last one waits. @type {Map<string, unknown>} */
  const pending = new Map();
  let setting = false;

  /** @param {string} node @param {unknown} value */
  async function setValue(node, value) {
    pending.set(node, value);
    if (setting) return;
    setting = true;
    try {
      for (const [name, latest] of pending) {
        pending.delete(name);
        await change((known) => api.setValue(id, name, latest, known));
      }
    } finally {
      setting = false;
    }
  }

  /** The same run in another form, or without it again; the place and the chosen node are kept. @param {Form} form @param {boolean} on */
  async function turn(form, on) {
    pause();
    store.set({ busy: true, error: null });
    try {
      await server.sync();
      const node = store.get().selected;
      const told = await server.change((known) => api.turn(id, form, on, node, known));
      server.heard(told);
      wanted = told.position;
      forget(0);
      plans.set(wanted.iteration, told.plan);
      await obtain(wanted);
      const { graph, plan } = told;
      store.set({ session: told, plan, graph, folds: null, selected: told.node, hover: null, editing: null, effect: null, history: null, breakpoints: [] });
      server.recall();
      show(wanted, "jump");
    } catch (error) {
      const told = /** @type {{message: string, where?: string}} */ (error);
      if (told.where === form) told.message = `${form === "scalars" ? "The graph as scalars" : "Fused training"} ${told.message}.`;
      complain(error);
    } finally {
      store.set({ busy: false });
    }
  }

  const { play, pause } = createPlayer(store, () => void go(walk(store.get().position, 1, of), "step"));

  /** @param {Moment} moment @param {State["motion"]} [motion] */
  function moveByHand(moment, motion) {
    pause();
    store.set({ error: null });
    return go(moment, motion);
  }

  /** Whole iterations beyond what the browser knows are run by the server. @param {number} n @param {"iteration" | "epoch"} unit */
  async function run(n, unit) {
    pause();
    store.set({ error: null });
    try {
      await server.sync();
      const answer = await server.change((known) => api.step(id, { count: n, unit }, known));
      server.adopt(answer);
      await go(answer.position);
    } catch (error) {
      complain(error);
    }
  }

  return {
    step: (n) => void moveByHand(walk(wanted, n, of), n === 1 ? "step" : "jump"),
    phase: (n) => void moveByHand(walkPhases(wanted, n, store.get().plan)),
    iteration: (n) => void run(n, "iteration"),
    epoch: (n) => void run(n, "epoch"),
    toStart: () => void moveByHand({ iteration: wanted.iteration, step: 0 }),
    toEnd: () => void moveByHand({ iteration: wanted.iteration, step: of(wanted.iteration) }),
    seek: (position) => moveByHand(position),
    goto: (iteration, index) => void moveByHand({ iteration, step: index + 1 }),
    nodesAt: (moment) => timeline.at(moment),
    frame: (iteration, index) => timeline.frame(iteration, index),

    play,
    pause,
    toggle: () => (store.get().playing ? pause() : play()),
    setSpeed: (speed) => store.set({ speed }),

    select: (selected) => store.set({ selected }),
    hover: (hover) => store.set({ hover }),
    edit: (editing) => store.set({ editing }),
    turn,
    turnScope: graphs.turn,
    collapse: graphs.collapse,
    toggleFollowing: () => store.set(({ following }) => ({ following: !following })),
    setTab: (tab) => store.set({ tab }),
    async turnTab() {
      const { picturesOf } = await import("./panels/pictures/pictures.js");
      const names = ["graph", ...picturesOf(store.get().graph).flatMap(({ name, why }) => (why ? [] : [name]))];
      store.set(({ tab }) => ({ tab: names[(names.indexOf(tab) + 1) % names.length] }));
    },
    toggleBreakpoint: (index) =>
      store.set(({ breakpoints }) => ({
        breakpoints: breakpoints.includes(index) ? breakpoints.filter((b) => b !== index) : [...breakpoints, index],
      })),
    toggleProjection: () => store.set(({ projection }) => ({ projection: !projection })),
    toggleTheme: () =>
      store.set(({ theme }) => ({ theme: theme === "auto" ? "dark" : theme === "dark" ? "light" : "auto" })),
    dismissError: () => store.set({ error: null }),

    setValue,
    patch: (settings) => change((known) => api.patch(id, settings, known)),

    async train(iterations) {
      pause();
      store.set({ busy: true, error: null });
      const from = wanted.iteration;
      let close = () => {};
      const long = setTimeout(() => {
        store.set({ progress: { iteration: from, of: from + iterations, loss: null } });
        close = api.events(id, { progress: (progress) => store.set({ progress }) });
      }, LONG_AFTER);
      try {
        await server.sync();
        const answer = await server.change((known) => api.train(id, { iterations, history: false }, known));
        server.adopt(answer);
        await go(answer.position);
      } catch (error) {
        complain(error);
      } finally {
        clearTimeout(long);
        close();
        store.set({ busy: false, progress: null });
      }
    },

    stopTraining: () => void api.stopTraining(id).catch(complain),

    async gradientCheck() {
      try {
        await server.sync();
        return await api.gradientCheck(id);
      } catch (error) {
        complain(error);
        return null;
      }
    },

    /** The first moment of the page. */
    async start() {
      await go(store.get().position);
      if (begun) api.ownSession().catch(complain);
      if (store.get().session.seen.iteration > 0) server.recall();
    },

    /** The session is there, for a page that began without one. */
    own(made) {
      server.heard(made);
      store.set(({ session }) => ({ session: { ...session, id: made.id, revision: made.revision } }));
    },

    /** Walks along with whoever else moves this session: a presenter's second screen. */
    follow() {
      let close = () => {};
      const listen = () => {
        close = api.events(id, {
          session: (told) =>
            server.inTurn(async () => {
              if (server.knows(told.revision)) return;
              const session = await server.refetch();
              await go(session.position);
            }).catch(complain),
        });
      };
      listen();
      addEventListener("pagehide", () => close());
      addEventListener("pageshow", (event) => event.persisted && listen());
    },
  };
}
