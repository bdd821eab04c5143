// The API page's own logic: types and examples out of a schema, requests and curl lines out of a form.

import assert from "node:assert/strict";
import test from "node:test";

import { curl, missing, pretty, trial } from "../../static/js/docs/request.js";
import { bodies, example, outline, typeName } from "../../static/js/docs/schema.js";

const whole = {
  components: {
    schemas: {
      Position: {
        type: "object",
        required: ["iteration"],
        properties: { iteration: { type: "integer" }, step: { type: "integer", description: "how many\nare done" } },
      },
      Tree: {
        type: "object",
        properties: { inside: { type: "array", items: { $ref: "#/components/schemas/Tree" } } },
        required: ["inside"],
      },
      Step: {
        type: "object",
        properties: {
          unit: { enum: ["node", "phase"], default: "node" },
          at: { anyOf: [{ $ref: "#/components/schemas/Position" }, { type: "null" }] },
        },
        examples: [{ count: 1 }, { count: -1 }],
      },
    },
  },
};
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

test("a type is named on one line", () => {
  assert.equal(typeName(ref("Step")), "Step");
  assert.equal(typeName({ type: "array", items: { type: "number" } }), "number[]");
  assert.equal(typeName({ type: "array", items: { anyOf: [{ type: "number" }, { type: "null" }] } }), "(number | null)[]");
  assert.equal(typeName({ enum: ["node", "phase"] }), '"node" | "phase"');
  assert.equal(typeName({ type: "object", additionalProperties: { type: "number" } }), "{name: number}");
  assert.equal(typeName(undefined), "any");
});

test("a type is written out with the named types that it uses, each once", () => {
  assert.equal(
    outline(ref("Step"), whole),
    'Step {\n  unit?: "node" | "phase"\n  at?: Position | null\n}\n\n' +
      "Position {\n  iteration: integer\n  step?: integer   how many are done\n}",
  );
  assert.equal(outline(ref("Tree"), whole), "Tree {\n  inside: Tree[]\n}");
});

test("an example is the author's own, else the smallest thing of the right form", () => {
  assert.deepEqual(example(ref("Step"), whole), { count: 1 });
  assert.deepEqual(example(ref("Position"), whole), { iteration: 0 });
  assert.doesNotThrow(() => JSON.stringify(example(ref("Tree"), whole)));
  assert.deepEqual(bodies({ schema: ref("Step") }, whole), { "example 1": { count: 1 }, "example 2": { count: -1 } });
  assert.deepEqual(bodies({ examples: { on: { summary: "one on", value: { count: 1 } } } }, whole), { "one on": { count: 1 } });
});

test("a form becomes a request", () => {
  const entries = [
    { name: "id", where: "path", value: "a/b" },
    { name: "start", where: "query", value: "0" },
    { name: "stop", where: "query", value: "" },
    { name: "If-Match", where: "header", value: '"3"' },
  ];
  const made = trial("GET", "/api/sessions/{id}/frames", entries, null, null);
  assert.equal(made.url, "/api/sessions/a%2Fb/frames?start=0");
  assert.deepEqual(made.headers, { "If-Match": '"3"' });
  assert.deepEqual(missing(made), []);
  assert.deepEqual(missing(trial("GET", "/api/sessions/{id}", [], null, null)), ["id"]);
});

test("a request becomes a line that a shell takes", () => {
  assert.equal(curl(trial("GET", "/api/health", [], null, null), "http://h:1"), "curl http://h:1/api/health");
  const body = '{"lesson": "it\'s"}';
  assert.equal(
    curl(trial("POST", "/api/sessions", [], body, null), "http://h:1"),
    `curl http://h:1/api/sessions -H 'Content-Type: application/json' -d '{"lesson": "it'\\''s"}'`,
  );
  assert.match(curl(trial("DELETE", "/x", [{ name: "a", where: "query", value: "1" }], null, null), ""), /^curl -X DELETE '\/x\?a=1'$/);
  assert.match(curl(trial("GET", "/e", [], null, "text/event-stream"), ""), /^curl -N /);
});

test("only JSON is laid out", () => {
  assert.equal(pretty('{"a":1}', "application/json"), '{\n  "a": 1\n}');
  assert.equal(pretty("{broken", "application/json"), "{broken");
  assert.equal(pretty('{"a":1}', "text/plain"), '{"a":1}');
});
