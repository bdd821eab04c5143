// The page /docs: draws every route of /openapi.json, by topic, each to be read and tried.

import { routeElement } from "./docs/route.js";
import { fill, h } from "./h.js";
import { themeButton } from "./theme.js";

/** @typedef {import("./docs/schema.js").Schema} Schema */

const METHODS = ["get", "post", "put", "patch", "delete"];

/** @param {Schema} whole */
function routesByTopic(whole) {
  /** @type {Map<string, import("./docs/route.js").Route[]>} */
  const topics = new Map((whole.tags ?? []).map((/** @type {Schema} */ tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(whole.paths ?? {})) {
    for (const method of METHODS.filter((name) => name in item)) {
      const operation = item[method];
      const topic = operation.tags?.[0] ?? "other";
      const id = `${method}-${path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "")}`;
      const routes = topics.get(topic) ?? [];
      routes.push({ method: method.toUpperCase(), path, operation, whole, id });
      topics.set(topic, routes);
    }
  }
  return [...topics].filter(([, routes]) => routes.length);
}

/** What one form learned, an id above all, stands in the empty fields of all others at once. */
function createMemory() {
  /** @type {Map<string, string>} */
  const known = new Map();
  /** @param {string} at @param {string} value */
  const learn = (at, value) => {
    known.set(at, value);
    for (const input of document.querySelectorAll("input[data-place]")) {
      if (input instanceof HTMLInputElement && input.dataset.place === at && input.value !== value) {
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
  };
  return { known, learn };
}

/** @param {HTMLElement} place */
async function draw(place) {
  fill(place, h("p", null, "Reading what this server can do …"));
  const response = await fetch(place.dataset.openapi ?? "");
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const whole = await response.json();
  const memory = createMemory();
  const topics = routesByTopic(whole);
  const about = new Map((whole.tags ?? []).map((/** @type {Schema} */ tag) => [tag.name, tag.description]));
  fill(
    place,
    h("nav", { class: "docs-topics", "aria-label": "Topics" }, topics.map(([topic]) => h("a", { href: `#topic-${topic}` }, topic))),
    topics.map(([topic, routes]) =>
      h(
        "section",
        { id: `topic-${topic}`, "aria-label": topic },
        h("h2", null, topic),
        about.get(topic) ? h("p", null, about.get(topic)) : null,
        routes.map((route) => routeElement(route, memory)),
      ),
    ),
  );
  const wanted = document.getElementById(location.hash.slice(1));
  if (wanted instanceof HTMLDetailsElement) wanted.open = true;
  wanted?.scrollIntoView();
}

const theme = document.querySelector('[data-do="theme"]');
if (theme) themeButton(theme);

const place = document.getElementById("routes");
if (place) {
  draw(place).catch((error) => fill(place, h("p", { class: "complaint" }, `The description of the API did not arrive: ${error.message}`)));
}
