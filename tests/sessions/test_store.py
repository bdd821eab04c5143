"""One contract, held by every store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.sessions.errors import StoreError
from app.sessions.moment import Moment
from app.sessions.store import Record, Store, open_store

CHANGES = [{"type": "value", "iteration": i, "node": "w", "value": i / 3} for i in range(4)]
RECORD = Record(
    "abc", b'{"program": "L = w"}', "Title", "neuron", Moment(1, 2), Moment(3, 4), 5, 6.5, CHANGES
)
URLS = ["sqlite://", "sqlite:///FILE"]


@pytest.fixture(params=URLS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.param).replace("FILE", str(tmp_path / "new" / "folder" / "s.db"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url)
    yield store
    store.close()


def test_what_was_kept_comes_back(store: Store) -> None:
    assert store.load("abc") is None
    store.create(RECORD)
    assert store.load("abc") == RECORD
    assert store.count() == 1
    store.tidy()
    assert store.load("abc") == RECORD


def test_a_move_leaves_spec_and_log_alone(store: Store) -> None:
    store.create(RECORD)
    moved = replace(RECORD, position=Moment(7, 8), seen=Moment(9, 9), revision=6, touched=7.0)
    assert store.move(replace(moved, spec=b"", changes=[]), 5)
    assert store.load("abc") == moved


def test_a_change_keeps_the_beginning_of_the_log(store: Store) -> None:
    store.create(RECORD)
    new = {"type": "settings", "iteration": 2, "lr": 0.1}
    changed = replace(RECORD, revision=6, changes=[*CHANGES[:2], new])
    assert store.change(changed, 5, 2)
    assert store.load("abc") == changed


def test_another_spec_comes_with_a_log_of_its_own(store: Store) -> None:
    store.create(RECORD)
    other = replace(RECORD, spec=b'{"program": "L = v"}', revision=6, changes=CHANGES[:1])
    assert store.rewrite(other, 5)
    assert store.load("abc") == other


def test_nothing_is_kept_over_a_newer_revision(store: Store) -> None:
    store.create(RECORD)
    late = replace(RECORD, position=Moment(0, 0), revision=5, changes=[])
    assert not store.move(late, 4)
    assert not store.change(late, 4, 0)
    assert not store.rewrite(late, 4)
    assert store.load("abc") == RECORD


def test_a_change_is_whole_or_not_at_all(store: Store) -> None:
    store.create(RECORD)
    broken = replace(RECORD, revision=6, changes=[{"a": 1}, {"b": object()}])
    with pytest.raises(TypeError):
        store.change(broken, 5, 0)
    assert store.load("abc") == RECORD


def test_deleted_is_gone(store: Store) -> None:
    store.create(RECORD)
    assert store.delete("abc")
    assert not store.delete("abc")
    assert store.load("abc") is None
    store.create(replace(RECORD, changes=[]))
    assert store.load("abc") == replace(RECORD, changes=[])


def test_the_longest_untouched_come_first(store: Store) -> None:
    for name, touched in (("a", 30.0), ("b", 10.0), ("c", 20.0)):
        store.create(replace(RECORD, id=name, touched=touched))
    assert store.oldest(25.0, 10) == ["b", "c"]
    store.touch("b", 40.0)
    assert store.oldest(100.0, 2) == ["c", "a"]


def test_two_processes_may_use_one_file(tmp_path: Path) -> None:
    one, two = (open_store(f"sqlite:///{tmp_path / 's.db'}") for _ in range(2))
    one.create(RECORD)
    assert two.move(replace(RECORD, revision=6), 5)
    assert not one.move(replace(RECORD, revision=6), 5)
    one.close()
    two.close()


@pytest.mark.parametrize("url", ["", "file.db", "redis://host", "sqlite:/file", "sqlite://host/x"])
def test_other_urls_are_refused_in_words(url: str) -> None:
    with pytest.raises(StoreError, match="sqlite:///FILE"):
        open_store(url)


def test_files_that_cannot_be_a_store_are_refused_in_words(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("this is no database, and long enough to be seen as none" * 100)
    newer = tmp_path / "newer.db"
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    for path, words in ((text, "not a database"), (newer, "another version"), (tmp_path, "open")):
        with pytest.raises(StoreError, match=words):
            open_store(f"sqlite:///{path}")
