// The cut of truncated backpropagation, moved by hand: which layer of the spec a track belongs to, the spec with another
// window, and the run that goes on with it.

import * as api from "../../api.js";
import { fragment } from "../../share.js";

/** @import {State} from "../../types.js" */

const RECURRENT = ["rnn", "lstm", "gru"];

/** The layer that a scope such as "0.layers.1." names, in a spec. @param {any} spec @param {string} scope @returns {any} */
export function layerAt(spec, scope) {
  let at = spec?.model?.layers;
  for (const part of scope.split(".").filter(Boolean)) at = at?.[/^\d+$/.test(part) ? Number(part) : part];
  return at;
}

/**
 * After how many steps the past is cut off: 0 for never, null where no layer of a spec can be told so.
 * @param {any} spec @param {string} scope @returns {number | null}
 */
export function windowOfTrack(spec, scope) {
  const layer = layerAt(spec, scope);
  const type = typeof layer === "string" ? layer : layer?.type;
  return RECURRENT.includes(type) ? Number(layer?.truncate ?? 0) : null;
}

/** The spec with another window in this layer. @param {any} spec @param {string} scope @param {number} window @returns {any} */
export function withWindow(spec, scope, window) {
  const changed = structuredClone(spec);
  const layer = layerAt(changed, scope);
  if (window > 0) layer.truncate = window;
  else delete layer.truncate;
  return changed;
}

/** The nearest line of the other plan: the same phase and node, or the end of that phase. @param {State["plan"]} plan @param {{phase: string, node: string | null} | null} line */
export function sameLine(plan, line) {
  if (!line) return 0;
  const same = plan.findIndex(({ phase, node }) => phase === line.phase && node === line.node);
  return (same >= 0 ? same : plan.findLastIndex(({ phase }) => phase === line.phase)) + 1;
}

/** Goes on with another window: the same changes, the same line, a session of its own. @param {State} state @param {string} scope @param {number} window */
export async function cutAt(state, scope, window) {
  const { session, plan, position } = state;
  const name = (session.title || "Walk").replace(/, (cut every \d+ steps?|uncut)$/, "");
  const spec = { ...withWindow(session.spec, scope, window), title: `${name}, ${window ? `cut every ${window} ${window === 1 ? "step" : "steps"}` : "uncut"}`.slice(0, 100) };
  const made = await api.createSession({ spec, changes: session.changes, position: { iteration: position.iteration, step: 0 } });
  const step = sameLine(made.plan, plan[position.step - 1] ?? null);
  const end = await fragment({ position: { iteration: position.iteration, step }, changes: session.changes, spec });
  history.replaceState(null, "", `/walk?picture=sequence${end}`);
  location.reload();
}

const HOLD = "backstep.cut"; // what had the focus, across the making of another run

/** @param {string | null} hold */
export function keepHold(hold) {
  if (hold) sessionStorage.setItem(HOLD, hold);
}

/** @returns {string | null} */
export function takeHold() {
  const hold = sessionStorage.getItem(HOLD);
  sessionStorage.removeItem(HOLD);
  return hold;
}
