// What the page knows of a session's past and near future: fetches what a moment lacks, and what is likely to be wanted
// next, into one timeline.

import * as api from "./api.js";
import { createTimeline, walk } from "./timeline.js";

/** @import {PlanEntry, State} from "./types.js" */
/** @import {Lack, Moment} from "./timeline.js" */
/** @import {Store} from "./store.js" */

const AHEAD = 24; // steps that are fetched before they are wanted

/** @param {Store<State>} store */
export function createFrames(store) {
  const id = store.get().session.id;
  /** Plans by iteration, once a change may have made them differ. @type {Map<number, PlanEntry[]>} */
  const plans = new Map();
  /** @param {number} iteration */
  const of = (iteration) => (plans.get(iteration) ?? store.get().session.plan).length;
  const timeline = createTimeline(of, {
    edited: (iteration) => store.get().session.changes.some((change) => change.iteration === iteration),
  });
  /** @type {Map<string, Promise<void>>} */
  const fetching = new Map();
  let generation = 0; // rises when the future changes: late answers of an older one are dropped

  /** @param {Lack} lack */
  function fetchLack({ iteration, state, start, stop }) {
    const key = `${iteration} ${state} ${start} ${stop}`;
    const running = fetching.get(key);
    if (running) return running;
    const born = generation;
    const parts = [
      store.get().session.changes.length === 0 || plans.has(iteration)
        ? null
        : api.plan(id, iteration).then((answer) => {
            if (born === generation) plans.set(iteration, answer);
          }),
      state === null
        ? null
        : api.state(id, { iteration, step: state }).then((answer) => {
            if (born === generation) timeline.putState(iteration, state, answer.nodes);
          }),
      start >= stop
        ? null
        : api.frames(id, { iteration, start, stop }).then((answer) => {
            if (born === generation) timeline.putFrames(iteration, answer.frames);
          }),
    ];
    const promise = Promise.all(parts)
      .then(() => undefined)
      .finally(() => fetching.delete(key));
    fetching.set(key, promise);
    return promise;
  }

  /** Fetches until a moment can be shown. @param {Moment} moment */
  async function obtain(moment) {
    for (let round = 0; round < 4; round++) {
      const lack = timeline.lacks(moment);
      if (!lack) return;
      await fetchLack(lack);
    }
  }

  /** Fetches what is likely to be wanted soon: the steps ahead, the next iteration, the one before. @param {Moment} moment */
  function ahead({ iteration, step }) {
    const soon = [
      walk({ iteration, step }, 1, of),
      { iteration, step: Math.min(of(iteration), step + AHEAD) },
      ...(step > of(iteration) - AHEAD ? [{ iteration: iteration + 1, step: 1 }] : []),
      ...(step > 0 ? [{ iteration, step: Math.max(1, step - AHEAD) }] : []),
      ...(step < AHEAD / 2 && iteration > 0 ? [{ iteration: iteration - 1, step: of(iteration - 1) }] : []),
    ];
    for (const moment of soon) {
      const lack = timeline.lacks(moment);
      if (lack) fetchLack(lack).catch(() => {});
    }
  }

  /** An iteration and all after it have a new future. @param {number} iteration */
  function forget(iteration) {
    generation += 1;
    fetching.clear();
    timeline.forget(iteration);
    for (const i of [...plans.keys()]) {
      if (i >= iteration) plans.delete(i);
    }
  }

  return { timeline, plans, of, obtain, ahead, forget };
}
