// The ? dialog: keys, and how to read the stage. Loaded and built when first asked for.

import { h, icon } from "./h.js";
import { KEYS } from "./keys.js";

const READING = [
  ["value", "Values", "what the forward pass computes, left to right"],
  ["grad", "∂ Gradients", "how much the loss would change; they travel back, right to left"],
  ["update", "Δ Updates", "what the optimizer writes into a parameter"],
];

const WORDS = [
  ["sample, batch", "one input with its right answer (its label); the samples that are taken together"],
  ["iteration, epoch", "one batch forward, backward, and an update; once through all samples"],
  ["loss", "one number for how wrong the answers are; 0 is perfect for most losses"],
  ["gradient, slope", "how much the loss would change for a small change of this number, and which way"],
  ["upstream × local", "what arrives at a node on the way back, times the node's own slope"],
  ["δ", "the gradient at a layer's sum z, before its activation"],
  ["learning rate η", "how far an update follows the slope"],
  ["convergence", "the loss has stopped falling: good if it is low, a plateau if it is not"],
  ["guide", "the lessons follow five study guides, 000 to 004; each names its source before its first step"],
];

function build() {
  const close = h("button", { type: "button", class: "tool", "aria-label": "Close the help" }, icon("close"));
  const dialog = h(
    "dialog",
    { class: "help", "aria-labelledby": "help-title" },
    h("div", { class: "dialog-head" }, h("h2", { id: "help-title" }, "Walking"), close),
    h(
      "p",
      {},
      "A training iteration is a program. Every step runs one line of it, and every step can be undone. " +
        "Click any parameter, input or target to change it, any node to look into it, any line of the program to go there.",
    ),
    h(
      "dl",
      { class: "help-keys" },
      KEYS.map(({ shown, does }) => [
        h("dt", {}, shown.map((key, i) => [i > 0 && " ", h("kbd", {}, key)])),
        h("dd", {}, does),
      ]),
    ),
    h("h3", {}, "Reading the stage"),
    h(
      "ul",
      { class: "help-reading" },
      READING.map(([role, name, says]) =>
        h("li", { class: `role-${role}` }, h("span", { class: "swatch" }), h("strong", {}, name), ` ${says}`),
      ),
      h("li", {}, h("span", { class: "help-sign" }, "▲▼"), h("strong", {}, "Sign"), " ▲ positive, ▼ negative; a dashed edge is negative, too"),
      h("li", {}, h("span", { class: "help-sign" }, "∂ ?"), h("strong", {}, "Not yet"), " no number stands there before its step has run"),
    ),
    h("h3", {}, "Words"),
    h("dl", { class: "help-keys help-words" }, WORDS.map(([word, means]) => [h("dt", {}, word), h("dd", {}, means)])),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  return dialog;
}

/** @type {HTMLDialogElement | undefined} */
let dialog;

/** Opens the help, or closes it. */
export function toggleHelp() {
  dialog ??= build();
  if (dialog.open) dialog.close();
  else dialog.showModal();
}
