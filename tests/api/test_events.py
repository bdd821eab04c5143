"""Who follows a session hears of everything, and nobody waits for who reads slowly."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.web.events import QUEUE, Hub, StreamsError, message
from tests.serving import Server
from tests.sessions.specs import LINE, NETWORK


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def new(client: httpx.Client, spec: dict[str, Any]) -> str:
    made = client.post("/api/sessions", json={"spec": spec}).json()
    return f"/api/sessions/{made['id']}"


def test_a_listener_hears_of_every_change(server: Server) -> None:
    with server.client() as client, server.client() as other:
        path = new(client, LINE)
        with client.stream("GET", f"{path}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert "content-encoding" not in stream.headers
            heard = events(stream.iter_lines())
            name, first = next(heard)
            assert name == "session" and first["revision"] == 1
            step = other.post(f"{path}/step", json={"count": 3}).json()
            edit = other.put(f"{path}/nodes/w", json={"value": 7}).json()
            for answer in (step, edit):
                name, told = next(heard)
                assert name == "session"
                assert told == {key: answer[key] for key in told}
            assert set(told) >= {"revision", "position", "counters", "loss", "settings", "seen"}
            other.delete(path)
            assert next(heard) == ("deleted", {})
            assert list(heard) == [], "the stream ends with the session"


def test_progress_is_told_while_training(server: Server) -> None:
    with server.client() as client, server.client() as other:
        path = new(client, NETWORK)
        with client.stream("GET", f"{path}/events") as stream:
            heard = events(stream.iter_lines())
            next(heard)
            call = threading.Thread(
                target=other.post, args=(f"{path}/train",), kwargs={"json": {"iterations": 20_000}}
            )
            call.start()
            seen = [next(heard)]
            while seen[-1][0] == "progress":
                seen.append(next(heard))
            call.join()
    *progress, (last, told) = seen
    assert len(progress) >= 2 and last == "session"
    done = [data["iteration"] for _, data in progress]
    assert done == sorted(done) and all(data["of"] == 20_000 for _, data in progress)
    assert told["position"]["iteration"] == 20_000


def test_training_ends_early_on_request(server: Server) -> None:
    with server.client() as client, server.client() as other:
        path = new(client, NETWORK)
        answers: list[httpx.Response] = []
        call = threading.Thread(
            target=lambda: answers.append(client.post(f"{path}/train", json={"iterations": 90_000}))
        )
        call.start()
        time.sleep(0.3)
        stopped = other.delete(f"{path}/train").json()
        call.join()
        told = answers[0].json()
        assert 0 < told["position"]["iteration"] < 90_000
        assert stopped["position"] == told["position"]
        assert len(told["history"]["iteration"]) == told["position"]["iteration"]


def test_what_nobody_waits_for_ends(server: Server) -> None:
    """Who hangs up does not keep the session from others."""
    wide: list[Any] = [{"type": "linear", "out_features": 250}, "relu"] * 2
    spec = {
        "model": {"layers": [*wide, {"type": "linear", "out_features": 1}]},
        "loss": "bce_with_logits",
        "data": {"dataset": "moons", "samples": 3_000},
    }
    with server.client() as client:
        path = new(client, spec)
        with pytest.raises(httpx.ReadTimeout):
            client.post(f"{path}/gradient-check", json={}, timeout=0.3)
        began = time.monotonic()
        assert client.get(f"{path}/state").status_code == 200
        assert time.monotonic() - began < 2


def test_streams_have_a_limit(start_server: Any) -> None:
    server = start_server()
    server.kill()
    server.environment["BACKSTEP_STREAMS_PER_SESSION"] = "2"
    server.start()
    with server.client() as client:
        path = new(client, LINE)
        with client.stream("GET", f"{path}/events"), client.stream("GET", f"{path}/events"):
            refused = client.get(f"{path}/events")
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "too_many_streams"
            assert "BACKSTEP_STREAMS_PER_SESSION" in refused.json()["error"]["message"]
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with client.stream("GET", f"{path}/events") as stream:
                if stream.status_code == 200:
                    break
            time.sleep(0.05)
        else:
            pytest.fail("a closed stream still counts")


def test_the_slow_lose_the_oldest() -> None:
    async def work() -> None:
        hub = Hub()
        stream = hub.listen("a", 5, message("session", {"revision": 0}))
        for revision in range(1, 3 * QUEUE):
            hub.publish("a", "session", {"revision": revision})
        hub.publish("b", "session", {"revision": 99})
        hub.publish("a", "deleted", {})
        got = [text async for text in stream]
        assert len(got) <= QUEUE
        assert got[-1] == b"event: deleted\ndata: {}\n\n"
        assert f"id: {3 * QUEUE - 1}\n".encode() in got[-2]
        assert hub.listeners == {}

    asyncio.run(work())


def test_streams_live_and_end_with_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.events.ALIVE_SECONDS", 0.01)

    async def work() -> None:
        hub, stopping = Hub(), asyncio.Event()
        streams = [hub.listen(name, 1, b"first") for name in ("a", "b")]
        with pytest.raises(StreamsError):
            hub.listen("a", 1, b"first")
        tending = asyncio.create_task(hub.tend(stopping))
        await asyncio.sleep(0.05)
        stopping.set()
        await tending
        for stream in streams:
            got = [text async for text in stream]
            assert got[0].endswith(b"first") and b": still here\n\n" in got[1:]

    asyncio.run(work())
