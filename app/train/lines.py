"""How an update is told: lines of LaTeX whose words are looked up, so that a line serves twice.

A line is its right-hand side and the word that this gives a value to. `latex` is the assignment
`@new \\leftarrow @old - …` for the symbols; `numbers` is the same the other way round,
`@old - … = @new`. Each `@word` stands in `letters`:

- `Letter(r"v", "velocity", "old")`: the parameter's slot `velocity` before the step ("new": after);
- `Letter(r"\\eta", "lr", "scalar")`: a number of this iteration, found in the record's `scalars`;
- `Letter(r"\\beta_1", "betas", "constant", worth=0.9)`: a constant of the recipe, and its worth.

In a symbol, `{p}` stands for the parameter's own LaTeX: `letter.symbol.replace("{p}", node.latex)`.
`node` is None for the step's own parameter; the pseudo-node "" holds what concerns all parameters,
such as the gradient's norm. For arrays a line holds element by element. Lines stand in the order in
which they are computed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_WORD = re.compile(r"@([A-Za-z]+)")


@dataclass(frozen=True)
class Letter:
    symbol: str
    source: str
    when: str
    worth: float | None = None
    node: str | None = None


@dataclass(frozen=True)
class Line:
    """`kind` is "state", "update" or "norm"; the result stands in `slot`, the target's."""

    kind: str
    target: str
    right: str
    known: Mapping[str, Letter]

    @property
    def latex(self) -> str:
        return rf"@{self.target} \leftarrow {self.right}"

    @property
    def numbers(self) -> str:
        return f"{self.right} = @{self.target}"

    @property
    def slot(self) -> str:
        return self.known[self.target].source

    @property
    def letters(self) -> dict[str, Letter]:
        """The letters of this line's words, in order of appearance."""
        return {word: self.known[word] for word in _WORD.findall(self.latex)}
