// The link to this very moment, for any server: kept in the address, and copied to be shared.

import { opensWith } from "./api.js";
import { bringsSpec, fragment, pathOf } from "./share.js";

/** @import {State} from "./types.js" */
/** @import {Store} from "./store.js" */

const LINK_AFTER = 400; // ms without a move until the address shows the position

/** @param {Store<State>} store */
async function linkTo(store) {
  const { session, position, tab, folds } = store.get();
  const spec = bringsSpec(session) ? { ...(session.lesson ? { title: session.title } : {}), ...session.spec } : null;
  return pathOf(session) + (await fragment({ position, changes: session.changes, spec, tab: tab === opensWith(session) ? null : tab, folds }));
}

/** Copies the link and returns it; "" if it could only be put into the address. @param {Store<State>} store */
export async function share(store) {
  const link = location.origin + (await linkTo(store));
  try {
    await navigator.clipboard.writeText(link);
    return link;
  } catch {
    history.replaceState(null, "", link);
    return "";
  }
}

/** Opens this moment in another session, when that of this page is gone: nothing of the run is lost. @param {Store<State>} store */
export async function anew(store) {
  history.replaceState(null, "", await linkTo(store));
  location.reload();
}

/** @param {Store<State>} store */
export function keepAddress(store) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  store.watch(
    (s) => [s.position, s.session.changes, s.tab, s.folds],
    () => {
      clearTimeout(timer);
      timer = setTimeout(async () => history.replaceState(null, "", await linkTo(store)), LINK_AFTER);
    },
  );
}
