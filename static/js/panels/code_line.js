/** The step's line of code, always at the inspector's foot, in one of two languages. */

import { h } from "../h.js";

const LANGUAGES = /** @type {const} */ ([{ key: "numpy", name: "NumPy" }, { key: "pytorch", name: "PyTorch" }]);

/** The step's line in NumPy or in PyTorch, whichever was chosen last, with a way to copy it. */
export function codeBlock() {
  /** @type {{numpy: string, pytorch: string} | null} */
  let code = null;
  /** @type {typeof LANGUAGES[number]} */
  let language = LANGUAGES[0];
  const text = h("code", null);
  const box = h("div", { class: "code-text", role: "group", tabindex: "0" }, text);
  const copy = h("button", { type: "button", class: "copy" }, "copy");
  const tabs = LANGUAGES.map((choice) => h("button", { type: "button", class: "code-tab", on: { click: () => {
    language = choice;
    draw();
  } } }, choice.name));
  const line = h("div", { class: "code-line" }, box, copy);

  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent ?? "");
      copy.textContent = "copied";
    } catch {
      getSelection()?.selectAllChildren(text);
      copy.textContent = "selected";
    }
    setTimeout(() => { copy.textContent = "copy"; }, 1500);
  });

  function draw() {
    const shown = code?.[language.key] ?? "";
    tabs.forEach((tab, i) => tab.setAttribute("aria-pressed", String(LANGUAGES[i] === language)));
    text.textContent = shown || " ";
    box.setAttribute("aria-label", `${language.name}: ${shown || "no line for this step"}`);
    copy.disabled = !shown;
    copy.setAttribute("aria-label", `Copy the ${language.name} line`);
  }
  draw();
  return {
    tabs: h("div", { class: "code-tabs", role: "group", "aria-label": "The same step as code" }, tabs),
    line,
    /** @param {{numpy: string, pytorch: string} | null} now */
    show(now) {
      code = now;
      draw();
    },
  };
}
