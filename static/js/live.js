// Speaks each step's sentence through the page's live region; while playing fast, only the last of a moment.

import { noteOf } from "./notes.js";

/** @import {State} from "./types.js" */
/** @import {Store} from "./store.js" */

const BREATH = 400; // ms of quiet before a sentence is spoken

/** What is said of the present step: the lesson's own sentence where it has one. @param {State} state */
export function sentenceOf({ frame, session }) {
  return noteOf(session, frame) ?? frame?.says ?? "";
}

/** @param {Element} region @param {Store<State>} store */
export function mountLive(region, store) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @param {string} words */
  const say = (words) => {
    clearTimeout(timer);
    timer = setTimeout(() => (region.textContent = words), BREATH);
  };
  store.watch(
    (s) => [s.position, s.frame],
    (_, __, state) => {
      const { iteration, step, of } = state.position;
      say(`Step ${step} of ${of}, iteration ${iteration}. ${sentenceOf(state)}`);
    },
  );
  store.watch((s) => s.error, (error) => error && say(error.message));
  store.watch((s) => s.projection, (on) => say(on ? "Projection mode." : "Projection mode off."));
}
