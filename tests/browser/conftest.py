"""A real browser: Debian's Chromium, driven by Playwright. Each page is watched: a console error, a
breach of the content policy or a request to another host fails the test that caused it."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.browser.walking import Truth, Walk
from tests.conftest import need
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BREACH = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
  console.error(`policy breach: ${violatedDirective} ${blockedURI} ${sample}`));
"""
SERIOUS = ("serious", "critical")
LESSON = "weight-sigmoid-loss"  # that of the fixtures `walk` and `truth`


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    need(importlib.util.find_spec("playwright"), 'Playwright: pip install -e ".[browser]"')
    path = next(filter(None, map(shutil.which, NAMES)), None)
    need(path, "Chromium is not installed (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Watch:
    """What a page did that it should not have done."""

    def __init__(self, host: str) -> None:
        self.hosts = {host}
        self.faults: list[str] = []
        self.expected: list[str] = []

    def over(self, context: BrowserContext) -> None:
        context.add_init_script(BREACH)
        context.on("request", lambda request: self.request(request.url))
        context.on("console", lambda message: self.console(message.type, message.text))
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))

    def request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc not in self.hosts:
            self.faults.append(f"request to another host: {url}")

    def console(self, kind: str, text: str) -> None:
        if kind == "error":
            self.faults.append(f"console: {text}")

    def allow(self, url: str) -> None:
        """A second server of ours."""
        self.hosts.add(urlsplit(url).netloc)

    def expect(self, words: str) -> None:
        """A fault that the test brings about on purpose, such as a refused request."""
        self.expected.append(words)

    def unexpected(self) -> list[str]:
        return [fault for fault in self.faults if not any(it in fault for it in self.expected)]


@pytest.fixture
def watch(server: Server) -> Watch:
    return Watch(urlsplit(server.url).netloc)


NewPage = Callable[..., "Page"]


@pytest.fixture
def new_page(browser: Browser, server: Server, watch: Watch) -> Iterator[NewPage]:
    """Pages of one's own making: new_page(viewport=…, color_scheme="dark", reduced_motion=…)."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> Page:
        options.setdefault("viewport", {"width": 1280, "height": 720})
        options.setdefault("base_url", server.url)
        context = browser.new_context(**options)
        context.set_default_timeout(10_000)
        watch.over(context)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    assert not watch.unexpected(), "\n".join(watch.unexpected())


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page()


@pytest.fixture
def walk(new_page: NewPage) -> Walk:
    """A small lesson, opened; `truth` is a session of the same one."""
    return Walk(new_page(reduced_motion="reduce")).open(LESSON)


@pytest.fixture
def truth(server: Server) -> Iterator[Truth]:
    with Truth(server, lesson=LESSON) as truth:
        yield truth


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """axe(page): one line for each serious accessibility fault on the page as it stands."""
    package = "axe_playwright_python"
    need(importlib.util.find_spec(package), 'axe-playwright-python: pip install -e ".[browser]"')
    from axe_playwright_python.sync_playwright import Axe

    def faults(page: Page) -> list[str]:
        found = Axe().run(page).response["violations"]
        return [
            f"{fault['id']} ({fault['impact']}): {fault['help']}: {node['html'][:200]}"
            for fault in found
            if fault["impact"] in SERIOUS
            for node in fault["nodes"]
        ]

    return faults
