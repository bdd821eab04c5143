/** The shelf of lessons, by topic; each a card with a small picture of its graph. */

import { h, svg } from "./h.js";
import { path, smooth } from "./geometry.js";

/** @import {Lesson} from "./types.js" */

/** @typedef {{id?: string, name?: string, title?: string} | string} Topic */

/** @param {Topic} topic */
const keyOf = (topic) => (typeof topic === "string" ? topic : topic.id ?? topic.name ?? topic.title ?? "");
/** @param {Topic} topic */
const titleOf = (topic) => (typeof topic === "string" ? topic : topic.title ?? topic.name ?? topic.id ?? "");

/**
 * Lessons under their topics, in the order of the topics; a topic that is not listed comes last.
 * @param {{lessons: Lesson[], topics?: Topic[]}} table
 * @returns {{title: string, lessons: Lesson[]}[]}
 */
export function byTopic({ lessons, topics = [] }) {
  /** @type {Map<string, {title: string, lessons: Lesson[]}>} */
  const shelves = new Map(topics.map((topic) => [keyOf(topic), { title: titleOf(topic), lessons: [] }]));
  for (const lesson of lessons) {
    const shelf = shelves.get(lesson.topic) ?? { title: lesson.topic, lessons: [] };
    shelf.lessons.push(lesson);
    shelves.set(lesson.topic, shelf);
  }
  return [...shelves.values()].filter((shelf) => shelf.lessons.length);
}

/** Type that fits into a box, for a text of some letters. @param {{width: number, height: number}} box @param {string} text */
export const typeSize = ({ width, height }, text) => Math.min(height * 0.46, (width * 1.05) / Math.max(1, [...text].length));

/** A lesson's graph, small: leaves as plates, operations as rounds with their symbol. @param {any} picture */
function pictureView(picture) {
  if (!picture?.nodes?.length) return null;
  const { width, height, nodes, edges } = picture;
  const edge = Math.max(width, height) * 0.012;
  return svg("svg", { class: "mini", viewBox: `${-edge} ${-edge} ${width + 2 * edge} ${height + 2 * edge}`, "aria-hidden": "true", preserveAspectRatio: "xMidYMid meet" },
    edges.map((/** @type {any} */ { points }) => svg("path", { class: "mini-edge", pathLength: 1, d: path(smooth(points)) })),
    nodes.map((/** @type {any} */ node) => svg("g", { class: `mini-node mini-${node.kind}` },
      svg("rect", { x: node.x, y: node.y, width: node.width, height: node.height, rx: Math.min(node.height, node.width) * (node.kind === "op" ? 0.5 : 0.14) }),
      svg("text", { x: node.x + node.width / 2, y: node.y + node.height / 2, "text-anchor": "middle", "dominant-baseline": "central", "font-size": typeSize(node, node.symbol || node.label) },
        node.symbol || node.label))));
}

/** @param {Lesson} lesson */
const card = (lesson) => h("li", { class: "card" },
  h("a", { href: `/walk/${encodeURIComponent(lesson.id)}`, class: "card-link" },
    h("span", { class: "card-picture" }, pictureView(lesson.picture)),
    h("span", { class: "card-title" }, lesson.title),
    h("span", { class: "card-question" }, lesson.question)));

const ROW = 4; // cards of a topic that are shown before it is unfolded

/** @param {string} text */
const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

/** Whether each word of a search stands in what a lesson says of itself. @param {Lesson} lesson @param {string} search */
export function matches({ title, question, topic, summary = "" }, search) {
  const text = plain([title, question, topic, summary].join(" "));
  return plain(search).split(/\s+/).every((word) => text.includes(word));
}

/** @param {HTMLElement} element @param {{lessons: Lesson[], topics?: Topic[]}} table */
export function mountShelf(element, table) {
  const shelves = byTopic(table).map(({ title, lessons }) => {
    const cards = lessons.map((lesson) => ({ lesson, item: card(lesson) }));
    const more = h("button", { type: "button", class: "tool shelf-more", "aria-expanded": "false", on: { click: unfold } }, `all ${lessons.length}`);
    const section = h("section", { class: "topic", style: { "--n": Math.min(ROW, lessons.length) } },
      h("h2", null, title, lessons.length > ROW && more),
      h("ul", { class: "cards" }, cards.map(({ item }) => item)));
    function unfold() {
      const open = more.getAttribute("aria-expanded") !== "true";
      more.setAttribute("aria-expanded", String(open));
      more.textContent = open ? "fewer" : `all ${lessons.length}`;
      draw();
    }
    return { title, cards, more, section };
  });
  const search = h("input", { type: "search", class: "shelf-search", placeholder: "Find a lesson", "aria-label": "Find a lesson", autocomplete: "off", on: { input: draw } });
  const said = h("span", { class: "shelf-said", role: "status" });
  let topic = "";
  const chips = ["", ...shelves.map(({ title }) => title)].map((name) => ({ name, chip: h("button", { type: "button", class: "shelf-topic", "aria-pressed": "false", on: { click: () => choose(name) } }, name || "All topics") }));

  /** @param {string} name */
  function choose(name) {
    topic = topic === name ? "" : name;
    draw();
  }

  function draw() {
    let shown = 0;
    for (const { title, cards, more, section } of shelves) {
      const whole = topic !== "" || search.value.trim() !== "";
      const found = cards.filter(({ lesson }) => (topic === "" || topic === title) && matches(lesson, search.value.trim()));
      const folded = !whole && more.getAttribute("aria-expanded") !== "true";
      const there = folded ? found.slice(0, ROW) : found;
      for (const one of cards) one.item.hidden = !there.includes(one);
      section.hidden = there.length === 0;
      section.style.setProperty("--n", String(Math.min(ROW, there.length)));
      more.hidden = whole;
      shown += found.length;
    }
    for (const { name, chip } of chips) chip.setAttribute("aria-pressed", String(name === topic));
    said.textContent = shown === 0 ? "No lesson says this. Try another word." : `${shown} ${shown === 1 ? "lesson" : "lessons"}`;
  }

  draw();
  element.replaceChildren(
    h("div", { class: "shelf-find", role: "search", "aria-label": "Lessons" }, h("div", { class: "shelf-line" }, search, said), h("div", { class: "shelf-topics" }, chips.map(({ chip }) => chip))),
    ...shelves.map(({ section }) => section));
}
