"""What the playground's form makes of every choice is a spec that the server takes: the page's own
module makes them, in Node.
"""

from __future__ import annotations

import json
import subprocess

from app.train.spec import parse_spec
from app.web.first import playground_page
from tests.conftest import need_command
from tests.test_tooling import ROOT

EVERY = """
import { DEFAULT, LISTS, choicesOf, specOf } from "./static/js/playground/choices.js";
const sets = Object.fromEntries(JSON.parse(process.argv[1]).sets.map((set) => [set.name, set]));
const chosen = [];
for (const { name, options, picture, tokens } of Object.values(sets)) {
  const usual = Object.fromEntries(Object.entries(options).map(([key, one]) => [key, one.default]));
  const data = { dataset: name, ...usual, samples: 40, ...(picture ? { flat: true } : {}) };
  const base = { ...DEFAULT, data };
  chosen.push(base, { ...base, jitter: 0.1, shift: 1, dataSeed: 5 }, { ...base, one: true });
  if (tokens) for (const [cell] of LISTS.cell) chosen.push({ ...base, cell, embedding: 2 });
}
for (const list of ["activation", "init", "norm", "optimizer", "schedule"]) {
  for (const [value] of LISTS[list]) chosen.push({ ...DEFAULT, [list]: value });
}
for (const [loss] of LISTS.classification) chosen.push({ ...DEFAULT, loss });
for (const [loss] of LISTS.regression) {
  chosen.push({ ...DEFAULT, loss, data: { dataset: "plane", samples: 40, noise: 0 } });
}
chosen.push({ ...DEFAULT, dropout: 0.2, l1: 0.01, l2: 0.1, batch: 0, standardise: true });
const specs = chosen.map((choices) => specOf(choices, sets));
console.log(JSON.stringify({ specs, again: specs.map((spec) => specOf(choicesOf(spec), sets)) }));
"""


def test_every_choice_makes_a_spec_that_is_taken() -> None:
    node = need_command("node", "Node is not installed")
    given = playground_page().replace("<\\/", "</")
    command = [node, "--input-type=module", "--eval", EVERY, given]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = json.loads(ended.stdout)
    assert len(told["specs"]) > 60
    for spec, again in zip(told["specs"], told["again"], strict=True):
        parse_spec(spec)
        assert again == spec  # the address brings the same choices back
