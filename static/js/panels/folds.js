// Above a graph with scopes: the way from the whole to the node that runs, each part of it to be opened or closed, and two
// buttons for all at once.

import { fill, h } from "../h.js";
import { foldable, readScopes } from "../scopes.js";

/** @import {Actions, Graph, State} from "../types.js" */
/** @import {Store} from "../store.js" */

/** @type {WeakMap<Graph, ReturnType<typeof readScopes>>} */
const known = new WeakMap();

/** Only where there is something to fold. @param {HTMLElement} viewport @param {Store<State>} store @param {Actions} actions */
export function mountFolds(viewport, store, actions) {
  const folds = h("div", { class: "folds stage-over", role: "group", "aria-label": "Layers of the graph", hidden: true });
  viewport.after(folds);
  const show = () => {
    const { graph } = store.get();
    folds.hidden = !foldable(graph);
    if (!folds.hidden) drawFolds(folds, store.get(), actions);
  };
  store.watch((s) => [s.moved, s.graph, s.projection], show);
  show();
}

/** @param {HTMLElement} place @param {State} state @param {Actions} actions */
function drawFolds(place, { graph, frame, next, selected }, actions) {
  const scopes = known.get(graph) ?? readScopes(graph);
  known.set(graph, scopes);
  const all = graph.scopes ?? [];
  const path = scopes.pathTo(frame?.node ?? selected ?? next?.node);
  const said = path.map((scope) => `${scope.name}${scope.open && scopes.folds}`).join(" ");
  const whole = scopes.folds ? all.filter((scope) => scope.open).length : all.length;
  const key = `${said} ${whole}`;
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  const { crumb: at, fold } = place.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset : {};
  fill(
    place,
    h("button", { type: "button", class: "fold-all", dataset: { fold: "all" }, disabled: scopes.folds && whole === 0, title: "Every layer is one box", on: { click: () => actions.collapse("all") } }, "Close all"),
    h("button", { type: "button", class: "fold-all", dataset: { fold: "none" }, disabled: whole === all.length, title: "Every node is shown", on: { click: () => actions.collapse("none") } }, "Open all"),
    path.length > 0 && h("span", { class: "fold-path" }, h("span", { class: "fold-here" }, "now in"), path.map((scope, i) => [
      i > 0 && h("span", { class: "fold-sep", "aria-hidden": "true" }, "›"),
      crumb(scope, scopes.folds && !scope.open, actions),
    ])),
  );
  const again = [...place.querySelectorAll("button")].find(({ dataset }) => (at && dataset.crumb === at) || (fold && dataset.fold === fold));
  again?.focus({ preventScroll: true });
}

/** @param {import("../types.js").Scope} scope @param {boolean} closed @param {Actions} actions */
function crumb({ name, label }, closed, actions) {
  return h(
    "button",
    {
      type: "button",
      class: "crumb",
      dataset: { crumb: name },
      "aria-expanded": String(!closed),
      title: closed ? `Open ${label}` : `Close ${label}`,
      on: { click: () => actions.turnScope(name) },
    },
    h("span", { class: "scope-sign", "aria-hidden": "true" }, closed ? "+" : "−"),
    label,
  );
}
