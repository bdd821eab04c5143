// The buttons at the head of a walk: share, the doctor, projection mode, theme, help.

import { applyTheme, labelThemeButton, rememberedTheme } from "./theme.js";

/** @import {Actions, State} from "./types.js" */
/** @import {Store} from "./store.js" */

const LOOK_AFTER = 1500; // ms from the opening of a run that has come somewhere until the doctor looks

/** The doctor, loaded when the run has come somewhere or its button is pressed. @param {Store<State>} store @param {Actions} actions @returns {() => void} */
function doctorOf(store, actions) {
  const button = /** @type {HTMLElement} */ (document.querySelector("[data-do=doctor]"));
  /** @type {Promise<import("./panels/doctor_watch.js").Watch> | undefined} */
  let watch;
  /** @type {Promise<{toggle: () => void}> | undefined} */
  let made;
  const watching = () => (watch ??= import("./panels/doctor_watch.js").then(({ watchOver }) => watchOver(store, button)));
  const look = () => void watching().then(({ ask }) => ask());
  if (store.get().session.seen.iteration > 0) setTimeout(look, LOOK_AFTER);
  store.watch((s) => s.session.seen.iteration > 0, (somewhere) => somewhere && look());
  return () => {
    made ??= Promise.all([watching(), import("./panels/doctor.js")]).then(([over, { createDoctor }]) => createDoctor(store, actions, over, button));
    made.then(({ toggle }) => toggle(), console.warn);
  };
}

/** @param {Store<State>} store @param {Actions} actions @param {() => void} help */
export function mountHeader(store, actions, help) {
  const doctor = doctorOf(store, actions);
  /** @type {Record<string, () => void>} */
  const ways = {
    theme: actions.toggleTheme,
    projection: actions.toggleProjection,
    help,
    doctor,
    share: async () => {
      const link = await actions.share();
      const said = /** @type {HTMLElement} */ (document.querySelector("[data-said=share]"));
      said.textContent = link ? "Link copied" : "Link is in the address bar";
      setTimeout(() => (said.textContent = ""), 2500);
    },
  };
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-do]"))) {
    button.addEventListener("click", () => ways[button.dataset.do ?? ""]?.());
  }
  const theme = /** @type {HTMLElement} */ (document.querySelector('[data-do="theme"]'));
  const projection = document.querySelector('[data-do="projection"]');
  const reflect = () => {
    const state = store.get();
    applyTheme(state.theme);
    labelThemeButton(theme, state.theme);
    projection?.setAttribute("aria-pressed", String(state.projection));
  };
  store.set({ theme: rememberedTheme() });
  store.watch((s) => [s.theme, s.projection], reflect);
  reflect();
  if (new URLSearchParams(location.search).has("doctor")) doctor();
}
