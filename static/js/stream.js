/**
 * A request whose answer tells its progress first, as an event stream; letting go of it ends the work.
 */

import { ApiError, refused } from "./api.js";

/**
 * The events that are whole in a piece of text, and the rest.
 * @param {string} text
 * @returns {{events: {event: string, data: string}[], rest: string}}
 */
export function eventsIn(text) {
  const blocks = text.split("\n\n");
  const rest = blocks.pop() ?? "";
  const events = blocks.map((block) => {
    const told = Object.fromEntries(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
    return { event: told.event ?? "message", data: told.data ?? "" };
  });
  return { events, rest };
}

/**
 * @param {string} path @param {object} body
 * @param {{signal?: AbortSignal, heard?: (done: number, of: number) => void}} [options]
 * @returns {Promise<any>} the result
 */
export async function streamed(path, body, { signal, heard } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST", headers: { Accept: "text/event-stream", "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "The server does not answer. Is Backstep still running?", { where: path });
  }
  if (!response.ok || !response.body) throw refused(path, response.status, await response.json().catch(() => null));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    text += value ?? "";
    const { events, rest } = eventsIn(text);
    text = rest;
    for (const { event, data } of events) {
      const told = JSON.parse(data);
      if (event === "result") return told;
      if (event === "error") throw refused(path, 422, told);
      if (event === "progress") heard?.(told.done, told.of);
    }
    if (done) throw new ApiError("unreachable", "The server ended before the work was done.", { where: path });
  }
}

/** @typedef {{signal?: AbortSignal, heard?: (done: number, of: number) => void}} Options */

/** @param {object} body @param {Options} [options] */
export const sweep = (body, options) => streamed("/api/sweeps", body, options);

/**
 * A cure beside the run as it is. @param {string} id @param {{check: string, cure: string, iteration: number}} body @param {Options} [options]
 * @returns {Promise<import("./panels/doctor_lanes.js").Treatment>}
 */
export const treat = (id, body, options) => streamed(`/api/sessions/${encodeURIComponent(id)}/doctor`, body, options);

/** @param {object} body @param {Options} [options] */
export const rangeTest = (body, options) => streamed("/api/range-test", body, options);

/** λmax along a run, with its losses. @param {object} body @param {Options} [options] */
export const sharpness = (body, options) => streamed("/api/sharpness", body, options);

/** The loss on a plane (or along a line) of a spec. @param {object} body @param {Options} [options] */
export const landscape = (body, options) => streamed("/api/landscape", body, options);
