"""The API page: every route is there, can be tried offline, and hides nothing from anyone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewPage, Watch
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page


def open_route(page: Page, method: str, path: str) -> str:
    """Open one route, and return the selector of its element."""
    found = page.locator("details.route").filter(
        has=page.locator(f'summary:has(.route-method:text-is("{method}"))')
    )
    route = found.filter(has=page.locator(f'.route-path:text-is("{path}")'))
    route.locator("summary").first.click()
    return f"#{route.get_attribute('id')}"


def test_every_route_of_the_description_is_on_the_page(page: Page, server: Server) -> None:
    with server.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    documented = sum(len(item) for item in paths.values())
    page.goto("/docs")
    page.wait_for_selector("details.route")
    assert page.locator("details.route").count() == documented


def test_a_route_is_tried_and_its_answer_shown(page: Page) -> None:
    page.goto("/docs")
    route = open_route(page, "GET", "/api/health")
    page.click(f"{route} button[type=submit]")
    page.wait_for_selector(f"{route} .route-status")
    assert page.inner_text(f"{route} .route-status").startswith("200 OK")
    assert '"status": "ok"' in page.inner_text(f"{route} .route-body")
    assert page.inner_text(f"{route} .route-curl").startswith("curl http://127.0.0.1:")


def test_a_session_made_here_fills_in_its_id_everywhere(page: Page, server: Server) -> None:
    page.goto("/docs")
    reading = open_route(page, "GET", "/api/sessions/{id}")
    making = open_route(page, "POST", "/api/sessions")
    page.click(f"{making} button[type=submit]")
    page.wait_for_selector(f"{making} .route-body")
    assert page.inner_text(f"{making} .route-status").startswith("201")
    made = page.input_value(f"{reading} input[data-place$='{{id}}']")
    assert made and f"/api/sessions/{made}" in page.inner_text(f"{reading} .route-curl")
    page.click(f"{reading} button[type=submit]")
    page.wait_for_selector(f"{reading} .route-body")
    assert page.inner_text(f"{reading} .route-status").startswith("200 OK")


def test_a_missing_id_is_said_before_anything_is_sent(page: Page) -> None:
    page.goto("/docs")
    route = open_route(page, "GET", "/api/sessions/{id}")
    page.click(f"{route} button[type=submit]")
    assert "Fill in id first" in page.inner_text(f"{route} .route-answer")


def test_a_stream_is_shown_as_it_comes_and_stopped(page: Page) -> None:
    page.goto("/docs")
    making = open_route(page, "POST", "/api/sessions")
    page.click(f"{making} button[type=submit]")
    page.wait_for_selector(f"{making} .route-body")
    stream = open_route(page, "GET", "/api/sessions/{id}/events")
    page.click(f"{stream} button[type=submit]")
    page.wait_for_selector(f"{stream} .route-body")
    assert "still open" in page.inner_text(f"{stream} .route-status")
    page.click(f"{stream} button[type=submit]")
    page.wait_for_selector(f"{stream} p:text-is('Stopped.')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_bars_anyone(
    new_page: NewPage, axe: Callable[[Page], list[str]], scheme: str, watch: Watch
) -> None:
    page = new_page(color_scheme=scheme)
    page.goto("/docs")
    route = open_route(page, "GET", "/api/health")
    page.click(f"{route} button[type=submit]")
    page.wait_for_selector(f"{route} .route-body")
    assert axe(page) == []


def test_a_phone_shows_it_without_scrolling_sideways(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 360, "height": 720})
    page.goto("/docs")
    page.wait_for_selector("details.route")
    for summary in page.locator("details.route > summary").all():
        summary.click()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
