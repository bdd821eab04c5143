/**
 * One lane as a row: its colour and dashes, what it changes, how it does at the iteration shown, the verdict when it is
 * due, and the way to walk through this very iteration.
 */

import { fill, h, icon, svg } from "../h.js";
import { number } from "../format.js";
import { FIELDS, named, rateIn, schedule, typed } from "./lanes.js";

/** @import {Changes, Field, Lane} from "./lanes.js" */
/** @import {Num} from "../types.js" */
/** @typedef {{kind: string, at: number, says: string}} Verdict */
/** @typedef {{label: string, lr: number, loss: Num[], smooth: Num[] | null, verdict: Verdict, path: any[] | null, axes: any[] | null, rates: Num[] | null, samples: number[] | null, batches: number, spec: object | null}} Result */

/** @type {Record<string, {glyph: string, word: string}>} */
const VERDICTS = {
  crawls: { glyph: "…", word: "too slow: it crawls" },
  stands: { glyph: "■", word: "it stands still" },
  right: { glyph: "✓", word: "just right" },
  unsteady: { glyph: "≈", word: "too large: it does not settle" },
  oscillates: { glyph: "⇄", word: "too large: it swings" },
  diverges: { glyph: "↗", word: "far too large: it diverges" },
};

/**
 * A lane's verdict in words, or null before the iteration at which it was decided.
 * @param {Verdict | null | undefined} verdict @param {number} shown @param {number} last
 */
export function verdictAt(verdict, shown, last) {
  if (!verdict || shown < Math.min(last, verdict.at)) return null;
  return { ...(VERDICTS[verdict.kind] ?? { glyph: "", word: verdict.kind }), at: verdict.at, says: verdict.says };
}

/** A short sample of a lane's line. @param {number} place */
export const sample = (place) => svg("svg", { class: `lane-sample lane-${place}`, viewBox: "0 0 34 12", width: 34, height: 12, "aria-hidden": "true" },
  svg("path", { class: "lane-line", d: "M2 6H32" }));

/** What a select can choose among. @param {Field} field @param {Record<string, any[]> | null} catalogue @param {string} chosen */
export function choices(field, catalogue, chosen) {
  const rows = catalogue?.[FIELDS[field].table ?? ""]?.map(({ name }) => name) ?? (chosen ? [chosen] : []);
  return rows.map((name) => h("option", { value: name, selected: name === chosen }, named(name)));
}

/**
 * @param {Lane} lane @param {number} place
 * @param {{by: Field, catalogue: Record<string, any[]> | null, iterations: number, alone: boolean, name: string,
 *   changed: (changes: Changes) => void, complain: (words: string) => void, drop: () => void, edit: () => void, look: (on: boolean) => void}} page
 */
export function laneRow(lane, place, page) {
  const { by, catalogue } = page;
  const nth = `lane ${place + 1}`;
  const field = h("input", {
    type: "text", inputmode: "decimal", class: "lane-rate", value: lane.changes.lr === undefined ? "" : typed(lane.changes.lr),
    placeholder: "own", autocomplete: "off", "aria-label": `Learning rate of ${nth}`,
    on: {
      change: () => {
        const value = rateIn(field, page.complain);
        if (value !== null) page.changed({ ...lane.changes, lr: value });
      },
    },
  });
  const walk = h("a", { class: "lane-walk", hidden: true, title: "Walk through this very iteration" }, "Walk", icon("walk", 16));
  const numbers = h("span", { class: "lane-numbers" });
  const word = h("b", { class: "lane-word" });
  const says = h("span", { class: "lane-says" });
  const verdict = h("p", { class: "lane-verdict" }, word, says);
  const element = h("li", {
    class: `lane lane-${place}`,
    on: { pointerenter: () => page.look(true), pointerleave: () => page.look(false), focusin: () => page.look(true), focusout: () => page.look(false) },
  },
  h("div", { class: "lane-head" }, sample(place),
    h("label", { class: "lane-eta" }, h("i", null, "η"), field), control(lane, place, page),
    h("span", { class: "lane-tools" },
      h("button", { type: "button", class: "tool", "aria-label": `Change ${nth}: ${page.name}`, title: "Change everything about this lane", on: { click: page.edit } }, icon("pencil", 16)),
      h("button", { type: "button", class: "tool lane-drop", "aria-label": `Remove ${nth}: ${page.name}`, disabled: page.alone, on: { click: page.drop } }, icon("close", 16)))),
  h("div", { class: "lane-told" }, h("div", { class: "lane-side" }, numbers, walk), verdict));

  return {
    element,
    /** @param {Result | undefined} result @param {number} k @param {number} last */
    update(result, k, last) {
      const losses = result?.smooth ?? result?.loss;
      const loss = losses?.[Math.min(k, losses.length - 1)];
      const x = result?.path && !Array.isArray(result.path[0]) ? result.path[Math.min(k, result.path.length - 1)] : undefined;
      fill(numbers, result && [x !== undefined && h("span", null, "x ", h("b", null, number(x))), h("span", null, "loss ", h("b", null, number(loss))),
        by === "batch_size" && result.samples && [["epoch", Math.floor(k / result.batches)], ["samples", result.samples[Math.min(k, result.samples.length - 1)]]]
          .map(([what, many]) => h("span", null, `${what} `, h("b", null, String(many))))]);
      const told = verdictAt(result?.verdict, k, last);
      verdict.className = `lane-verdict ${told && result ? result.verdict.kind : ""}`;
      word.textContent = told ? `${told.glyph} ${told.word}. ` : "";
      says.textContent = told ? told.says : "…";
    },
    /** @param {string} address @param {number} k */
    lead(address, k) {
      walk.hidden = false;
      walk.href = address;
      walk.setAttribute("aria-label", `Walk ${nth}, ${page.name}, from iteration ${k}`);
    },
  };

  /** The control for what lanes differ in. @param {Lane} lane @param {number} place @param {Parameters<typeof laneRow>[2]} page */
  function control({ changes }, place, page) {
    if (by === "lr") return null;
    const label = `${FIELDS[by].title} of lane ${place + 1}`;
    if (by === "batch_size") {
      const size = h("input", {
        type: "text", inputmode: "numeric", class: "lane-choice", value: changes.batch_size ?? "", placeholder: "all", "aria-label": label,
        on: {
          change: () => {
            const value = size.value.trim() === "" ? null : Number(size.value);
            const right = value === null || (Number.isInteger(value) && value > 0);
            size.setAttribute("aria-invalid", String(!right));
            if (right) page.changed({ ...changes, batch_size: value });
            else page.complain(`"${size.value}" is not a batch size; a whole number above 0, or nothing for all samples`);
          },
        },
      });
      return h("label", { class: "lane-eta" }, "batch", size);
    }
    const chosen = changes[by]?.type ?? changes[by] ?? "";
    const select = h("select", { class: "lane-choice", "aria-label": label, on: {
      change: () => {
        const type = select.value;
        page.changed({ ...changes, [by]: type === "" ? undefined : by === "schedule" ? schedule(type, page.iterations) : { type } });
      },
    } }, h("option", { value: "", selected: !chosen }, FIELDS[by].usual === "as usual" ? "as usual" : "as it is"), choices(by, catalogue, chosen));
    return select;
  }
}
