/**
 * The whole state of the lab in its address, readable where it can be: a preset's name, or problem, lanes and
 * iterations; a spec of one's own, or a lane that has no short form, packed after the #.
 */

import { pack, unpack } from "../share.js";
import { MOST, MOST_ITERATIONS, laneText, readLane } from "./lanes.js";
import { PRESETS, preset } from "./presets.js";

/** @import {Changes} from "./lanes.js" */
/** @typedef {{preset: string | null, on: string, lanes: Changes[] | null, iterations: number, spec: object | null, at: number | null}} Wish */

/** @param {string | null} text @param {number} otherwise */
function count(text, otherwise) {
  const value = Math.round(Number(text));
  return text && value >= 1 && value <= MOST_ITERATIONS ? value : otherwise;
}

/**
 * What an address asks for; what it says wrongly is left out. Lanes are null where it says none.
 * @param {string} search @param {{spec?: object | null, lanes?: Changes[] | null}} [packed]
 * @returns {Wish}
 */
export function wish(search, packed = {}) {
  const asked = new URLSearchParams(search);
  const lesson = asked.get("lesson");
  const rates = asked.get("rates")?.split(",").map(readLane) ?? [];
  const told = packed.lanes ?? [...rates, ...asked.getAll("lane").map(readLane)];
  const lanes = /** @type {Changes[]} */ (told.filter((lane) => lane && typeof lane === "object")).slice(0, MOST);
  const named = preset(asked.get("preset"));
  const anything = packed.spec || lesson || asked.get("on") || lanes.length || asked.get("iterations");
  const base = named ?? (anything ? null : PRESETS[0]);
  const on = packed.spec ? "own" : lesson ? `lesson/${lesson}` : asked.get("on") ?? base?.on ?? "bowl";
  const whole = base !== null && on === base.on && !lanes.length && !asked.get("iterations");
  const at = asked.get("at");
  return {
    preset: whole ? base.id : null,
    on,
    lanes: lanes.length ? lanes : base ? base.lanes : null,
    iterations: count(asked.get("iterations"), base?.iterations ?? 40),
    spec: packed.spec ?? null,
    at: at !== null && /^\d{1,4}$/.test(at) ? Number(at) : null,
  };
}

/** What stands after the #; nothing if it cannot be read. @param {string} hash @returns {Promise<{spec?: object, lanes?: Changes[]}>} */
export async function readPacked(hash) {
  const run = new URLSearchParams(hash.replace(/^#/, "")).get("run");
  const data = run ? await unpack(run).catch(() => null) : null;
  return {
    ...(data?.spec && typeof data.spec === "object" ? { spec: data.spec } : {}),
    ...(Array.isArray(data?.lanes) ? { lanes: data.lanes } : {}),
  };
}

/**
 * The address that asks for this, from "?" on.
 * @param {{preset: string | null, on: string, lanes: Changes[], iterations: number, spec: object | null, at?: number | null}} state
 */
export async function address({ preset: name, on, lanes, iterations, spec, at = null }) {
  const asked = new URLSearchParams();
  const texts = lanes.map(laneText);
  const short = !texts.includes(null);
  if (name) asked.set("preset", name);
  else {
    if (on.startsWith("lesson/")) asked.set("lesson", on.slice(7));
    else if (!spec) asked.set("on", on);
    if (short && texts.every((text) => !text?.includes(":"))) asked.set("rates", texts.join(","));
    else if (short) for (const text of texts) asked.append("lane", text ?? "");
    asked.set("iterations", String(iterations));
  }
  if (at !== null) asked.set("at", String(at));
  const packed = spec || !short ? `#run=${await pack({ ...(spec ? { spec } : {}), ...(short ? {} : { lanes }) })}` : "";
  return `?${readable(asked)}${packed}`;
}

/** Letters that need no escape in a query stay as they are. @param {URLSearchParams} asked */
export const readable = (asked) =>
  asked.toString().replace(/%(2C|3A|3B|28|29|7C|2F|5B|5D)/g, (escaped) => decodeURIComponent(escaped));
