// Reads residual blocks off a graph: sums in which one path goes around what the other goes through.

/** @import {Graph} from "../../types.js" */

/** The sums in which one path goes around what the other goes through. @param {Graph} graph @returns {{sum: string, from: string, through: string[]}[]} */
export function residualsOf(graph) {
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  /** All that lies between a node and an end, both left out; null if it does not lead there. @param {string} name @param {string} end @param {Map<string, string[] | null>} known @returns {string[] | null} */
  const between = (name, end, known) => {
    if (name === end) return [];
    const before = known.get(name);
    if (before !== undefined) return before;
    const node = byName.get(name);
    if (!node || node.kind !== "op") return null;
    const ways = node.inputs.map((input) => between(input, end, known)).filter((way) => way !== null);
    const found = ways.length ? [...new Set([...ways.flat(), name])] : null;
    known.set(name, found);
    return found;
  };
  return graph.nodes
    .filter((n) => n.kind === "op" && n.op === "add" && n.inputs.length === 2 && n.inputs[0] !== n.inputs[1])
    .flatMap((sum) => {
      const [a, b] = sum.inputs;
      const through = between(b, a, new Map());
      if (through?.some((name) => byName.get(name)?.inputs.some((input) => byName.get(input)?.kind === "parameter"))) return [{ sum: sum.name, from: a, through }];
      return [];
    });
}
