// Above a graph with scopes: the way from the whole to the node that runs, each part of it to be opened or closed, two
// buttons for all at once, and one by which whatever runs opens by itself.

import { fill, h } from "../h.js";
import { foldable, followed, readScopes } from "../scopes.js";

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
  store.watch((s) => [s.moved, s.graph, s.projection, s.following], show);
  show();
  follow(store, actions);
}

/**
 * What runs is open and closes when the walk has left it; what a hand opens stays open.
 * @param {Store<State>} store @param {Actions} actions
 */
function follow(store, actions) {
  /** @type {ReadonlySet<string>} */
  let own = new Set();
  let waiting = false;
  const turn = async () => {
    const { following, graph, frame } = store.get();
    if (!following || waiting || !foldable(graph) || !frame?.node) return;
    const open = (graph.scopes ?? []).filter((scope) => scope.open).map((scope) => scope.name);
    const next = followed(open, scopesOf(graph).pathTo(frame.node).map((scope) => scope.name), own);
    own = next.own;
    if (!next.changed) return;
    waiting = true;
    await actions.collapse("all", next.open);
    waiting = false;
    if (store.get().graph !== graph) void turn(); // the walk has gone on meanwhile
  };
  store.watch((s) => s.moved, turn);
  store.watch((s) => s.following, (following) => {
    const { graph } = store.get();
    own = new Set(following ? (graph.scopes ?? []).map((scope) => scope.name) : []); // what is open now closes, too
    void turn();
  });
}

/** @param {Graph} graph */
function scopesOf(graph) {
  const scopes = known.get(graph) ?? readScopes(graph);
  known.set(graph, scopes);
  return scopes;
}

/** @param {HTMLElement} place @param {State} state @param {Actions} actions */
function drawFolds(place, { graph, frame, next, selected, following }, actions) {
  const scopes = scopesOf(graph);
  const all = graph.scopes ?? [];
  const path = scopes.pathTo(frame?.node ?? selected ?? next?.node);
  const said = path.map((scope) => `${scope.name}${scope.open && scopes.folds}`).join(" ");
  const whole = scopes.folds ? all.filter((scope) => scope.open).length : all.length;
  const key = `${said} ${whole} ${following}`;
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  const { crumb: at, fold } = place.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset : {};
  fill(
    place,
    h("button", { type: "button", class: "fold-all", dataset: { fold: "all" }, disabled: scopes.folds && whole === 0, title: "Every layer is one box", on: { click: () => actions.collapse("all") } }, "Close all"),
    h("button", { type: "button", class: "fold-all", dataset: { fold: "none" }, disabled: whole === all.length, title: "Every node is shown", on: { click: () => actions.collapse("none") } }, "Open all"),
    h("button", { type: "button", class: "fold-all", dataset: { fold: "follow" }, "aria-pressed": String(following), title: "The layer of the present step is open, and closes when the walk has left it", on: { click: actions.toggleFollowing } }, "Open what runs"),
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
