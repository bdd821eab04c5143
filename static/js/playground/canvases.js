// The canvases that the painter draws on, given to a thread of its own where the browser has such a thing.

import { createPainter } from "./painter.js";

/** @import {Inks, Message, Told} from "./painter.js" */

const INKS = { positive: "--edge-positive", negative: "--edge-negative", curve: "--curve", ink: "--ink", faint: "--ink-3", line: "--line", value: "--value", tint: "--value-tint", surface: "--surface" };

/**
 * @param {string} address  of the painter's script
 * @param {Record<"network" | "plane" | "curve", HTMLCanvasElement>} canvases @param {(told: Told) => void} tell
 * @returns {(message: Message) => void}
 */
export function startPainter(address, canvases, tell) {
  if (!("transferControlToOffscreen" in HTMLCanvasElement.prototype) || typeof Worker === "undefined") {
    const painter = createPainter(tell);
    painter.receive({ is: "canvases", ...canvases });
    return (message) => painter.receive(message);
  }
  const worker = new Worker(address, { type: "module" });
  worker.addEventListener("message", (event) => tell(event.data));
  const given = Object.fromEntries(Object.entries(canvases).map(([name, canvas]) => [name, canvas.transferControlToOffscreen()]));
  worker.postMessage({ is: "canvases", ...given }, Object.values(given));
  return (message) => worker.postMessage(message);
}

/** The colours of the theme as it is now, and again when it changes. @param {(inks: Inks) => void} tell */
export function watchInks(tell) {
  const read = () => {
    const style = getComputedStyle(document.documentElement);
    tell(/** @type {Inks} */ (Object.fromEntries(Object.entries(INKS).map(([name, token]) => [name, style.getPropertyValue(token).trim()]))));
  };
  new MutationObserver(read).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", read);
  read();
}
