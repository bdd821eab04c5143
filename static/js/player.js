// Playing: step after step at a pace, until somebody pauses it or a breakpoint comes next.

/** @import {State} from "./types.js" */
/** @import {Store} from "./store.js" */

export const PACE = 1500; // ms a step takes at speed 1

/** @param {Store<State>} store @param {() => void} stepOn */
export function createPlayer(store, stepOn) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let ticking;
  let leaving = false; // playing on from a breakpoint runs the line that it stopped at

  function tick() {
    const { playing, speed, position, breakpoints, busy } = store.get();
    if (!playing) return;
    const upcoming = position.step >= position.of ? 0 : position.step;
    if (breakpoints.includes(upcoming) && !leaving) return pause();
    leaving = false;
    if (!busy) stepOn();
    ticking = setTimeout(tick, PACE / speed);
  }

  function play() {
    if (store.get().playing) return;
    leaving = true;
    store.set({ playing: true });
    tick();
  }

  function pause() {
    clearTimeout(ticking);
    if (store.get().playing) store.set({ playing: false });
  }

  return { play, pause };
}
