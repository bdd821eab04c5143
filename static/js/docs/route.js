// One route: what it does, a form for its parameters and body, the same as a curl line, and the answer as it came.

import { fill, h } from "../h.js";
import { curl, missing, send, trial } from "./request.js";
import { bodies, outline, resolve, typeName } from "./schema.js";

/**
 * @typedef {import("./schema.js").Schema} Schema
 * @typedef {{method: string, path: string, operation: Schema, whole: Schema, id: string}} Route
 * @typedef {{known: Map<string, string>, learn: (name: string, value: string) => void}} Memory
 *   what was typed or answered for a place in a path, such as "/api/sessions/{id}", shared by all forms
 */

const SHOWN_HEADERS = ["location", "etag", "retry-after", "allow"];

/** Plain words with `code` in them. @param {string} text */
function prose(text) {
  return text.split(/\n{2,}/).map((paragraph) =>
    h("p", null, paragraph.split("`").map((part, i) => (i % 2 ? h("code", null, part) : part.replace(/\*\*/g, "")))),
  );
}

/** @param {Route} route @param {Memory} memory */
export function routeElement(route, memory) {
  const { method, path, operation, id } = route;
  const details = h(
    "details",
    { class: "route", id },
    h("summary", null, h("span", { class: "route-method" }, method), h("code", { class: "route-path" }, path),
      h("span", { class: "route-summary" }, operation.summary ?? "")),
  );
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(inside(route, memory));
  });
  return details;
}

/** @param {Route} route @param {Memory} memory */
function inside(route, memory) {
  const { method, path, operation, whole, id } = route;
  const parameters = (operation.parameters ?? []).map((/** @type {Schema} */ it) => resolve(it, whole));
  const media = resolve(operation.requestBody, whole).content?.["application/json"];
  const inputs = parameters.map((/** @type {Schema} */ it, /** @type {number} */ i) => parameterInput(it, path, `${id}-${i}`, memory, whole));
  const prepared = Object.entries(bodies(media, whole));
  const text = media && h("textarea", { id: `${id}-body`, rows: 6, spellcheck: "false", autocomplete: "off" });
  const accept = acceptChoice(operation, `${id}-accept`);
  const line = h("code", { class: "route-curl" });
  const answer = h("div", { class: "route-answer", "aria-live": "polite" });
  const button = h("button", { type: "submit", class: "button button-loud" }, "Send");
  /** @type {AbortController | null} */
  let running = null;

  const now = () =>
    trial(method, path, inputs.map((/** @type {{entry: () => any}} */ input) => input.entry()), text ? text.value : null, accept?.value ?? null);
  const refresh = () => fill(line, curl(now(), location.origin));
  if (text) text.value = prepared.length ? JSON.stringify(prepared[0][1], null, 2) : "{}";

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    if (running) {
      running.abort();
      return;
    }
    const request = now();
    const open = missing(request);
    if (open.length) {
      const maker = makerOf(path.slice(0, path.indexOf("}") + 1), whole);
      const hint = maker && open[0] === "id" ? ` (POST ${maker} makes one)` : "";
      fill(answer, h("p", { class: "complaint" }, `Fill in ${open.join(", ")} first${hint}.`));
      return;
    }
    for (const input of inputs) input.remember();
    running = new AbortController();
    fill(button, "Stop");
    const started = performance.now();
    try {
      await send(request, running.signal, (response, body, ended) => {
        fill(answer, told(response, body, ended ? performance.now() - started : null));
        if (ended && method === "POST" && response.status === 201) learnId(`${path}/{id}`, body, memory);
      });
    } catch (error) {
      const stopped = error instanceof DOMException && error.name === "AbortError";
      answer.append(h("p", stopped ? null : { class: "complaint" }, stopped ? "Stopped." : "The server does not answer."));
    }
    running = null;
    fill(button, "Send");
  }

  const form = h(
    "form",
    { class: "route-form", on: { submit, input: refresh } },
    inputs.map((/** @type {{element: HTMLElement}} */ input) => input.element),
    accept && h("label", { class: "field" }, h("span", null, h("code", null, "Accept"), " header"), accept),
    text && bodyField(text, prepared, refresh),
    h("div", { class: "route-send" }, button),
    h("div", { class: "route-line" }, line, copyButton(() => line.textContent ?? "")),
  );
  refresh();
  return h(
    "div",
    { class: "route-inside" },
    operation.description ? prose(operation.description) : null,
    form,
    answer,
    answersList(operation, whole),
  );
}

/**
 * What a field holds at first: the default, or for a field that must be filled the author's example, unless it is the id
 * of something that is still to be made.
 * @param {Schema} parameter @param {string | null} maker
 */
function firstValue(parameter, maker) {
  if (maker) return "";
  const schema = parameter.schema ?? {};
  const [named] = Object.values(parameter.examples ?? {});
  const shown = parameter.example ?? named?.value ?? schema.examples?.[0];
  return String(schema.default ?? (parameter.required ? shown : null) ?? "");
}

/** The path whose POST makes what stands at a place: "/api/sessions" for "/api/sessions/{id}". @param {string} place @param {Schema} whole */
function makerOf(place, whole) {
  const path = place.slice(0, place.lastIndexOf("/"));
  return whole.paths?.[path]?.post ? path : null;
}

/** @param {Schema} parameter @param {string} path @param {string} id @param {Memory} memory @param {Schema} whole */
function parameterInput(parameter, path, id, memory, whole) {
  const schema = parameter.schema ?? {};
  const choices = resolve(schema, whole).enum;
  const hole = `{${parameter.name}}`;
  const place = parameter.in === "path" ? path.slice(0, path.indexOf(hole) + hole.length) : null;
  const maker = place && makerOf(place, whole);
  const value = (place && memory.known.get(place)) ?? firstValue(parameter, maker);
  const input = choices
    ? h("select", { id }, parameter.required ? null : h("option", { value: "" }, "—"), choices.map((/** @type {string} */ it) => h("option", null, it)))
    : h("input", { id, type: "text", spellcheck: "false", autocomplete: "off", "data-place": place });
  input.value = value;
  const element = h(
    "label",
    { class: "field" },
    h("span", null, h("code", null, parameter.name), ` ${parameter.in}${parameter.required ? ", required" : ""} · ${typeName(schema)}`),
    input,
    parameter.description && h("small", null, parameter.description),
  );
  return {
    element,
    entry: () => ({ name: parameter.name, where: parameter.in, value: input.value.trim() }),
    remember: () => place && memory.learn(place, input.value.trim()),
  };
}

/** @param {HTMLTextAreaElement} text @param {[string, unknown][]} prepared @param {() => void} refresh */
function bodyField(text, prepared, refresh) {
  const choice = prepared.length > 1 && h("select", { "aria-label": "Prepared bodies" }, prepared.map(([name]) => h("option", null, name)));
  if (choice) {
    choice.addEventListener("change", () => {
      text.value = JSON.stringify(prepared[choice.selectedIndex][1], null, 2);
      refresh();
    });
  }
  return h("div", { class: "field" }, h("label", { for: text.id }, h("code", null, "body"), " JSON"), choice, text);
}

/** A choice where a route answers in more than one form. @param {Schema} operation @param {string} id */
function acceptChoice(operation, id) {
  const types = Object.keys(operation.responses?.["200"]?.content ?? {});
  if (types.length === 1 && types[0] !== "application/json") return h("select", { id }, h("option", null, types[0]));
  return types.length > 1 ? h("select", { id }, types.map((type) => h("option", null, type))) : null;
}

/** @param {Response} response @param {string} body @param {number | null} milliseconds */
function told(response, body, milliseconds) {
  const headers = SHOWN_HEADERS.filter((name) => response.headers.has(name)).map((name) => `${name}: ${response.headers.get(name)}`);
  const time = milliseconds === null ? "still open" : `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  return [
    h("p", { class: response.ok ? "route-status" : "route-status refused" }, h("strong", null, `${response.status} ${response.statusText}`), ` · ${time}`),
    headers.length ? h("pre", null, headers.join("\n")) : null,
    body && h("pre", { class: "route-body", tabindex: 0, "aria-label": "The answer's body" }, body),
  ];
}

/** @param {string} place @param {string} body @param {Memory} memory */
function learnId(place, body, memory) {
  const made = JSON.parse(body);
  if (typeof made?.id === "string") memory.learn(place, made.id);
}

/** @param {Schema} operation @param {Schema} whole */
function answersList(operation, whole) {
  return Object.entries(operation.responses ?? {}).map(([status, it]) => {
    const response = resolve(it, whole);
    const schema = Object.values(response.content ?? {})[0]?.schema;
    const title = [h("strong", null, status), ` ${response.description ?? ""}`];
    if (!schema) return h("p", { class: "route-documented" }, title);
    return h("details", { class: "route-documented" }, h("summary", null, title), h("pre", { tabindex: 0 }, outline(schema, whole)));
  });
}

/** @param {() => string} text */
function copyButton(text) {
  const button = h("button", { type: "button", class: "tool" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      fill(button, "Copied");
    } catch {
      fill(button, "Select it instead");
    }
    setTimeout(() => fill(button, "Copy"), 1500);
  });
  return button;
}
