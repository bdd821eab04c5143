/**
 * The one door to Plotly. The library is large, so it is asked for when a chart is first seen and
 * never before; the options keep every request on this host.
 */

const SOURCE = "/vendor/plotly.min.js";

const CONFIG = Object.freeze({
  showSendToCloud: false,
  plotlyServerURL: "",
  displaylogo: false,
  responsive: true,
});

/** @type {Promise<any> | null} */
let loading = null;

/** @returns {Promise<any>} the library, loaded once */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = SOURCE;
    // It brings a style sheet for maps along, which the content policy would refuse, with a complaint.
    const head = document.head;
    head.appendChild = (/** @type {any} */ node) =>
      node instanceof HTMLStyleElement && node.textContent ? node : /** @type {any} */ (Node.prototype.appendChild.call(head, node));
    for (const type of ["load", "error"]) script.addEventListener(type, () => Reflect.deleteProperty(head, "appendChild"));
    script.addEventListener("load", () => resolve(/** @type {any} */ (window).Plotly));
    script.addEventListener("error", () => {
      loading = null;
      script.remove();
      reject(new Error("the chart library could not be loaded from this server"));
    });
    document.head.append(script);
  });
  return loading;
}

/** Colours and type of the page, for a layout. @param {Element} element */
export function theme(element) {
  const style = getComputedStyle(element);
  const token = (/** @type {string} */ name, /** @type {string} */ otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const axis = {
    gridcolor: token("--line", "#ddd"), zerolinecolor: token("--line", "#bbb"), automargin: true, exponentformat: "power",
  };
  return {
    axis,
    layout: {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: style.fontFamily, size: 14, color: style.color },
      margin: { l: 70, r: 20, t: 20, b: 50 },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: token("--ink-3", "#666"), activecolor: token("--ink", "#111") },
      hovermode: "x unified",
      legend: { orientation: "h", y: 1.08 },
    },
    token,
  };
}

/** @type {WeakSet<HTMLElement>} */
const watched = new WeakSet();

/** A chart is as large as its place, when that changes and the window does not, too. @param {HTMLElement} element @param {any} library */
function fit(element, library) {
  if (watched.has(element)) return;
  watched.add(element);
  new ResizeObserver(() => {
    if (element.classList.contains("js-plotly-plot") && element.offsetParent) void library.Plots.resize(element);
  }).observe(element);
}

/** Draws or redraws; the first call loads the library. @param {HTMLElement} element @param {object[]} traces @param {object} layout */
export async function draw(element, traces, layout) {
  const library = await plotly();
  const drawn = await library.react(element, traces, layout, CONFIG);
  fit(element, library);
  return drawn;
}
