// One table of keys: the page listens to it, the help dialog shows it.

/** @import {Actions} from "./types.js" */

/** @typedef {{keys: string[], shown: string[], does: string, run: (actions: Actions, ways: Ways) => void}} Key */
/** @typedef {{help: () => void, doctor: () => void}} Ways */

/** @type {Key[]} `keys` as KeyboardEvent.key, with "Shift+" where it matters */
export const KEYS = [
  { keys: [" "], shown: ["Space"], does: "play, pause", run: (a) => a.toggle() },
  { keys: ["ArrowRight", "PageDown"], shown: ["→", "PageDown"], does: "one step on", run: (a) => a.step(1) },
  { keys: ["ArrowLeft", "PageUp"], shown: ["←", "PageUp"], does: "one step back", run: (a) => a.step(-1) },
  { keys: ["ArrowDown"], shown: ["↓"], does: "one phase on", run: (a) => a.phase(1) },
  { keys: ["ArrowUp"], shown: ["↑"], does: "one phase back", run: (a) => a.phase(-1) },
  { keys: ["Shift+ArrowRight"], shown: ["Shift →"], does: "one iteration on", run: (a) => a.iteration(1) },
  { keys: ["Shift+ArrowLeft"], shown: ["Shift ←"], does: "one iteration back", run: (a) => a.iteration(-1) },
  { keys: ["Home"], shown: ["Home"], does: "to the start of the iteration", run: (a) => a.toStart() },
  { keys: ["End"], shown: ["End"], does: "to its end", run: (a) => a.toEnd() },
  { keys: ["p", "P"], shown: ["P"], does: "projection mode, on and off", run: (a) => a.toggleProjection() },
  { keys: ["v", "V"], shown: ["V"], does: "the next picture of the model", run: (a) => a.turnTab() },
  { keys: ["d", "D"], shown: ["D"], does: "the doctor, open and closed", run: (_, ways) => ways.doctor() },
  { keys: ["?"], shown: ["?"], does: "this help", run: (_, ways) => ways.help() },
];

// A dialog that has just closed keeps the focus until the next frame; its keys are the page's again at once.
const WRITING = "input, textarea, select, [contenteditable], dialog[open], .editor";
const OWN_ARROWS = '[role="tablist"], [role="slider"], [role="grid"], [role="radiogroup"]';

let pointed = false; // the focus is where the pointer last put it, not the Tab key

/** Does the element that has the focus want this key for itself? @param {Element} target @param {string} key */
function taken(target, key) {
  if (target.closest(WRITING)) return true;
  if (key.startsWith("Arrow") || key === "Home" || key === "End") return target.closest(OWN_ARROWS) !== null;
  // after a click on a button, Space is still the transport's; on one reached by the keyboard, it is the button's
  return key === " " && !pointed && target.matches("button, a, summary, [role]");
}

/** @param {Actions} actions @param {Ways} ways */
export function mountKeys(actions, ways) {
  /** @param {KeyboardEvent} event @returns {Key | undefined} */
  const find = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return undefined;
    if (event.target instanceof Element && taken(event.target, event.key)) return undefined;
    const shifted = `Shift+${event.key}`;
    return KEYS.find(({ keys }) => keys.includes(event.shiftKey && event.key.length > 1 ? shifted : event.key));
  };
  addEventListener("pointerdown", () => (pointed = true), { capture: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Tab") pointed = false;
    const key = find(event);
    if (!key) return;
    event.preventDefault();
    if (event.repeat && key.keys[0] === " ") return;
    key.run(actions, ways);
  });
  addEventListener("keyup", (event) => {
    if (event.key === " " && find(event)) event.preventDefault();
  });
}
