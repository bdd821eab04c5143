// Where things are on the stage: edges as smooth lanes, a packet's place along one, the width that a gradient has, and
// where the camera stands. Pure, in the graph's own pixels.

/** @typedef {[number, number]} Point */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */
/** @typedef {{x: number, y: number, scale: number}} Camera  screen = world · scale + (x, y) */

const CORNER = 16; // radius of a bend

/**
 * A routed polyline as a smooth line: bends are rounded, and a leg that is neither level nor upright leaves and arrives
 * level, as a cable does.
 * @param {Point[]} points @param {number} [samples]  a bend
 * @returns {Point[]}
 */
export function smooth(points, samples = 8) {
  /** @type {Point[]} */
  const line = [points[0]];
  for (let i = 1; i < points.length; i++) {
    const [before, here, after] = [points[i - 1], points[i], points[i + 1]];
    if (before[0] !== here[0] && before[1] !== here[1]) {
      line.push(...curve(before, here, 2 * samples));
    } else if (!after || (after[0] !== here[0] && after[1] !== here[1])) {
      line.push(here);
    } else {
      line.push(...bend(before, here, after, samples));
    }
  }
  return line;
}

/** @param {Point} a @param {Point} b @param {number} samples @returns {Point[]} */
function curve([x0, y0], [x1, y1], samples) {
  const reach = (x1 - x0) / 2;
  return Array.from({ length: samples }, (_, k) => {
    const t = (k + 1) / samples;
    const u = 1 - t;
    return [
      u ** 3 * x0 + 3 * u * u * t * (x0 + reach) + 3 * u * t * t * (x1 - reach) + t ** 3 * x1,
      u * u * (u + 3 * t) * y0 + t * t * (t + 3 * u) * y1,
    ];
  });
}

/** @param {Point} a @param {Point} corner @param {Point} b @param {number} samples @returns {Point[]} */
function bend(a, corner, b, samples) {
  const radius = Math.min(CORNER, distance(a, corner) / 2, distance(corner, b) / 2);
  if (radius < 0.5) return [corner];
  const start = toward(corner, a, radius);
  const end = toward(corner, b, radius);
  return Array.from({ length: samples + 1 }, (_, k) => {
    const t = k / samples;
    const u = 1 - t;
    return [
      u * u * start[0] + 2 * u * t * corner[0] + t * t * end[0],
      u * u * start[1] + 2 * u * t * corner[1] + t * t * end[1],
    ];
  });
}

/** @param {Point} from @param {Point} to @param {number} by @returns {Point} */
function toward(from, to, by) {
  const size = distance(from, to) || 1;
  return [from[0] + ((to[0] - from[0]) * by) / size, from[1] + ((to[1] - from[1]) * by) / size];
}

// Every edge passes here before the first step can be taken, so these count by index and take the root themselves.

/** @param {Point} a @param {Point} b */
function distance(a, b) {
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  return Math.sqrt(dx * dx + dy * dy);
}

/**
 * The same line moved sideways, to its right-hand side when positive: so one edge has two lanes.
 * @param {Point[]} line @param {number} by @returns {Point[]}
 */
export function lane(line, by) {
  const last = line.length - 1;
  /** @type {Point[]} */
  const moved = [];
  for (let i = 0; i <= last; i++) {
    const a = line[i > 0 ? i - 1 : 0];
    const b = line[i < last ? i + 1 : last];
    const share = by / (distance(a, b) || 1);
    moved.push([line[i][0] - (b[1] - a[1]) * share, line[i][1] + (b[0] - a[0]) * share]);
  }
  return moved;
}

/** @param {Point[]} line */
export function length(line) {
  let sum = 0;
  for (let i = 1; i < line.length; i++) sum += distance(line[i - 1], line[i]);
  return sum;
}

/** The point at a distance from the beginning (held within the line). @param {Point[]} line @param {number} along @returns {Point} */
export function pointAt(line, along) {
  let left = Math.max(0, along);
  for (let i = 1; i < line.length; i++) {
    const leg = distance(line[i - 1], line[i]);
    if (left <= leg && leg > 0) return between(line[i - 1], line[i], left / leg);
    left -= leg;
  }
  return line[line.length - 1];
}

/** @param {Point} a @param {Point} b @param {number} t @returns {Point} */
const between = (a, b, t) => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];

/** The line without its last `by` pixels. @param {Point[]} line @param {number} by @returns {Point[]} */
export function shorten(line, by) {
  let left = by;
  for (let i = line.length - 1; i > 0; i--) {
    const leg = distance(line[i - 1], line[i]);
    if (left < leg) return [...line.slice(0, i), between(line[i], line[i - 1], left / leg)];
    left -= leg;
  }
  return line;
}

/** @param {number} x */
const short = (x) => String(Math.round(x * 10) / 10);

/** An SVG path. @param {Point[]} line */
export function path(line) {
  return line.map(([x, y], i) => `${i ? "L" : "M"}${short(x)} ${short(y)}`).join("");
}

/** An arrowhead at the end of a line, as a path. @param {Point[]} line @param {number} size */
export function arrowhead(line, size) {
  const tip = line[line.length - 1];
  const from = pointAt(line, length(line) - size);
  const [dx, dy] = [(tip[0] - from[0]) / size, (tip[1] - from[1]) / size];
  const half = size * 0.55;
  return path([tip, [from[0] - dy * half, from[1] + dx * half], [from[0] + dy * half, from[1] - dx * half]]) + "Z";
}

/** Sizes of gradients that the legend shows, with the widths that they have. */
const WIDTHS = { least: 1.5, most: 8, from: -3, to: 1 };

/** 1.5 to 8 px by the logarithm of |gradient|, from 0.001 to 10. @param {number} size */
export function widthOf(size) {
  const { least, most, from, to } = WIDTHS;
  if (!(size > 0)) return least;
  const share = (Math.log10(Math.min(size, 1e300)) - from) / (to - from);
  return least + (most - least) * Math.min(1, Math.max(0, share));
}

/**
 * The same drawing with wider gaps between its columns, and wider columns: room for larger numbers. Columns are what no
 * gap runs through; everything is moved by one map of x, so edges keep their course and still meet their nodes.
 * @template {{width: number, nodes: Box[], edges: {points: Point[]}[], scopes?: {place: Box | null}[]}} G
 * @param {G} graph @param {{gap: number, grow?: number}} room  least width of a gap; what each column gains
 * @returns {G}
 */
export function widen(graph, { gap, grow = 0 }) {
  /** @type {[number, number][]} columns, from left to right */
  const columns = [];
  for (const { x, width } of [...graph.nodes].sort((a, b) => a.x - b.x)) {
    const last = columns.at(-1);
    if (last && x <= last[1] + 1) last[1] = Math.max(last[1], x + width);
    else columns.push([x, x + width]);
  }
  /** @type {[number, number][]} x before, x after */
  const knots = [];
  for (const [from, to] of columns) {
    const [old, now] = knots.at(-1) ?? [from, from];
    const start = knots.length ? now + Math.max(gap, from - old) : from;
    knots.push([from, start], [to, start + to - from + grow]);
  }
  /** @param {number} x */
  const move = (x) => {
    const i = knots.findIndex(([old]) => x <= old);
    if (i === 0) return x;
    if (i < 0) return x + (knots.length ? knots[knots.length - 1][1] - knots[knots.length - 1][0] : 0);
    const [[x0, y0], [x1, y1]] = [knots[i - 1], knots[i]];
    return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
  };
  /** @template {{x: number, width: number}} B @param {B} box @returns {B} */
  const moved = (box) => ({ ...box, x: move(box.x), width: move(box.x + box.width) - move(box.x) });
  return {
    ...graph,
    width: move(graph.width),
    nodes: graph.nodes.map(moved),
    ...(graph.scopes ? { scopes: graph.scopes.map((scope) => ({ ...scope, place: scope.place && moved(scope.place) })) } : {}),
    edges: graph.edges.map((edge) => ({ ...edge, points: edge.points.map(([x, y]) => [move(x), y]) })),
  };
}

/** @param {Box[]} boxes @returns {Box | null} */
export function around(boxes) {
  if (boxes.length === 0) return null;
  const x = Math.min(...boxes.map((b) => b.x));
  const y = Math.min(...boxes.map((b) => b.y));
  return {
    x,
    y,
    width: Math.max(...boxes.map((b) => b.x + b.width)) - x,
    height: Math.max(...boxes.map((b) => b.y + b.height)) - y,
  };
}

/**
 * The box in the middle of a step, and as many others around it as can be read together with it, the nearest first: a
 * weight that every time step uses may stand far away. What comes first in `groups` has precedence.
 * @param {Box} own @param {Box[][]} groups @param {{width: number, height: number}} room @returns {Box[]}
 */
export function gather(own, groups, room) {
  /** @param {Box} b */
  const away = (b) => Math.hypot(b.x - own.x, b.y - own.y);
  const found = [own];
  for (const box of groups.flatMap((group) => [...group].sort((a, b) => away(a) - away(b)))) {
    const all = around([...found, box]);
    if (all && all.width <= room.width && all.height <= room.height) found.push(box);
  }
  return found;
}

/**
 * @typedef {object} View
 * @property {number} width @property {number} height  of the stage, in screen pixels
 * @property {Box} free  the part of the stage that nothing lies over
 * @property {number} legible  the smallest scale at which numbers can be read
 * @property {number} [comfortable]  the scale of a graph too large to be shown whole
 * @property {number} most  the largest scale
 */

/**
 * Where the camera stands. A graph that fits legibly is shown whole and the camera rests; a larger one keeps one scale
 * and the camera moves only when the focus leaves the view.
 * @param {View} view @param {Box} whole @param {Box | null} focus @param {Box | null} centre  what matters most in the focus
 * @param {Camera | null} before
 * @returns {Camera}
 */
export function aim(view, whole, focus, centre, before) {
  const { free, legible, comfortable = 1, most } = view;
  const fit = Math.min(free.width / whole.width, free.height / whole.height);
  if (fit >= legible || !focus) {
    const scale = Math.min(most, Math.max(fit, legible));
    if (fit >= legible) return place(free, whole, whole, scale);
    return place(free, whole, { ...whole, width: Math.min(whole.width, free.width / scale) }, scale);
  }
  const roomy = Math.min(Math.max(free.height / whole.height, legible), Math.max(legible, Math.min(most, comfortable)));
  const scale = Math.max(legible, Math.min(roomy, free.width / focus.width, free.height / focus.height));
  if (before && Math.abs(before.scale - scale) < 0.01 && inside(free, focus, before)) return before;
  const fits = focus.width * scale <= free.width && focus.height * scale <= free.height;
  return place(free, whole, fits || !centre ? focus : centre, scale);
}

/** Is a box wholly in the free part? @param {Box} free @param {Box} box @param {Camera} camera */
function inside(free, box, { x, y, scale }) {
  const left = box.x * scale + x;
  const top = box.y * scale + y;
  return (
    left >= free.x - 1 &&
    top >= free.y - 1 &&
    left + box.width * scale <= free.x + free.width + 1 &&
    top + box.height * scale <= free.y + free.height + 1
  );
}

/** Puts a box in the middle of the free part, without showing more emptiness than needed. @param {Box} free @param {Box} whole @param {Box} box @param {number} scale @returns {Camera} */
function place(free, whole, box, scale) {
  /** @param {"x" | "y"} axis @param {"width" | "height"} size */
  const along = (axis, size) => {
    const room = free[size] - whole[size] * scale;
    if (room >= 0) return free[axis] + room / 2 - whole[axis] * scale;
    const wanted = free[axis] + free[size] / 2 - (box[axis] + box[size] / 2) * scale;
    return Math.min(free[axis] - whole[axis] * scale, Math.max(wanted, free[axis] + room - whole[axis] * scale));
  };
  return { x: along("x", "width"), y: along("y", "height"), scale };
}
