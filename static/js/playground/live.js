// The stream of pictures of one session. They are handed on as text, for whoever draws them to read.

/** @import {Num} from "../types.js" */

/**
 * @typedef {{node: string, title: string, weight: string, bias: string, units: number, first: number, looked_up: number}} Column
 * @typedef {{inputs: number[][], targets: any[]}} Samples
 * @typedef {object} Scene
 * @property {string} id
 * @property {Column[]} columns
 * @property {boolean} flat  whether the inputs are a line or a plane
 * @property {[number, number][]} domain
 * @property {([number, number] | null)[]} shapes  rows and columns of the pixels of each column's maps
 * @property {number} classes
 * @property {Record<string, Samples>} samples
 * @property {{part: string, inputs: Num[][], targets: Num[][]} | null} [sequences]  [sequence][step]
 * @property {{part: string, classes: number[] | null, inputs: number[][][], targets: Num[][]} | null} [gallery]  [row][column]
 * @property {number[]} picture  rows and columns of an input that is one; features stand one below the other
 * @property {string[] | null} [features]  their names
 * @property {string[] | null} [labels]  what classes are called
 * @property {Point[]} curve
 * @property {number} batches
 * @property {number} limit
 *
 * @typedef {[number, Num, Num | null, Num, Num]} Point  iteration, train, validation, lowest and highest batch since
 * @typedef {{loss: Num, accuracy?: number, confusion?: number[][]}} Score
 * @typedef {object} Picture
 * @property {number} iteration
 * @property {number} epoch
 * @property {boolean} playing
 * @property {string} reason
 * @property {string} says
 * @property {number | null} lr
 * @property {Num | null} lr_now
 * @property {number} rate
 * @property {Record<string, Score>} scores
 * @property {number[]} limits
 * @property {Record<string, any>} weights
 * @property {Num} [batch_loss]
 * @property {number} [parameters]
 * @property {number[][] | null} [said]  of sequences
 * @property {Num[][]} [answers]
 * @property {Int8Array} maps
 */

/**
 * @param {string} id
 * @param {{scene: (scene: Scene) => void, picture: (text: string) => void, gone: () => void}} tell
 * @returns {() => void} ends it
 */
export function watch(id, tell) {
  const source = new EventSource(`/api/sessions/${encodeURIComponent(id)}/live`);
  source.addEventListener("scene", (event) => tell.scene(JSON.parse(event.data)));
  source.addEventListener("picture", (event) => tell.picture(event.data));
  source.addEventListener("deleted", () => {
    source.close();
    tell.gone();
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) tell.gone();
  });
  return () => source.close();
}
