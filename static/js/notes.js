// A lesson's own words for a step.

/** @import {Frame, Session} from "./types.js" */

/**
 * What the lesson says of this step, if anything. Words with numbers in them tell of the lesson's first iteration as it
 * was made, and would be wrong of a later one, or of numbers that a hand has changed.
 * @param {Pick<Session, "notes"> & Partial<Pick<Session, "changes">>} session @param {Frame | null | undefined} frame
 * @returns {string | undefined}
 */
export function noteOf({ notes, changes = [] }, frame) {
  const says = notes.find(({ index }) => index === frame?.index)?.says;
  if (!says || !/\d/.test(says)) return says;
  return frame?.position.iteration === 0 && changes.every(({ iteration }) => iteration > 0) ? says : undefined;
}
