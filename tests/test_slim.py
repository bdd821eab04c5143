"""Comments go, and nothing else: the scripts' tokens stay, each on its line."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import paths
from app.web import slim
from tests.conftest import need, need_command
from tests.serving import ROOT

JS = ROOT / "tests" / "js"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a; // b\nc", "a; \nc"),
        ("/** b\n * c\n */\nd", "\n\n\nd"),
        ("a/* b */c", "a c"),
        ("f(/** @type {X} */ (a))", "f(  (a))"),
        ("\"// no\" + '/* no */'", "\"// no\" + '/* no */'"),
        (
            "`// ${a /* b */} /* no */ ${{c: `//`}} // no`",
            "`// ${a  } /* no */ ${{c: `//`}} // no`",
        ),
        ("x = a / b // c", "x = a / b "),
        (r"x = /[/*]\/\*/g // c", r"x = /[/*]\/\*/g "),
        ("return /'/.test(a) // '", "return /'/.test(a) "),
        ("(a) / 2 / b // '", "(a) / 2 / b "),
        (r"'\'// no'", r"'\'// no'"),
        ("`never closed // no", "`never closed // no"),
        ('import a from "./b.js"; // c', 'import a from "./b.js"; '),
        ("", ""),
    ],
)
def test_comments_of_a_script_go_and_nothing_else(before: str, after: str) -> None:
    assert slim.script(before) == after


@given(st.text(alphabet="/*`'\"\\${}()ab \n", max_size=60))
def test_any_text_comes_back_with_as_many_lines(text: str) -> None:
    assert slim.script(text).count("\n") == text.count("\n")
    assert slim.style(text).count("\n") == text.count("\n")


def test_tight_drops_indents_outside_templates() -> None:
    before = "if (a) {\n    b = `\n  c`;\n\n  d\n}"
    assert slim.script(before, tight=True) == "if (a) {\nb = `\n  c`;\n\nd\n}"
    assert slim.style("a {\n  b: c;\n}\n", tight=True) == "a {\nb: c;\n}\n"


def test_comments_of_a_style_go_and_nothing_else() -> None:
    before = 'a { content: "/* no */"; } /* b\n c */ d /* e */ { }'
    assert slim.style(before) == 'a { content: "/* no */"; } \n d   { }'


def test_our_scripts_keep_every_token_on_its_line() -> None:
    node = need_command("node", "Node is not installed")
    installed = (JS / "node_modules" / "espree").exists()
    need(installed, "espree is not installed: npm --prefix tests/js install")
    pairs = []
    for path in sorted(paths.static().rglob("*.js")):
        before = path.read_text("utf-8")
        for tight in (False, True):
            after = slim.script(before, tight=tight)
            pairs.append({"name": path.name, "before": before, "after": after})
    ended = subprocess.run(
        [node, "same_tokens.mjs"], cwd=JS, input=json.dumps(pairs), capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
