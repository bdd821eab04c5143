// The only module that talks to the server. Every answer is JSON; every refusal becomes an ApiError with the server's
// own words; a changing call carries the revision that the page knows, so that two pages never overwrite each other.

/** @import {Approaches, Beginning, Session, Frame, NodeState, Position, Answer, History, GradientCheck, Lesson, Num, PlanEntry} from "./types.js" */

export class ApiError extends Error {
  /**
   * @param {string} code @param {string} message
   * @param {{where?: string | null, status?: number, revision?: number | null}} [more]
   */
  constructor(code, message, { where = null, status = 0, revision = null } = {}) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.where = where;
    this.status = status;
    this.revision = revision;
  }
}

/** @type {{walk: Beginning | null, answers: Record<string, any>} | null} */
let read = null;

/** What came with the page: a lesson's walk as it begins, and answers by path. */
export function given() {
  const text = globalThis.document?.getElementById("given")?.textContent;
  read ??= text ? JSON.parse(text) : { walk: null, answers: {} };
  return /** @type {{walk: Beginning | null, answers: Record<string, any>}} */ (read);
}

/** The picture that a walk opens with: its lesson says which. @param {{lesson: string | null}} session @returns {string} */
export const opensWith = ({ lesson: id }) => given().answers[`/api/lessons/${id}`]?.opens ?? "graph";

/** @type {() => Promise<Session>} */
let make = () => Promise.reject(new ApiError("no_session", "This page has no session."));
/** @type {Promise<Session> | null} */
let making = null;

/** A page that begins without a session: calls bear the id "" and wait until it is made. @param {() => Promise<Session>} how */
export function makeWhenNeeded(how) {
  make = how;
}

/** The session of such a page, made at the first call; after a failure the next call tries again. @returns {Promise<Session>} */
export function ownSession() {
  making ??= make().catch((error) => {
    making = null;
    throw error;
  });
  return making;
}

/**
 * @param {string} method @param {string | Promise<string>} where
 * @param {{body?: unknown, revision?: number | null, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function request(method, where, { body, revision = null, signal } = {}) {
  const path = await where;
  if (method === "GET" && Object.hasOwn(given().answers, path)) return given().answers[path];
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (revision !== null) headers["If-Match"] = `"${revision}"`;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "The server does not answer. Is Backstep still running?", { where: path });
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw refused(path, response.status, answer);
}

const GONE = "This session is not kept any more: it was deleted, or not used for a long time.";

/**
 * A refusal in the server's own words; that of a session that is gone in those of a page, which can make another one.
 * @param {string} path @param {number} status @param {any} answer
 */
export function refused(path, status, answer) {
  const { code, message, where, revision = null } = answer?.error ?? {};
  const more = { where: where ?? path, status, revision };
  const [, api, kind, id] = path.split(/[/?]/);
  if (status === 404 && api === "api" && kind === "sessions" && id === encodeURIComponent(where)) return new ApiError("gone", GONE, more);
  return new ApiError(code ?? `http_${status}`, message ?? `The server refused this (${status}).`, more);
}

/** @param {Record<string, number | string | null | undefined>} parameters */
function query(parameters) {
  const known = Object.entries(parameters).filter(([, v]) => v !== null && v !== undefined);
  return known.length ? `?${new URLSearchParams(known.map(([k, v]) => [k, String(v)]))}` : "";
}

/** @param {string} id @param {string} [rest] @returns {string | Promise<string>} */
const at = (id, rest = "") =>
  id ? `/api/sessions/${encodeURIComponent(id)}${rest}` : ownSession().then((made) => at(made.id, rest));

/** @returns {Promise<{lessons: Lesson[], topics: any[]}>} */
export const lessons = () => request("GET", "/api/lessons");

/** @param {string} id */
export const lesson = (id) => request("GET", `/api/lessons/${encodeURIComponent(id)}`);

/**
 * @param {{lesson?: string, spec?: object, changes?: unknown[], position?: {iteration: number, step: number}}} body
 * @returns {Promise<Session>}
 */
export const createSession = (body) => request("POST", "/api/sessions", { body });

/** @param {string} id @returns {Promise<Session>} */
export const session = (id) => request("GET", at(id));

/**
 * @param {string} id @param {{iteration: number, start?: number, stop?: number}} range
 * @returns {Promise<{iteration: number, of: number, frames: Frame[]}>}
 */
export const frames = (id, range) => request("GET", at(id, `/frames${query(range)}`));

/**
 * @param {string} id @param {{iteration: number, step: number}} position
 * @returns {Promise<{position: Position, nodes: Record<string, NodeState>, loss: Num | null}>}
 */
export const state = (id, { iteration, step }) => request("GET", at(id, `/state${query({ iteration, step })}`));

/** One node in full, any size. @param {string} id @param {string} name @param {{iteration?: number, step?: number}} [position] */
export const node = (id, name, { iteration, step } = {}) =>
  request("GET", at(id, `/nodes/${encodeURIComponent(name)}${query({ iteration, step })}`));

/**
 * One element of an array written out as symbols and numbers.
 * @param {string} id
 * @param {{iteration: number, step: number, node: string, slot: "value" | "grad", operand?: number, index: string}} which
 */
export const element = (id, which) => request("GET", at(id, `/element${query(which)}`));

/**
 * The graph of an iteration drawn with some scopes open.
 * @param {string} id @param {{collapse: "auto" | "all" | "none", open: string[], iteration: number}} how
 * @returns {Promise<import("./types.js").Graph>}
 */
export const graph = (id, { collapse, open, iteration }) =>
  request("GET", at(id, `/graph?${new URLSearchParams([["collapse", collapse], ["iteration", String(iteration)], ...open.map((name) => ["open", name])])}`));

/**
 * Shows the run in another form, or without it again. @param {string} id @param {import("./types.js").Form} form @param {boolean} on
 * @param {string | null} node @param {number | null} [revision] @returns {Promise<Session & {node: string | null}>}
 */
export const turn = (id, form, on, node, revision = null) => request("PUT", at(id, `/${form}`), { body: { [form]: on, node }, revision });

/** The plan as it is in one iteration. @param {string} id @param {number} iteration @returns {Promise<PlanEntry[]>} */
export const plan = (id, iteration) => request("GET", at(id, `/plan${query({ iteration })}`));

/** One slope in several ways, each with error and cost. @param {string} id @param {number} iteration @param {Record<string, string> | null} [manual] formulas by parameter @returns {Promise<Approaches>} */
export const approaches = (id, iteration, manual = null) =>
  request("GET", at(id, `/approaches${query({ iteration, manual: manual && JSON.stringify(manual) })}`));

/** What another plan does. @param {string} id @param {"memory" | "proof" | "underflow" | "decay"} kind @param {number} iteration */
export const planned = (id, kind, iteration) => request("GET", at(id, `/${kind}${query({ iteration })}`));

const POINTS = 2000; // of a long history; the server keeps its peaks

/** @param {string} id @returns {Promise<History>} */
export const history = (id) => request("GET", at(id, `/history?most=${POINTS}`));

/** Every iteration of it, for a file. @param {string} id @returns {Promise<History>} */
export const wholeHistory = (id) => request("GET", at(id, "/history"));

/**
 * @param {string} id @param {{count: number, unit: "node" | "phase" | "iteration" | "epoch"}} body @param {number | null} [revision]
 * @returns {Promise<Answer>}
 */
export const step = (id, body, revision = null) => request("POST", at(id, "/step"), { body, revision });

/**
 * @param {string} id @param {{iteration: number, step: number}} position @param {number | null} [revision]
 * @returns {Promise<Answer>}
 */
export const seek = (id, { iteration, step: k }, revision = null) =>
  request("POST", at(id, "/seek"), { body: { iteration, step: k }, revision });

/** @param {string} id @param {{iterations?: number, epochs?: number, history?: boolean}} body @param {number | null} [revision] @returns {Promise<Answer>} */
export const train = (id, body, revision = null) => request("POST", at(id, "/train"), { body, revision });

/** Ends a training early; its own request answers where that was. @param {string} id */
export const stopTraining = (id) => request("DELETE", at(id, "/train"));

/** @param {string} id @param {object} change @param {number | null} [revision] @returns {Promise<Answer>} */
export const patch = (id, change, revision = null) => request("PATCH", at(id), { body: change, revision });

/** @param {string} id @param {string} name @param {unknown} value @param {number | null} [revision] @returns {Promise<Answer>} */
export const setValue = (id, name, value, revision = null) =>
  request("PUT", at(id, `/nodes/${encodeURIComponent(name)}`), { body: { value }, revision });

/** @param {string} id @returns {Promise<GradientCheck>} */
export const gradientCheck = (id) => request("POST", at(id, "/gradient-check"), { body: {} });

/** What ails the run up to an iteration. @param {string} id @param {number} iteration @returns {Promise<import("./panels/doctor_watch.js").Report>} */
export const doctor = (id, iteration) => request("GET", at(id, `/doctor${query({ iteration, vitals: "false" })}`));

/** Every layer's vital signs at some iterations up to one. @param {string} id @param {number} iteration @param {number} looks @returns {Promise<import("./panels/pictures/health_scales.js").Vitals>} */
export const vitals = (id, iteration, looks) => request("GET", at(id, `/vitals${query({ iteration, looks })}`));

/** @param {object} body @param {AbortSignal} [signal] */
export const sweep = (body, signal) => request("POST", "/api/sweeps", { body, signal });

/** Data sets, each with the loss and the number of outputs that it asks for. @returns {Promise<{datasets: any[]}>} */
export const datasets = () => request("GET", "/api/datasets");

/** All that can be chosen. @returns {Promise<Record<string, any[]>>} */
export const catalogue = () => request("GET", "/api/catalogue");

/**
 * The session's event stream; one a page, closed when the page hides. Returns the way to close it.
 * @param {string} id @param {Record<string, (data: any) => void>} handlers  event name -> listener
 */
export function events(id, handlers) {
  /** @type {EventSource | null} */
  let source = null;
  let closed = false;
  Promise.resolve(at(id, "/events")).then((path) => {
    if (closed) return;
    source = new EventSource(path);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(JSON.parse(/** @type {MessageEvent} */ (event).data)));
    }
  });
  return () => {
    closed = true;
    source?.close();
  };
}
