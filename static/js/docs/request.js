// A request as data: from what stands in a route's form to an address, to a curl line, and to the answer.

/**
 * @typedef {{method: string, url: string, headers: Record<string, string>, body: string | null}} Trial
 * @typedef {{name: string, where: string, value: string}} Entry  where: path, query or header
 */

/**
 * @param {string} method @param {string} path @param {Entry[]} entries @param {string | null} body @param {string | null} accept
 * @returns {Trial}
 */
export function trial(method, path, entries, body, accept) {
  /** @param {string} where */
  const given = (where) => entries.filter((entry) => entry.where === where && entry.value !== "");
  const filled = path.replace(/\{([^}]+)\}/g, (whole, name) => {
    const entry = given("path").find((one) => one.name === name);
    return entry ? encodeURIComponent(entry.value) : whole;
  });
  const query = new URLSearchParams(given("query").map((entry) => [entry.name, entry.value])).toString();
  /** @type {Record<string, string>} */
  const headers = Object.fromEntries(given("header").map((entry) => [entry.name, entry.value]));
  if (accept) headers.Accept = accept;
  if (body !== null) headers["Content-Type"] = "application/json";
  return { method, url: filled + (query ? `?${query}` : ""), headers, body };
}

/** The names in a path that nobody has filled in yet. @param {Trial} trial */
export function missing({ url }) {
  return [...url.matchAll(/\{([^}]+)\}/g)].map((found) => found[1]);
}

/** One shell word. @param {string} text */
const quoted = (text) => (/^[\w@%+=:,./?&-]+$/.test(text) && !/[?&]/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The same as a line for the terminal. @param {Trial} trial @param {string} origin */
export function curl({ method, url, headers, body }, origin) {
  const parts = ["curl"];
  if (headers.Accept === "text/event-stream") parts.push("-N");
  if (method !== "GET" && !(method === "POST" && body !== null)) parts.push("-X", method);
  parts.push(quoted(origin + url));
  for (const [name, value] of Object.entries(headers)) parts.push("-H", quoted(`${name}: ${value}`));
  if (body !== null) parts.push("-d", quoted(body));
  return parts.join(" ");
}

/**
 * Sends it, and tells what comes: once for an ordinary answer, again and again for a stream.
 * @param {Trial} trial @param {AbortSignal} signal
 * @param {(response: Response, text: string, ended: boolean) => void} tell
 */
export async function send({ method, url, headers, body }, signal, tell) {
  const response = await fetch(url, { method, headers, body: body ?? undefined, signal });
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream") && response.body) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    tell(response, text, false);
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text = (text + part.value).slice(-20_000);
      tell(response, text, false);
    }
    tell(response, text, true);
  } else if (type.includes("json") || type.startsWith("text/")) {
    tell(response, pretty(await response.text(), type), true);
  } else {
    const bytes = (await response.arrayBuffer()).byteLength;
    tell(response, bytes ? `${bytes} bytes of ${type}` : "", true);
  }
}

/** @param {string} text @param {string} type */
export function pretty(text, type) {
  if (!type.includes("json")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
