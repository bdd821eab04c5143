"""What stands in a page is what the API would have answered, and cannot end its element."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from app.lessons import lessons
from app.web import first, pages
from app.web.security import PAGE

HELD = re.compile(r'<script type="application/json" id="given">(.*?)</script>', re.DOTALL)


def given(client: TestClient, page: str) -> dict[str, Any]:
    found = HELD.findall(client.get(page).text)
    assert len(found) == 1
    told: dict[str, Any] = orjson.loads(found[0])
    return told


@pytest.mark.parametrize("lesson", lessons())
def test_a_walk_begins_as_its_session_will(client: TestClient, lesson: str) -> None:
    told = given(client, f"/walk/{lesson}")
    made = client.post("/api/sessions", json={"lesson": lesson}).json()
    at = f"/api/sessions/{made['id']}"
    assert told["walk"]["session"] == made | {"id": ""}
    assert told["walk"]["nodes"] == client.get(f"{at}/state?iteration=0&step=0").json()["nodes"]
    frames = f"{at}/frames?iteration=0&stop={first.FRAMES}"
    assert told["walk"]["frames"] == client.get(frames).json()["frames"]
    address = f"/api/lessons/{lesson}"
    assert told["answers"] == {address: client.get(address).json()}


def test_home_and_lab_bring_the_shelf(client: TestClient) -> None:
    shelf = client.get("/api/lessons").json()
    home, lab = given(client, "/"), given(client, "/lab/learning-rate")
    assert home["answers"] == lab["answers"] == {"/api/lessons": shelf}
    assert home["walk"]["session"]["lesson"] == pages.HERO
    assert lab["walk"] is None


def test_what_no_lesson_tells_is_asked_for(client: TestClient) -> None:
    for page in ("/walk", "/walk/session/somebody"):
        assert "application/json" not in client.get(page).text


def test_a_look_at_a_page_makes_no_session(client: TestClient) -> None:
    for page in ("/", "/walk/neuron", "/lab/learning-rate"):
        client.get(page)
    assert client.app.state.desk.cabinet.store.count() == 0  # type: ignore[attr-defined]


def test_nothing_in_it_ends_the_element() -> None:
    hostile = orjson.dumps({"a": "</script><!--<script>", "b": "\u2028"})
    text = first._given(b"null", "/api/x", hostile)
    assert "</" not in text and "<!--" not in text
    assert orjson.loads(text)["answers"] == {"/api/x": orjson.loads(hostile)}


def test_a_page_that_is_known_is_not_sent_again(client: TestClient) -> None:
    page = client.get("/walk/neuron", headers={"accept-encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip"
    assert page.headers["cache-control"] == "no-cache"
    again = client.get("/walk/neuron", headers={"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name, value in PAGE.items():
        assert again.headers[name] == value  # a browser renews what it has kept by these


@pytest.mark.parametrize("page", ["/", "/walk/neuron", "/walk", "/docs", "/nowhere"])
def test_a_page_comes_in_the_theme_that_was_chosen(client: TestClient, page: str) -> None:
    ask = {"accept": "text/html"}
    for cookie, theme in (
        ("a=b; backstep-theme=dark", "dark"),
        ("backstep-theme=light;c=d", "light"),
    ):
        html = client.get(page, headers=ask | {"cookie": cookie}).text
        assert f'<html lang="en" data-theme="{theme}">' in html
    for cookie in (
        "",
        'backstep-theme="><script>',
        "xbackstep-theme=dark",
        "backstep-theme=darker",
    ):
        assert '<html lang="en">' in client.get(page, headers=ask | {"cookie": cookie}).text
