/**
 * Lines of equal height over a grid: marching squares, with every crossing where the straight line between two grid
 * points has that height.
 */

/** @typedef {[number, number]} Point */

/**
 * Heights for about `count` lines, closer together where the ground is low: a valley is what one looks at.
 * @param {number[][]} grid @param {number} count
 */
export function levels(grid, count) {
  const all = grid.flat().filter(Number.isFinite);
  if (!all.length) return [];
  const low = all.reduce((a, b) => Math.min(a, b));
  const high = all.reduce((a, b) => Math.max(a, b));
  return Array.from({ length: count }, (_, i) => low + (high - low) * ((i + 1) / (count + 1)) ** 2.5);
}

/** How the corners of a cell that are above a level join its sides: 0 bottom, 1 right, 2 top, 3 left. @type {Record<number, [number, number][]>} */
const SIDES = {
  1: [[3, 0]], 2: [[0, 1]], 3: [[3, 1]], 4: [[1, 2]], 5: [[3, 0], [1, 2]], 6: [[0, 2]], 7: [[3, 2]],
  8: [[2, 3]], 9: [[2, 0]], 10: [[0, 1], [2, 3]], 11: [[2, 1]], 12: [[1, 3]], 13: [[1, 0]], 14: [[0, 3]],
};

/**
 * Pieces of the line at one height. `grid[j][i]` is the height at xs[i], ys[j]; cells with a hole have no line.
 * @param {number[][]} grid @param {number[]} xs @param {number[]} ys @param {number} level
 * @returns {[Point, Point][]}
 */
export function contour(grid, xs, ys, level) {
  /** @type {[Point, Point][]} */
  const pieces = [];
  for (let j = 0; j + 1 < ys.length; j += 1) {
    for (let i = 0; i + 1 < xs.length; i += 1) {
      const corners = [grid[j][i], grid[j][i + 1], grid[j + 1][i + 1], grid[j + 1][i]];
      if (!corners.every(Number.isFinite)) continue;
      const above = corners.reduce((sum, v, bit) => sum + (v > level ? 2 ** bit : 0), 0);
      const part = (/** @type {number} */ a, /** @type {number} */ b) => (level - corners[a]) / (corners[b] - corners[a]);
      const x = (/** @type {number} */ share) => xs[i] + share * (xs[i + 1] - xs[i]);
      const y = (/** @type {number} */ share) => ys[j] + share * (ys[j + 1] - ys[j]);
      /** @type {(() => Point)[]} */
      const on = [() => [x(part(0, 1)), ys[j]], () => [xs[i + 1], y(part(1, 2))], () => [x(part(3, 2)), ys[j + 1]], () => [xs[i], y(part(0, 3))]];
      for (const [from, to] of SIDES[above] ?? []) pieces.push([on[from](), on[to]()]);
    }
  }
  return pieces;
}
