// A table of one's own: pasted or from a file, read by the server, its mistakes told by line and column.

import * as api from "../api.js";

/** @import {Own} from "./choices.js" */

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(`play-csv${id}`));

/** A file's text: UTF-8, or what older spreadsheets write. @param {ArrayBuffer} bytes */
export function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** @param {(own: Own) => void} use @returns {() => void} opens the dialog */
export function mountTable(use) {
  const dialog = /** @type {HTMLDialogElement} */ (at(""));
  const text = /** @type {HTMLTextAreaElement} */ (at("-text"));
  const file = /** @type {HTMLInputElement} */ (at("-file"));

  /** @param {string} words */
  function complain(words) {
    at("-complaint").hidden = !words;
    at("-complaint").textContent = words;
  }

  file.addEventListener("change", async () => {
    const [chosen] = file.files ?? [];
    if (chosen) text.value = decoded(await chosen.arrayBuffer());
    complain("");
  });
  at("-use").addEventListener("click", async () => {
    try {
      const { inputs, targets, task, classes, columns } = await api.request("POST", "/api/datasets/csv", { body: { text: text.value } });
      use({ inputs, targets: targets.flat(), task, ...(classes ? { classes } : {}), ...(columns ? { columns } : {}) });
      dialog.close();
    } catch (error) {
      const { message, where } = /** @type {api.ApiError} */ (error);
      complain(where?.startsWith("line") ? `In ${where}: ${message}` : message);
    }
  });
  return () => {
    complain("");
    dialog.showModal();
  };
}
