// One store for a page: a plain object, replaced piece by piece; each panel watches the part that it draws.

/**
 * @template {object} S
 * @typedef {object} Store
 * @property {() => S} get
 * @property {(patch: Partial<S> | ((state: S) => Partial<S>)) => void} set
 * @property {<T>(selector: (state: S) => T, fn: (selected: T, before: T, state: S) => void) => () => void} watch
 *   calls `fn` whenever the selected value changes (arrays are compared entry by entry); returns the way to stop
 */

/** @param {unknown} a @param {unknown} b */
function same(a, b) {
  if (Object.is(a, b)) return true;
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((entry, i) => Object.is(entry, b[i]));
}

/**
 * @template {object} S @param {S} initial @returns {Store<S>}
 */
export function createStore(initial) {
  let state = initial;
  /** @type {Set<() => void>} */
  const watchers = new Set();

  return {
    get: () => state,

    set(patch) {
      const change = typeof patch === "function" ? patch(state) : patch;
      const keys = /** @type {(keyof S)[]} */ (Object.keys(change));
      if (keys.every((key) => Object.is(state[key], change[key]))) return;
      state = { ...state, ...change };
      for (const tell of [...watchers]) tell();
    },

    watch(selector, fn) {
      let selected = selector(state);
      const tell = () => {
        const now = selector(state);
        if (same(now, selected)) return;
        const before = selected;
        selected = now;
        fn(now, before, state);
      };
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
  };
}
