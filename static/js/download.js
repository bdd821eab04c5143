/**
 * What a page shows, as files: the numbers of a chart as CSV and JSON, the chart itself as SVG and PNG. A picture of ours
 * takes its looks along, since a file has no style sheet.
 */

import { h, icon } from "./h.js";

/** @import {Num} from "./types.js" */
/** @typedef {Record<string, (Num | string | null | undefined)[]>} Columns  all of one length, or padded with nothing */
/** @typedef {{name: string, columns: () => Columns | Promise<Columns>, svg?: () => SVGElement | null | Promise<SVGElement | null>, plot?: () => HTMLElement | null}} Source */

const LOOKS = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "stroke-opacity",
  "opacity", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "paint-order", "visibility", "display",
];
const SHARP = 2; // pixels of a PNG for each of the page

/** One cell; what has a comma, a quote or a line end is quoted. @param {unknown} value */
function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Columns as CSV (RFC 4180), numbers with all their digits. @param {Columns} columns */
export function csv(columns) {
  const names = Object.keys(columns);
  const length = Math.max(0, ...names.map((name) => columns[name].length));
  const rows = Array.from({ length }, (_, i) => names.map((name) => cell(columns[name][i])).join(","));
  return [names.map(cell).join(","), ...rows, ""].join("\r\n");
}

/**
 * The size of a picture as a file: what it shows only there stands below, and says how high it is in the drawing's units.
 * @param {SVGElement} picture
 */
function sizeOf(picture) {
  const { width, height } = picture.getBoundingClientRect();
  const more = [.../** @type {NodeListOf<SVGElement>} */ (picture.querySelectorAll(".file-only"))].reduce((sum, part) => sum + Number(part.dataset.height), 0);
  const [x, y, wide, high] = (picture.getAttribute("viewBox") ?? `0 0 ${width} ${height}`).split(/[\s,]+/).map(Number);
  return { width, height: height + (more * height) / high, viewBox: `${x} ${y} ${wide} ${high + more}` };
}

/** A picture with its computed looks, its size and its ground. @param {SVGElement} picture */
function standalone(picture) {
  const copy = /** @type {SVGElement} */ (picture.cloneNode(true));
  const [from, to] = [picture, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const look of LOOKS) to[i].setAttribute(look, style.getPropertyValue(look));
    if (element.matches(".file-only")) to[i].setAttribute("display", "inline");
    for (const name of ["class", "style", "tabindex", "role"]) to[i].removeAttribute(name);
  });
  const { width, height, viewBox } = sizeOf(picture);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  copy.setAttribute("viewBox", viewBox);
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of [["width", "100%"], ["height", "100%"], ["fill", groundOf(picture)]]) ground.setAttribute(name, value);
  copy.prepend(ground);
  return new XMLSerializer().serializeToString(copy);
}

/** The colour behind an element. @param {Element | null} element @returns {string} */
function groundOf(element) {
  for (let it = element; it; it = it.parentElement) {
    const colour = getComputedStyle(it).backgroundColor;
    if (colour && colour !== "transparent" && !/,\s*0\)$/.test(colour)) return colour;
  }
  return "#ffffff";
}

/** @param {string} text @param {SVGElement} picture @returns {Promise<Blob>} */
async function png(text, picture) {
  const { width, height } = sizeOf(picture);
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = h("canvas", { width: Math.round(width * SHARP), height: Math.round(height * SHARP) });
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture could not be drawn"))), "image/png");
    });
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** @param {string} name @param {string | Blob} content @param {string} type */
function save(name, content, type) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Plotly draws its own files. @param {HTMLElement} plot @param {"svg" | "png"} format @param {string} name */
const savePlot = (plot, format, name) => /** @type {any} */ (window).Plotly.downloadImage(plot, {
  format, filename: name, width: plot.clientWidth, height: plot.clientHeight, scale: format === "png" ? SHARP : 1,
});

/** @type {Record<string, (source: Source) => unknown>} */
const WAYS = {
  CSV: async ({ name, columns }) => save(`${name}.csv`, csv(await columns()), "text/csv"),
  JSON: async ({ name, columns }) => save(`${name}.json`, JSON.stringify(await columns()), "application/json"),
  SVG: (source) => picture(source, "svg"),
  PNG: (source) => picture(source, "png"),
};

/** @param {Source} source @param {"svg" | "png"} format */
async function picture({ name, svg, plot }, format) {
  const drawn = await svg?.();
  const plotted = drawn ? null : plot?.();
  if (plotted) return savePlot(plotted, format, name);
  if (!drawn) return undefined;
  const text = standalone(drawn);
  return format === "svg" ? save(`${name}.svg`, text, "image/svg+xml") : save(`${name}.png`, await png(text, drawn), "image/png");
}

/** A small menu: this chart's numbers, or the chart. @param {Source} source @param {string} [what]  of which chart, for who cannot see where it stands */
export function downloads(source, what = "this chart") {
  const menu = h("details", { class: "downloads" },
    h("summary", { class: "tool", "aria-label": `Download ${what}`, title: "Download" }, icon("download", 18)),
    h("div", { class: "downloads-ways" }, Object.entries(WAYS).map(([word, way]) => h("button", {
      type: "button", class: "tool", on: {
        click: () => {
          menu.open = false;
          way(source);
        },
      },
    }, word))));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    event.stopPropagation();
    menu.querySelector("summary")?.focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(/** @type {Node | null} */ (event.relatedTarget))) menu.open = false;
  });
  return menu;
}
