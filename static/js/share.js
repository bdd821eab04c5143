// A link that restores a run anywhere: the lesson (or the spec), the changes made and the position. A run is a pure
// function of these, so the link works on every server of the same version. Position is readable, the rest compressed.

/** @import {Folds} from "./types.js" */
/** @typedef {{position: {iteration: number, step: number} | null, changes: unknown[], spec: object | null, tab: string | null, folds: Folds | null}} Shared */

const MOST_OPEN = 80; // open layers that a link names

/** @param {string} text @param {CompressionStream | DecompressionStream} through @param {"text" | "base64"} from */
async function pass(text, through, from) {
  const bytes =
    from === "text" ? new TextEncoder().encode(text) : Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(/** @type {any} */ (through));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Any JSON as a short, URL-safe text. @param {unknown} data @returns {Promise<string>} */
export async function pack(data) {
  const bytes = await pass(JSON.stringify(data), new CompressionStream("deflate-raw"), "text");
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} text @returns {Promise<any>} */
export async function unpack(text) {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  const bytes = await pass(base64, new DecompressionStream("deflate-raw"), "base64");
  return JSON.parse(new TextDecoder().decode(bytes));
}

/**
 * The part of a link after `#`.
 * @param {{position: {iteration: number, step: number}, changes?: unknown[], spec?: object | null, tab?: string | null, folds?: Folds | null}} run  `tab`:
 *   the picture, where it is not the one that opens by itself; `folds`: the open layers, where they are others than at first
 */
export async function fragment({ position, changes = [], spec = null, tab = null, folds = null }) {
  const at = `at=${position.iteration}.${position.step}${tab ? `&picture=${encodeURIComponent(tab)}` : ""}${layers(folds)}`;
  if (changes.length === 0 && !spec) return `#${at}`;
  return `#${at}&run=${await pack({ ...(spec ? { spec } : {}), changes })}`;
}

/** @param {Folds | null} folds */
function layers(folds) {
  if (!folds || folds.open.length > MOST_OPEN) return "";
  if (folds.collapse === "none") return "&layers=open";
  return `&layers=closed${folds.open.map((name) => `&open=${encodeURIComponent(name)}`).join("")}`;
}

/** Reads it back; what cannot be read is left out rather than refused. @param {string} hash @returns {Promise<Shared>} */
export async function readFragment(hash) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  const at = /^(\d{1,9})\.(\d{1,9})$/.exec(parameters.get("at") ?? "");
  const run = parameters.get("run");
  const data = run ? await unpack(run).catch(() => null) : null;
  return {
    position: at ? { iteration: Number(at[1]), step: Number(at[2]) } : null,
    changes: Array.isArray(data?.changes) ? data.changes : [],
    spec: data?.spec && typeof data.spec === "object" ? data.spec : null,
    tab: /^[a-z_]{1,40}$/.exec(parameters.get("picture") ?? "")?.[0] ?? null,
    folds: readLayers(parameters),
  };
}

/** @param {URLSearchParams} parameters @returns {Folds | null} */
function readLayers(parameters) {
  const layers = parameters.get("layers");
  if (layers === "open") return { collapse: "none", open: [] };
  return layers === "closed" ? { collapse: "all", open: parameters.getAll("open").slice(0, MOST_OPEN) } : null;
}

/** Whether a link has to bring the spec: that of a lesson is known, unless it is shown in another form. @param {{lesson: string | null, spec?: any}} session */
export const bringsSpec = ({ lesson, spec }) => !lesson || Boolean(spec?.scalars || spec?.fused);

/** The path that a link begins with. @param {{lesson: string | null, spec?: any}} session */
export function pathOf(session) {
  return session.lesson && !bringsSpec(session) ? `/walk/${encodeURIComponent(session.lesson)}` : "/walk";
}
