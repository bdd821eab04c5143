"""What all tests share: an application in this process, a real server in another, and the order."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.serving import Server

# No time limit for one example, since machines differ; where all is required, the same examples
# each time, so that a run that fails can be repeated.
hypothesis.settings.register_profile(
    "backstep", deadline=None, derandomize=os.environ.get("BACKSTEP_REQUIRE_ALL") == "1"
)
hypothesis.settings.load_profile("backstep")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop running in the main thread."""
    items.sort(key=lambda item: "/browser/" in item.path.as_posix())


def need(thing: object, message: str) -> None:
    """Skip with one clear line what this machine lacks; where everything is required, fail."""
    if not thing:
        if os.environ.get("BACKSTEP_REQUIRE_ALL") == "1":
            pytest.fail(f"required here: {message}", pytrace=False)
        pytest.skip(message)


def need_command(name: str, message: str) -> str:
    path = shutil.which(name)
    need(path, message)
    assert path is not None
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=f"sqlite:///{tmp_path / 'backstep.db'}", browser=False)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that only talk to it. It must not once have crashed inside."""
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    server.kill()
    assert "Traceback" not in server.errors(), server.errors()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """A server of one's own, to be ended or killed, and started anew on the same store."""
    servers: list[Server] = []

    def start(*options: str, **more: object) -> Server:
        servers.append(Server(tmp_path, **more))  # type: ignore[arg-type]
        return servers[-1].start(*options)

    yield start
    for server in servers:
        server.kill()
