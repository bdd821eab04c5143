// What a hand does to the stage's nodes: a plate of exact numbers beside the array that is pointed at, and the small editor
// of a leaf.

/** @import {Actions, State} from "../types.js" */
/** @import {Store} from "../store.js" */
/** @import {Stage} from "./stage.js" */
/** @import {Child} from "../h.js" */

/** @param {Stage} stage @param {Store<State>} store @param {Actions} actions @param {(...words: Child[]) => void} say */
export function mountHands(stage, store, actions, say) {
  const { element, viewport } = stage;

  /** @type {HTMLElement | null} */
  let tip = null;
  /** @type {string | null} */
  let focused = null;
  async function showTip() {
    const { hover, editing, projection } = store.get();
    const name = editing === null && !projection ? ((typeof hover === "string" ? hover : hover?.node) ?? focused) : null;
    const node = name === null ? null : (stage.built().view.itemOf(name)?.node ?? null);
    const { createTip } = node && node.shape.some((n) => n !== 1) ? await import("./tip.js") : { createTip: null };
    tip?.remove();
    tip = node && createTip ? createTip(node, stage.shown()[node.name]) : null;
    if (!node || !tip) return;
    element.append(tip);
    stage.beside(tip, stage.built().camera.onScreen(node));
  }

  viewport.addEventListener("focusin", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    focused = target.matches(":focus-visible") ? (target.dataset.node ?? null) : null;
    showTip();
  });
  viewport.addEventListener("focusout", () => {
    focused = null;
    showTip();
  });
  store.watch((s) => [s.hover, s.editing, s.nodes], showTip);

  /** @type {HTMLElement | null} */
  let editor = null;
  async function openEditor() {
    const { createEditor } = await import("./editor.js");
    const { editing, nodes, tab } = store.get();
    const back = editor?.dataset.node;
    editor?.remove();
    editor = null;
    const { view, camera } = stage.built();
    const node = editing === null ? null : (view.itemOf(editing)?.node ?? null);
    const array = node && (nodes[node.name]?.value ?? null);
    if (!node || !array || array.data === null || tab !== "graph") {
      if (back) view.elementOf(back)?.focus({ preventScroll: true });
      if (editing !== null) actions.edit(null);
      if (node && !array) say(`${node.label} has no value before the batch is loaded: take a step first.`);
      return;
    }
    editor = createEditor(node, array, actions);
    element.append(editor);
    stage.beside(editor, camera.onScreen(node));
    const field = editor.querySelector("input");
    field?.focus({ preventScroll: true });
  }
  store.watch((s) => s.editing, openEditor);
  element.addEventListener("pointerdown", (event) => {
    if (editor && !editor.contains(/** @type {Node} */ (event.target))) actions.edit(null);
  });
  if (store.get().editing !== null) openEditor();
}
