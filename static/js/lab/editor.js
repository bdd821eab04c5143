/**
 * Everything about one lane, in a dialog made from the server's catalogue: rate, optimizer, schedule, batch size and
 * initialisation with all their arguments.
 */

import { h } from "../h.js";
import { FIELDS, named, noRate, rate, schedule } from "./lanes.js";

/** @import {Changes, Field} from "./lanes.js" */

const TABLES = /** @type {Field[]} */ (["optimizer", "schedule", "init"]);
const ELSEWHERE = new Set(["lr", "per"]);

/** What stands in a field for an argument. @param {any} value */
const shown = (value) => (value === null || value === undefined ? "" : Array.isArray(value) ? value.join(", ") : String(value));

/**
 * What was typed for an argument that is like `usual`: a number, several, yes or no; undefined if it is nothing of that.
 * @param {string} text @param {any} usual
 */
export function argument(text, usual) {
  const numbers = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (Array.isArray(usual)) return numbers.length === usual.length && numbers.every(Number.isFinite) ? numbers : undefined;
  return numbers.length === 1 && Number.isFinite(numbers[0]) ? numbers[0] : undefined;
}

/**
 * @param {Changes} given @param {{title: string, catalogue: Record<string, any[]>, iterations: number, changed: (changes: Changes) => void}} page
 */
export function editLane(given, page) {
  /** @type {Changes} */
  const changes = structuredClone(given);
  const complaint = h("p", { class: "complaint", role: "alert", hidden: true });
  /** @type {Map<string, string>} */
  const wrong = new Map();

  /** @param {string} where @param {string} words */
  function mark(where, words) {
    if (words) wrong.set(where, words);
    else wrong.delete(where);
    complaint.textContent = [...wrong.values()][0] ?? "";
    complaint.hidden = !wrong.size;
    done.disabled = wrong.size > 0;
  }

  /** @param {string} label @param {any} value @param {(text: string) => string} take  says what is wrong with it */
  function line(label, value, take, hint = "") {
    const input = h("input", { type: "text", inputmode: "decimal", value: shown(value), autocomplete: "off", placeholder: hint, on: {
      input: () => {
        const words = take(input.value.trim());
        input.setAttribute("aria-invalid", String(Boolean(words)));
        mark(label, words);
      },
    } });
    return h("label", { class: "edit-line" }, h("span", null, label), input);
  }

  /** @param {Field} field */
  function block(field) {
    const rows = page.catalogue[FIELDS[field].table ?? ""] ?? [];
    const more = h("div", { class: "edit-more" });
    const draw = () => {
      const chosen = changes[field];
      const row = chosen && rows.find(({ name }) => name === chosen.type);
      more.replaceChildren(...(row ? arguments_(field, row, chosen) : []));
    };
    const select = h("select", { "aria-label": FIELDS[field].title, on: {
      change: () => {
        for (const key of [...wrong.keys()].filter((key) => key.startsWith(`${FIELDS[field].title}: `))) mark(key, "");
        if (select.value) changes[field] = field === "schedule" ? schedule(select.value, page.iterations) : { type: select.value };
        else delete changes[field];
        draw();
      },
    } }, h("option", { value: "" }, "as the problem has it"),
    rows.map(({ name }) => h("option", { value: name, selected: name === changes[field]?.type }, named(name))));
    draw();
    return h("fieldset", { class: "edit-block" }, h("legend", null, FIELDS[field].title),
      h("p", { class: "edit-line" }, select), more);
  }

  /** @param {Field} field @param {any} row @param {any} chosen */
  function arguments_(field, row, chosen) {
    return row.parameters.filter((/** @type {any} */ one) => !ELSEWHERE.has(one.name)).map((/** @type {any} */ one) => {
      const value = chosen[one.name] ?? one.default;
      if (typeof one.default === "boolean") {
        const box = h("input", { type: "checkbox", checked: value, on: { change: () => { chosen[one.name] = box.checked; } } });
        return h("label", { class: "edit-line", title: one.summary }, h("span", null, one.name), box);
      }
      const label = `${FIELDS[field].title}: ${one.name}`;
      const made = line(label, value, (text) => {
        if (text === "") {
          delete chosen[one.name];
          return "";
        }
        const read = argument(text, one.default);
        if (read === undefined) return `${one.name}: "${text}" is no number`;
        chosen[one.name] = read;
        return "";
      }, shown(one.default));
      made.title = one.summary ?? "";
      made.querySelector("span")?.replaceChildren(one.name);
      made.querySelector("input")?.setAttribute("aria-label", label);
      return made;
    });
  }

  const done = h("button", { type: "submit", class: "button button-loud" }, "Train this lane");
  const dialog = h("dialog", { class: "edit", "aria-label": `Change ${page.title}` },
    h("form", { method: "dialog", on: { submit: () => page.changed(changes) } },
      h("h2", null, page.title), complaint,
      h("div", { class: "edit-blocks" },
        h("fieldset", { class: "edit-block" }, h("legend", null, "learning rate and batch size"),
          line("η", changes.lr, (text) => {
            const value = rate(text);
            if (text === "") delete changes.lr;
            else if (value === null) return noRate(text);
            else changes.lr = value;
            return "";
          }, "the problem's own"),
          line("batch size", changes.batch_size, (text) => {
            const value = Number(text);
            if (text === "") delete changes.batch_size;
            else if (!Number.isInteger(value) || value < 1) return `"${text}" is not a batch size; a whole number above 0`;
            else changes.batch_size = value;
            return "";
          }, "as the problem has it")),
        TABLES.map(block)),
      h("p", { class: "edit-ends" }, h("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, "Leave it"), done)));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();
}
