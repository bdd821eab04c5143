"""The headers are on every kind of answer; files are served whole, small and from one folder."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import paths
from app.web import slim, static, vendor
from app.web.security import APART, OTHER, PAGE, POLICY
from tests.serving import Server

KINDS = {
    "json": ("GET", "/api/health", 200),
    "page": ("GET", "/docs", 200),
    "schema": ("GET", "/openapi.json", 200),
    "script": ("GET", "/static/js/store.js", 200),
    "font": ("GET", "/vendor/math.ttf", 200),
    "no such page": ("GET", "/nowhere", 404),
    "no such file": ("GET", "/static/nothing.js", 404),
    "no such session": ("GET", "/api/sessions/nobody", 404),
    "wrong method": ("PUT", "/api/health", 405),
    "wrong body": ("POST", "/api/sessions", 422),
    "body too large": ("POST", "/api/sessions", 413),
    "crash": ("GET", "/crash", 500),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_headers_are_on_every_kind_of_answer(app: FastAPI, kind: str) -> None:
    method, path, status = KINDS[kind]
    body = b"0" * 3_000_000 if status == 413 else b'{"lesson": 7}' if status == 422 else None

    @app.get("/crash")
    def crash() -> None:
        raise RuntimeError("planted")

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.request(
            method, path, content=body, headers={"content-type": "application/json"}
        )
    assert answer.status_code == status
    is_page = answer.headers["content-type"].startswith("text/html")
    for name, value in (PAGE if is_page else OTHER).items():
        assert answer.headers[name] == value
    assert "planted" not in answer.text


@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
def test_a_window_that_somebody_else_may_have_opened_is_cut_off(
    client: TestClient, site: str | None
) -> None:
    said = {"sec-fetch-site": site} if site else {}
    for name, value in APART.items():
        assert client.get("/docs", headers=said).headers[name] == value
    for own in ("none", "same-origin"):
        answer = client.get("/docs", headers={"sec-fetch-site": own})
        assert not APART.keys() & answer.headers.keys()


def test_no_inline_script_and_no_other_host_is_allowed() -> None:
    assert POLICY["default-src"] == "'none'"
    assert POLICY["script-src"] == POLICY["connect-src"] == "'self'"
    for name, value in POLICY.items():
        assert "http" not in value and "*" not in value and "unsafe-eval" not in value
        assert name == "style-src-attr" or "unsafe-inline" not in value


def test_a_file_is_sent_once_and_small(client: TestClient) -> None:
    whole = slim.script((paths.static() / "js" / "store.js").read_text("utf-8")).encode()
    first = client.get("/static/js/store.js", headers={"accept-encoding": "gzip"})
    assert first.content == whole
    assert first.headers["content-encoding"] == "gzip"
    assert int(first.headers["content-length"]) < len(whole)
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["vary"] == "accept-encoding"
    again = client.get("/static/js/store.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = client.get("/static/js/store.js", headers={"accept-encoding": "identity"})
    assert plain.content == whole
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != first.headers["etag"]


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    files = static.Files(tmp_path)
    (tmp_path / "a.js").write_text("one")
    first = files.asset("a.js")
    assert files.asset("a.js") is first
    (tmp_path / "a.js").write_text("another")
    second = files.asset("a.js")
    assert first and second and second.plain == b"another" and second.tag != first.tag


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static/..%2fpyproject.toml",
        "/static//etc/passwd",
        "/static/js",
        "/static/",
        "/static/%00",
        "/static/" + "a" * 5_000,
    ],
)
def test_nothing_outside_the_folder_is_served(server: Server, path: str) -> None:
    with server.client() as client:
        request = httpx.Request("GET", server.url + "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = client.send(request)
    assert answer.status_code == 404
    assert "hatchling" not in answer.text and "root:" not in answer.text


@pytest.mark.parametrize("name", ["plotly.min.js", "math.ttf"])
def test_vendored_files_come_from_installed_packages(client: TestClient, name: str) -> None:
    address = vendor.url(name)
    answer = client.get(address, headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert int(answer.headers["content-length"]) < 0.6 * len(answer.content)
    for unsure in (f"/vendor/{name}", f"/vendor/{name}?v=older"):
        assert "immutable" not in client.head(unsure).headers["cache-control"]


def test_no_other_file_is_vendored(client: TestClient) -> None:
    assert client.get("/vendor/passwd").status_code == 404
    assert client.get("/vendor/..%2f..%2fetc%2fpasswd").status_code == 404
