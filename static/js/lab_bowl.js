/**
 * The bowl f(x) = x² with the path of a ball that a learning rate rolls down, or throws out.
 */

import { svg, fill } from "./h.js";
import { number, toNumber } from "./format.js";
import { linear, path as drawn } from "./scale.js";

const WIDTH = 220;
const HEIGHT = 132;
const REACH = 5;
const X = linear(-REACH, REACH, 8, WIDTH - 8);
const Y = linear(0, REACH * REACH, HEIGHT - 12, 8);
const TRAIL = 14;

/**
 * The places that are still on the picture, up to step k, and where the ball left it.
 * @param {any[]} xs @param {number} k
 * @returns {{inside: [number, number][], out: number | null}}
 */
export function ballPath(xs, k) {
  const seen = xs.slice(0, k + 1).map(toNumber);
  const lost = seen.findIndex((x) => !(Math.abs(x) <= REACH));
  const inside = (lost < 0 ? seen : seen.slice(0, lost)).map((x) => /** @type {[number, number]} */ ([X(x), Y(x * x)]));
  return { inside, out: lost < 0 ? null : lost };
}

const curve = drawn(Array.from({ length: 65 }, (_, i) => {
  const x = -REACH + (i * REACH) / 32;
  return /** @type {[number, number]} */ ([X(x), Y(x * x)]);
}));

/** One lane's bowl. @param {number} lane */
export function bowlView(lane) {
  const trail = svg("g", { class: "bowl-trail" });
  const ball = svg("circle", { class: "bowl-ball", r: 7, cx: X(3), cy: Y(9) });
  const gone = svg("text", { class: "bowl-gone", x: WIDTH / 2, y: 24, "text-anchor": "middle" });
  const label = svg("title", null, "Ball in the bowl");
  const element = svg("svg", { class: `bowl lane-${lane}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
    label,
    svg("path", { class: "bowl-floor", d: `M8 ${Y(0)}H${WIDTH - 8}` }),
    svg("path", { class: "bowl-goal", d: `M${X(0)} ${Y(0) - 4}v8` }),
    svg("path", { class: "bowl-curve", d: curve }),
    trail, ball, gone);
  return {
    element,
    /** @param {any[] | null} xs @param {number} k */
    update(xs, k) {
      const { inside, out } = ballPath(xs ?? [3], k);
      const from = Math.max(0, inside.length - 1 - TRAIL);
      fill(trail, [
        svg("path", { class: "bowl-path", d: drawn(inside) }),
        inside.slice(from, -1).map(([x, y], i) => svg("circle", { cx: x, cy: y, r: 3, opacity: 0.25 + (0.6 * (i + 1)) / (TRAIL + 1) })),
      ]);
      const at = inside.at(-1);
      ball.style.display = out === null ? "" : "none";
      if (at && out === null) {
        ball.setAttribute("cx", String(at[0]));
        ball.setAttribute("cy", String(at[1]));
      }
      gone.textContent = out === null ? "" : `thrown out at step ${out}`;
      label.textContent = out === null ? `x = ${number(xs?.[Math.min(k, xs.length - 1)] ?? 3)}` : `thrown out of the bowl at step ${out}`;
    },
  };
}
