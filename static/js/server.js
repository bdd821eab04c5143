// What the server knows of this walk: its revision and its position, which follows the page's a moment later. Changing
// calls go one after the other, each with the revision that is known.

import * as api from "./api.js";

/** @import {Answer, Session, State} from "./types.js" */
/** @import {Moment} from "./timeline.js" */
/** @import {Store} from "./store.js" */

const SYNC_AFTER = 250; // ms without a move until the server hears of the position
const SYNC_AT_LEAST = 1200; // ms while moving all the time
const SYNC_AGAIN = [1000, 2000, 4000, 8000]; // ms after the server has not answered once, twice, …

/**
 * @param {Store<State>} store
 * @param {{complain: (error: unknown) => void, replan: (session: Session) => void}} tell  `replan`: somebody else has changed the session
 */
export function createServer(store, { complain, replan }) {
  const { id, revision: first, position } = store.get().session;
  let revision = first;
  /** @type {Moment} */
  let at = position;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let oldestMove = 0;
  /** @type {Promise<void>} */
  let lastCall = Promise.resolve();

  /** Changing calls go one after the other. @template T @param {() => Promise<T>} call @returns {Promise<T>} */
  function inTurn(call) {
    const result = lastCall.then(() => (id ? null : api.ownSession())).then(call);
    lastCall = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** The server hears of the position, soon. */
  function later() {
    const now = performance.now();
    if (timer === undefined) oldestMove = now;
    clearTimeout(timer);
    timer = setTimeout(trySync, Math.min(SYNC_AFTER, Math.max(0, oldestMove + SYNC_AT_LEAST - now)));
  }

  /** @type {State["error"]} what was said of a sync; it goes when one succeeds */
  let unheard = null;
  let failures = 0;

  /** A server that does not answer is asked again until it hears of the position. */
  async function trySync() {
    try {
      await sync();
    } catch (error) {
      if (unheard === null || store.get().error !== unheard) complain(error);
      unheard = store.get().error;
      if (error instanceof api.ApiError && error.code === "unreachable" && timer === undefined) {
        timer = setTimeout(trySync, SYNC_AGAIN[Math.min(failures, SYNC_AGAIN.length - 1)]);
        failures += 1;
      }
      return;
    }
    failures = 0;
    if (unheard !== null && store.get().error === unheard) store.set({ error: null });
    unheard = null;
  }

  /** Now. */
  async function sync() {
    clearTimeout(timer);
    timer = undefined;
    await inTurn(async () => {
      const { iteration, step } = store.get().position;
      if (iteration === at.iteration && step === at.step) return;
      await withRevision((known) => api.seek(id, { iteration, step }, known)).then(adopt);
    });
  }

  /**
   * Makes a changing call; when somebody else has changed the session meanwhile, learns what is new and tries once more.
   * @template T @param {(revision: number) => Promise<T>} call @returns {Promise<T>}
   */
  async function withRevision(call) {
    try {
      return await call(revision);
    } catch (error) {
      if (!(error instanceof api.ApiError) || error.status !== 412) throw error;
      await refetch();
      return await call(revision);
    }
  }

  /** Learns the session anew after somebody else, or an edit, has changed it. */
  async function refetch() {
    const session = await api.session(id);
    heard(session);
    replan(session);
    return session;
  }

  /** @param {{revision: number, position: Moment}} told */
  function heard(told) {
    revision = told.revision;
    at = told.position;
  }

  /** @param {Answer} answer */
  function adopt(answer) {
    heard(answer);
    store.set((state) => ({
      session: {
        ...state.session,
        revision,
        counters: answer.counters,
        loss: answer.loss,
        settings: answer.settings,
        seen: answer.seen,
        changes: answer.changes ?? state.session.changes,
      },
    }));
    recall();
    return answer;
  }

  /** Keeps the history as long as the iterations seen. */
  function recall() {
    const { history, session } = store.get();
    if (history && (history.iteration.at(-1) ?? -1) + 1 === session.seen.iteration) return;
    api.history(id).then((history) => store.set({ history })).catch(() => {});
  }

  return {
    inTurn,
    /** A changing call in its turn. @template T @param {(revision: number) => Promise<T>} call @returns {Promise<T>} */
    change: (call) => inTurn(() => withRevision(call)),
    later,
    sync,
    heard,
    adopt,
    recall,
    refetch,
    /** Whether the page has learnt of this revision. @param {number} told */
    knows: (told) => told <= revision,
  };
}
