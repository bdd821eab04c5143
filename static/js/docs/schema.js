// JSON Schema as people read it: a type written out in a few lines, and an example made up from it.

/** @typedef {Record<string, any>} Schema  as in OpenAPI 3.1 */

/** Follows a `$ref` inside the document. @param {Schema | undefined} schema @param {Schema} whole @returns {Schema} */
export function resolve(schema, whole) {
  let at = schema ?? {};
  for (let hops = 0; typeof at.$ref === "string" && hops < 8; hops += 1) {
    at = at.$ref.slice(2).split("/").reduce((/** @type {any} */ part, /** @type {string} */ key) => part?.[key], whole) ?? {};
  }
  return at;
}

/** @param {Schema} schema @returns {string | null} */
function reference(schema) {
  return typeof schema.$ref === "string" ? (schema.$ref.split("/").pop() ?? null) : null;
}

/** @param {unknown[]} parts */
const either = (parts) => [...new Set(parts)].join(" | ");

/**
 * The name of a type, on one line: `integer`, `Position`, `number[]`, `"node" | "phase"`.
 * @param {Schema | undefined} schema @returns {string}
 */
export function typeName(schema) {
  if (!schema) return "any";
  const named = reference(schema);
  if (named) return named;
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return either(schema.enum.map((/** @type {unknown} */ one) => JSON.stringify(one)));
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return either(several.map(typeName));
  if (schema.allOf?.length === 1) return typeName(schema.allOf[0]);
  if (Array.isArray(schema.type)) return either(schema.type);
  if (schema.type === "array") {
    const entry = typeName(schema.items);
    return entry.includes(" | ") ? `(${entry})[]` : `${entry}[]`;
  }
  if (schema.type === "object" && schema.additionalProperties && !schema.properties) {
    return `{name: ${typeName(schema.additionalProperties === true ? {} : schema.additionalProperties)}}`;
  }
  return schema.type ?? "any";
}

/**
 * A type written out, one line a field; named types that it uses follow, each once.
 * @param {Schema | undefined} schema @param {Schema} whole @returns {string}
 */
export function outline(schema, whole) {
  /** @type {Schema[]} */
  const waiting = [schema ?? {}];
  const told = new Set();
  const blocks = [];
  while (waiting.length && blocks.length < 24) {
    const next = waiting.shift() ?? {};
    const name = reference(next);
    if (name && told.has(name)) continue;
    if (name) told.add(name);
    const at = resolve(next, whole);
    waiting.push(...references(at));
    if (at.properties) blocks.push(`${name ?? ""} ${fields(at)}`.trim());
    else if (blocks.length === 0 || name) blocks.push(name ? `${name} = ${typeName(at)}` : typeName(at));
  }
  return blocks.join("\n\n");
}

/** @param {Schema} schema */
function fields(schema) {
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties).map(([name, field]) => {
    const about = field.description ? `   ${String(field.description).replace(/\s+/g, " ")}` : "";
    return `  ${name}${required.has(name) ? "" : "?"}: ${typeName(field)}${about}`;
  });
  return `{\n${lines.join("\n")}\n}`;
}

/** Every `$ref` below a schema, as schemas. @param {unknown} part @returns {Schema[]} */
function references(part) {
  if (Array.isArray(part)) return part.flatMap(references);
  if (part === null || typeof part !== "object") return [];
  if ("$ref" in part) return [part];
  return Object.entries(part).flatMap(([key, value]) => (key.startsWith("example") ? [] : references(value)));
}

/**
 * An example: the author's own where there is one, else the smallest thing of the right form.
 * @param {Schema | undefined} schema @param {Schema} whole @param {number} [depth] @returns {unknown}
 */
export function example(schema, whole, depth = 0) {
  const at = resolve(schema, whole);
  if (at.examples?.length) return at.examples[0];
  if ("example" in at) return at.example;
  if ("default" in at) return at.default;
  if ("const" in at) return at.const;
  if (at.enum) return at.enum[0];
  if (depth > 6) return null;
  const one = at.anyOf?.[0] ?? at.oneOf?.[0] ?? at.allOf?.[0];
  if (one) return example(one, whole, depth + 1);
  if (at.type === "array") return at.items ? [example(at.items, whole, depth + 1)] : [];
  if (at.type === "object" || at.properties) {
    const wanted = new Set(at.required ?? []);
    const chosen = Object.entries(at.properties ?? {}).filter(([name]) => wanted.has(name));
    return Object.fromEntries(chosen.map(([name, field]) => [name, example(field, whole, depth + 1)]));
  }
  return { integer: 0, number: 0, string: "", boolean: false }[/** @type {string} */ (at.type)] ?? null;
}

/**
 * The prepared bodies of a request, by name.
 * @param {Schema | undefined} media @param {Schema} whole @returns {Record<string, unknown>}
 */
export function bodies(media, whole) {
  if (!media) return {};
  const named = Object.entries(media.examples ?? {}).map(([name, it]) => {
    const found = resolve(it, whole);
    return [found.summary ?? name, found.value];
  });
  if (named.length) return Object.fromEntries(named);
  if ("example" in media) return { example: media.example };
  const own = resolve(media.schema, whole).examples;
  if (own?.length) return Object.fromEntries(own.map((/** @type {unknown} */ it, /** @type {number} */ i) => [`example ${i + 1}`, it]));
  return { example: example(media.schema, whole) };
}
