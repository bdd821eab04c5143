// Reads the layers of a model off its graph: a weight of shape (out, in), its product, bias and activation. Nothing here
// knows more than the graph does.

/** @import {Graph, GraphNode} from "../types.js" */

/** @typedef {{weight: string, bias: string | null, from: string, pre: string, out: string, activation: string, members: string[], inputs: number, outputs: number}} Layer */

const ACTIVATIONS = new Set("relu leaky_relu elu gelu sigmoid tanh softplus softmax log_softmax".split(" "));
const PASSING = new Set("transpose reshape flatten broadcast".split(" "));

/**
 * The chain of linear layers in a graph, or why there is none.
 * @param {Graph} graph @returns {{layers: Layer[]} | {why: string}}
 */
export function layersOf(graph) {
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  /** @param {string} name @returns {GraphNode[]} */
  const consumers = (name) => graph.nodes.filter((n) => n.inputs.includes(name));
  /** A node, or what it is a mere view of. @param {string} name @returns {string} */
  const source = (name) => {
    const node = byName.get(name);
    return node?.kind === "op" && PASSING.has(node.op) ? source(node.inputs[0]) : name;
  };
  const weights = graph.nodes.filter((n) => n.kind === "parameter" && n.shape.length === 2);
  if (weights.length === 0) return { why: "This model is a formula, not a chain of layers, so it has no neurons to draw." };

  /** @type {Layer[]} */
  const layers = [];
  for (const weight of weights) {
    const product = graph.nodes.find((n) => n.kind === "op" && !PASSING.has(n.op) && n.inputs.some((i) => source(i) === weight.name));
    const from = product?.inputs.map(source).find((i) => i !== weight.name && byName.get(i)?.kind !== "parameter");
    if (!product || from === undefined) continue;
    let pre = product;
    let bias = product.inputs.map(source).find((i) => i !== weight.name && byName.get(i)?.kind === "parameter") ?? null;
    const sum = consumers(product.name).find((n) => n.op === "add" && n.inputs.some((i) => byName.get(source(i))?.kind === "parameter"));
    if (!bias && sum) {
      bias = sum.inputs.map(source).find((i) => byName.get(i)?.kind === "parameter") ?? null;
      pre = sum;
    }
    const next = consumers(pre.name);
    const active = next.length === 1 && ACTIVATIONS.has(next[0].op) ? next[0] : null;
    layers.push({
      weight: weight.name,
      bias,
      from,
      pre: pre.name,
      out: active?.name ?? pre.name,
      activation: active?.op ?? "",
      members: [...new Set([weight.name, product.name, pre.name, active?.name ?? pre.name, ...(bias ? [bias] : [])])],
      inputs: weight.shape[1],
      outputs: weight.shape[0],
    });
  }
  const first = layers.find((l) => byName.get(l.from)?.kind !== "op");
  /** @type {Layer[]} */
  const chain = [];
  for (let layer = first; layer && !chain.includes(layer); ) {
    chain.push(layer);
    const end = layer.out;
    layer = layers.find((l) => l.from === end);
  }
  const fits = chain.every((l, i) => i === 0 || chain[i - 1].outputs === l.inputs);
  if (chain.length === 0 || chain.length < layers.length || !fits) {
    return { why: "The layers of this model do not form one chain, so it has no simple picture of neurons." };
  }
  return { layers: chain };
}
