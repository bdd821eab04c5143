"""The watch over the pages is itself watched: what it should catch is planted here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.conftest import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_planted_faults_are_caught(page: Page, watch: Watch) -> None:
    page.goto("/docs")
    assert watch.faults == []
    page.evaluate("console.error('planted error')")
    page.evaluate("void fetch('http://elsewhere.invalid/').catch(() => 0)")
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'), {textContent: 'a{}'}))"
    )
    page.evaluate("document.body.setAttribute('onclick', 'planted()')")
    page.evaluate("void setTimeout(() => { throw new Error('planted throw') })")
    page.wait_for_timeout(300)
    told = "\n".join(watch.faults)
    for words in ("planted error", "connect-src", "style-src-elem", "script-src", "planted throw"):
        assert words in told
        watch.expect(words)
    watch.expect("Content Security Policy")
    assert watch.unexpected() == []


def test_a_planted_barrier_is_found(page: Page, axe: Callable[[Page], list[str]]) -> None:
    page.goto("/docs")
    page.evaluate("document.querySelector('main, body').append(document.createElement('button'))")
    assert any(fault.startswith("button-name") for fault in axe(page))
