// Time, kept in the browser: the state at (iteration, step) is a known state plus the writes of the frames since. Each
// iteration is cut into windows of a fixed number of steps; a window is whole once its first state and its frames are
// here. Whoever wants a moment that is not here is told what to fetch.

/** @import {Frame, Nodes, PlanEntry} from "./types.js" */

const MADE = 64; // states of an iteration that are remembered beside those where its windows begin
const FRAMES = 6000; // frames that are remembered, or those of the last three iterations

/** @typedef {{iteration: number, step: number}} Moment */
/** @typedef {{iteration: number, state: number | null, start: number, stop: number}} Lack  what to fetch for a moment */
/**
 * @typedef {object} Iteration
 * @property {Map<number, Nodes>} states  by step: where windows begin, and what the server told
 * @property {Map<number, Nodes>} made  the last ones that were worked out, the oldest first
 * @property {(Frame | undefined)[]} frames  by plan index
 */

/**
 * The state after a frame; whatever it did not write is shared with the state before.
 * @param {Nodes} nodes @param {Frame} frame @returns {Nodes}
 */
export function apply(nodes, frame) {
  return frame.writes.length === 0 ? nodes : write({ ...nodes }, frame);
}

/** Writes a frame into a state that nobody else holds. @param {Nodes} after @param {Frame} frame @returns {Nodes} */
function write(after, frame) {
  for (const { node, slot, value } of frame.writes) {
    const before = after[node] ?? { name: node, value: null, grad: null, state: {} };
    if (slot === "value" || slot === "grad") after[node] = { ...before, [slot]: value };
    else if (value !== null) after[node] = { ...before, state: { ...before.state, [slot]: value } };
  }
  return after;
}

/**
 * n steps on from a moment (or back). (i, of) and (i + 1, 0) are one state, so a step over the seam lands on (i + 1, 1).
 * @param {Moment} from @param {number} n @param {(iteration: number) => number} of @returns {Moment}
 */
export function walk(from, n, of) {
  let { iteration, step } = from;
  for (; n > 0; n--) {
    if (step >= of(iteration)) [iteration, step] = [iteration + 1, 0];
    step += 1;
  }
  for (; n < 0; n++) {
    if (step <= 0) {
      if (iteration === 0) break;
      iteration -= 1;
      step = of(iteration);
    }
    step -= 1;
  }
  return { iteration, step };
}

/** The steps at which a phase begins or the iteration ends: 0, …, of. @param {PlanEntry[]} plan @returns {number[]} */
export function boundaries(plan) {
  const found = plan.filter((entry, i) => i === 0 || plan[i - 1].phase !== entry.phase).map((entry) => entry.index);
  return [...found, plan.length];
}

/**
 * n phases on from a moment (or back): to the next place where a phase ends.
 * @param {Moment} from @param {number} n @param {PlanEntry[]} plan @returns {Moment}
 */
export function walkPhases(from, n, plan) {
  const marks = boundaries(plan);
  let { iteration, step } = from;
  for (; n > 0; n--) {
    if (step >= plan.length) [iteration, step] = [iteration + 1, 0];
    step = marks.find((mark) => mark > step) ?? plan.length;
  }
  for (; n < 0; n++) {
    if (step <= 0) {
      if (iteration === 0) break;
      [iteration, step] = [iteration - 1, plan.length];
    }
    step = marks.findLast((mark) => mark < step) ?? 0;
  }
  return { iteration, step };
}

/**
 * @param {(iteration: number) => number} of  steps in an iteration; plans differ where zero_grad or clip was switched
 * @param {{window?: number, keep?: number, edited?: (iteration: number) => boolean}} [options]  steps a window has;
 *   iterations that are remembered; whether somebody changed something at the start of an iteration
 */
export function createTimeline(of, { window = 48, keep = 16, edited = () => false } = {}) {
  /** @type {Map<number, Iteration>} least recently used first */
  const iterations = new Map();

  /** @param {number} i @returns {Iteration} */
  function touch(i) {
    const known = iterations.get(i) ?? { states: new Map(), made: new Map(), frames: [] };
    iterations.delete(i);
    iterations.set(i, known);
    let frames = 0;
    for (const { frames: held } of iterations.values()) frames += held.length;
    for (const [oldest, { frames: held }] of iterations) {
      if (iterations.size <= keep && (iterations.size <= 3 || frames <= FRAMES)) break;
      iterations.delete(oldest);
      frames -= held.length;
    }
    return known;
  }

  /** First step of the window that shows `step`, together with the frame that led there. @param {number} step */
  const anchor = (step) => Math.floor(Math.max(0, step - 1) / window) * window;

  /** @param {Moment} moment @returns {Nodes | null} */
  function at({ iteration, step }) {
    const known = iterations.get(iteration);
    if (!known) return step === 0 && iteration > 0 ? seam(iteration) : null;
    const first = anchor(step);
    /** @param {number} at */
    const stored = (at) => known.states.get(at) ?? known.made.get(at);
    let from = step;
    while (from > first && !stored(from)) from -= 1;
    const start = stored(from) ?? (from === 0 && iteration > 0 ? seam(iteration) : wholeBefore(iteration, from));
    if (!start) return null;
    if (from === first) known.states.set(first, start);
    if (from === step) return start;
    const nodes = { ...start };
    for (let k = from; k < step; k++) {
      const frame = known.frames[k];
      if (!frame) return null;
      write(nodes, frame);
    }
    known.made.set(step, nodes);
    for (const oldest of known.made.keys()) {
      if (known.made.size <= MADE) break;
      known.made.delete(oldest);
    }
    return nodes;
  }

  /** The end of the iteration before is the start of this one, unless a hand came between. @param {number} iteration @returns {Nodes | null} */
  function seam(iteration) {
    return iterations.has(iteration - 1) && !edited(iteration) ? at({ iteration: iteration - 1, step: of(iteration - 1) }) : null;
  }

  /** The end of the window before. @param {number} iteration @param {number} from @returns {Nodes | null} */
  function wholeBefore(iteration, from) {
    return from > 0 && iterations.get(iteration)?.frames[from - 1] ? at({ iteration, step: from }) : null;
  }

  return {
    /** @param {number} iteration @param {number} step @param {Nodes} nodes */
    putState(iteration, step, nodes) {
      const known = touch(iteration);
      known.states.set(step, nodes);
      known.made.delete(step);
    },

    /** @param {number} iteration @param {Frame[]} frames */
    putFrames(iteration, frames) {
      const known = touch(iteration);
      for (const frame of frames) known.frames[frame.index] = frame;
    },

    at,

    /** The frame that led to a moment; at the start of an iteration, the last one of the iteration before. @param {Moment} moment */
    frameAt({ iteration, step }) {
      if (step > 0) return iterations.get(iteration)?.frames[step - 1] ?? null;
      return iterations.get(iteration - 1)?.frames[of(iteration - 1) - 1] ?? null;
    },

    /** @param {number} iteration @param {number} index @returns {Frame | null} */
    frame(iteration, index) {
      return iterations.get(iteration)?.frames[index] ?? null;
    },

    /** What has to be fetched before `at` can answer; null if nothing. @param {Moment} moment @returns {Lack | null} */
    lacks({ iteration, step }) {
      const known = iterations.get(iteration);
      if (at({ iteration, step }) && (step === 0 || known?.frames[step - 1])) return null;
      const first = anchor(step);
      const state = known?.states.has(first) || known?.made.has(first) || (first === 0 && iteration > 0 && seam(iteration)) ? null : first;
      let start = first;
      const stop = Math.min(of(iteration), first + window);
      while (start < stop && known?.frames[start]) start += 1;
      return { iteration, state, start, stop };
    },

    /** Drops an iteration and all after it: an edit has given them a new future. @param {number} iteration */
    forget(iteration) {
      for (const i of [...iterations.keys()]) {
        if (i >= iteration) iterations.delete(i);
      }
    },
  };
}
/** @typedef {ReturnType<typeof createTimeline>} Timeline */
