// Steps of time in a program that a person wrote: states h1, h2, … each made from the one before with the same weight.

/** @import {Graph, GraphNode} from "../../types.js" */
/** @import {Step, Track} from "./time.js" */

const NUMBERED = /^([A-Za-z]+?)_?(\d+)$/;
const CARRIES = new Set(["mul", "matmul", "linear", "recurrent"]);

/** @param {Graph} graph @returns {Omit<Track, "label">[]} */
export function typedTracks(graph) {
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  /** @type {Map<string, Map<number, GraphNode>>} */
  const families = new Map();
  for (const node of graph.nodes) {
    const found = node.kind === "op" ? NUMBERED.exec(node.name) : null;
    if (!found) continue;
    const family = families.get(found[1]) ?? new Map();
    families.set(found[1], family.set(Number(found[2]), node));
  }
  return [...families].flatMap(([letter, family]) => {
    const times = [...family.keys()].sort((a, b) => a - b);
    if (times.length < 2 || times.some((t, i) => t !== times[0] + i)) return [];
    const states = times.map((t) => /** @type {GraphNode} */ (family.get(t)));
    const start = byName.get(`${letter}${times[0] - 1}`) ?? byName.get(`${letter}_${times[0] - 1}`) ?? null;
    const parts = states.map((state, i) => between(state, i > 0 ? states[i - 1] : start));
    const weight = sharedWeight(parts);
    if (!weight) return [];
    const steps = parts.map(({ state, members, past, leaves }, i) => /** @type {Step} */ ({
      t: times[i],
      h: state.name,
      c: null,
      x: leaves.find((name) => byName.get(name)?.kind === "input" && name !== start?.name) ?? null,
      cut: members.find((name) => byName.get(name)?.op === "detach" && past.has(name)) ?? null,
      product: productOf({ members, past }, weight) ?? null,
      members,
    }));
    return [{ scope: "", kind: /** @type {const} */ ("RNN"), weight, start: start?.name ?? null, steps }];
  });

  /** What lies between a state and the one before. @param {GraphNode} state @param {GraphNode | null} before */
  function between(state, before) {
    /** @type {Set<string>} */
    const seen = new Set();
    /** @type {string[]} */
    const leaves = [];
    const past = new Set(before ? [before.name] : []);
    const go = (/** @type {string} */ name) => {
      if (seen.has(name) || name === before?.name) return;
      const node = byName.get(name);
      if (!node) return;
      if (node.kind !== "op") return void leaves.push(name);
      seen.add(name);
      if (node.op === "detach" && past.has(node.inputs[0])) past.add(name);
      node.inputs.forEach(go);
    };
    go(state.name);
    return { state, members: [...seen], past, leaves };
  }

  /** The node of a step that multiplies the state before by this weight. @param {{members: string[], past: Set<string>}} part @param {string} weight */
  function productOf({ members, past }, weight) {
    return members.find((name) => {
      const node = byName.get(name);
      return node && CARRIES.has(node.op) && node.inputs.includes(weight) && node.inputs.some((input) => past.has(input));
    });
  }

  /** A parameter by which every step multiplies the state before, at least twice. @param {{members: string[], past: Set<string>, leaves: string[]}[]} parts */
  function sharedWeight(parts) {
    const names = new Set(parts.flatMap(({ leaves }) => leaves));
    return [...names].find((name) => byName.get(name)?.kind === "parameter" && parts.slice(1).every((part) => productOf(part, name)) && parts.filter((part) => productOf(part, name)).length > 1);
  }
}
