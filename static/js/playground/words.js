// What the page says when a run has ended by itself.

import { count } from "../format.js";

/** @param {string} reason @param {number} iteration @param {number} limit */
export function says(reason, iteration, limit) {
  if (reason === "nonfinite") {
    return `The loss of update ${count(iteration)} is no number any more: something has become infinite. The learning rate may be too high.`;
  }
  if (reason === "limit") return `${count(limit)} updates: this is as far as one run goes. Reset begins anew.`;
  if (reason === "moved") return "Somebody has gone elsewhere in this run, so it stands still.";
  if (reason === "paused" || reason === "done" || reason === "alone" || reason === "") return "";
  return reason;
}
