// Which box stands on the stage for which node. Small graphs show every node; in large ones a closed scope (a layer, a
// time step, a tensor taken apart) is one box, and the lines into it stand for all the edges that they carry.

/** @import {Graph, GraphEdge, GraphNode, Scope} from "./types.js" */
/** @import {Point} from "./geometry.js" */

/**
 * @typedef {object} Item  a box on the stage: a node, or a closed scope
 * @property {string} id  the node's or the scope's name
 * @property {GraphNode | null} node @property {Scope | null} scope
 * @property {GraphNode[]} members  the nodes that it stands for
 * @property {number} x @property {number} y @property {number} width @property {number} height
 */
/** @typedef {{from: string, to: string, edges: GraphEdge[], points: Point[]}} Wire */

/** @param {Graph} graph */
export function readScopes(graph) {
  const scopes = new Map((graph.scopes ?? []).map((scope) => [scope.name, scope]));
  /** The scopes around a group, from the outside, its own last. @param {string | null | undefined} group @returns {Scope[]} */
  const around = (group) => {
    const found = [];
    for (let scope = scopes.get(group ?? ""); scope; scope = scopes.get(scope.parent ?? "")) found.unshift(scope);
    return found;
  };
  /** @type {Map<string, Item>} */
  const items = new Map();
  /** @type {Map<string, string>} */
  const stands = new Map();
  /** @type {Map<string, GraphNode[]>} */
  const members = new Map([...scopes.keys()].map((name) => [name, []]));
  for (const node of graph.nodes) {
    const outer = around(node.group);
    for (const { name } of outer) members.get(name)?.push(node);
    const closed = outer.find((scope) => !scope.open) ?? null;
    const id = closed?.name ?? node.name;
    const { x, y, width, height } = node;
    stands.set(node.name, id);
    if (!items.has(id)) items.set(id, { id, node: closed ? null : node, scope: closed, members: [], x, y, width, height });
    items.get(id)?.members.push(node);
  }
  /** @type {Map<string, Wire>} */
  const wires = new Map();
  for (const edge of graph.edges) {
    const from = stands.get(edge.from) ?? edge.from;
    const to = stands.get(edge.to) ?? edge.to;
    if (from === to) continue;
    const plain = from === edge.from && to === edge.to;
    const key = `${from} ${to} ${plain ? edge.slot : ""}`;
    const known = wires.get(key);
    if (known) known.edges.push(edge);
    else wires.set(key, { from, to, edges: [edge], points: edge.points });
  }
  return {
    items,
    wires: [...wires.values()],
    frames: [...scopes.values()].filter((scope) => scope.open && scope.place),
    folds: [...scopes.values()].some((scope) => scope.place),
    scopes,
    /** @param {string} node */
    standing: (node) => stands.get(node) ?? node,
    /** The scopes around a node, from the outside. @param {string | null | undefined} node */
    pathTo: (node) => around(graph.nodes.find((n) => n.name === node)?.group),
    /** The nodes inside, also deeper. @param {string} scope */
    members: (scope) => members.get(scope) ?? [],
  };
}

/** @typedef {ReturnType<typeof readScopes>} Scopes */

/**
 * The scopes that are open after one is opened or closed, for the server; what lies inside a closed one stays as it was.
 * @param {Graph} graph @param {string} name
 */
export function turned(graph, name) {
  const open = (graph.scopes ?? []).filter((scope) => scope.open).map((scope) => scope.name);
  return open.includes(name) ? open.filter((other) => other !== name) : [...open, name];
}

/**
 * The scopes that are open when the walk has come into some: those around the present step, and all others but the ones
 * that only an earlier step had opened.
 * @param {string[]} open @param {string[]} here  the scopes around the step @param {ReadonlySet<string>} own  opened by an earlier step
 */
export function followed(open, here, own) {
  const kept = open.filter((name) => !own.has(name) || here.includes(name));
  const more = here.filter((name) => !open.includes(name));
  return { open: [...kept, ...more], own: new Set([...more, ...here.filter((name) => own.has(name))]), changed: kept.length < open.length || more.length > 0 };
}

/**
 * The piece of every wire that no shorter wire from the same box has drawn before: many lines on one rail are drawn once.
 * @param {Wire[]} wires @returns {Map<Wire, Point[]>}
 */
export function branches(wires) {
  /** @type {Map<string, Wire[]>} */
  const sources = new Map();
  for (const wire of wires) sources.set(wire.from, [...(sources.get(wire.from) ?? []), wire]);
  /** @type {Map<Wire, Point[]>} */
  const found = new Map();
  for (const group of sources.values()) {
    const sorted = [...group].sort((a, b) => (a.points.at(-1)?.[0] ?? 0) - (b.points.at(-1)?.[0] ?? 0));
    sorted.forEach((wire, i) => {
      let [most, piece] = [SHARED - 1, wire.points];
      for (const { points } of sorted.slice(Math.max(0, i - BEFORE), i)) {
        const same = common(points, wire.points);
        const own = same >= SHARED ? beyond(points, wire.points, same) : piece;
        if (same > most || (same === most && leg(own) < leg(piece))) [most, piece] = [same, own];
      }
      found.set(wire, piece);
    });
  }
  return found;
}

const SHARED = 3; // points that two wires must have in common to be on one rail
const BEFORE = 8; // wires that each is compared with

/** The length of a way's first leg. @param {Point[]} way */
const leg = ([[x, y], [x1, y1]]) => Math.abs(x1 - x) + Math.abs(y1 - y);

/** How many points two ways have in common at their beginning. @param {Point[]} a @param {Point[]} b */
function common(a, b) {
  let same = 0;
  while (same < a.length - 1 && same < b.length - 1 && a[same][0] === b[same][0] && a[same][1] === b[same][1]) same += 1;
  return same;
}

/** What a way has for itself: from where the other turns off. @param {Point[]} before @param {Point[]} points @param {number} same @returns {Point[]} */
function beyond(before, points, same) {
  const [last, turn, next] = [points[same - 1], before[same], points[same]];
  /** @param {0 | 1} axis */
  const between = (axis) => last[1 - axis] === turn[1 - axis] && turn[1 - axis] === next[1 - axis] && (turn[axis] - last[axis]) * (next[axis] - turn[axis]) > 0;
  return [between(0) || between(1) ? turn : last, ...points.slice(same)];
}

const FOLDABLE = 40; // nodes above which layers can be closed by hand

/** Whether layers can be opened and closed: in a large graph, and in one where somebody has. @param {Graph} graph */
export const foldable = ({ nodes, scopes = [] }) => scopes.some(({ place }) => place) || (scopes.length > 1 && nodes.length > FOLDABLE);
