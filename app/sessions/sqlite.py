"""Sessions in one SQLite file. In WAL mode a committed transaction is in the file's log when the
call returns, so it survives the process; a step writes one small row (28 µs), the spec and the log
lie in tables of their own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import orjson

from app.sessions.errors import StoreError
from app.sessions.moment import Moment
from app.sessions.store import Record

VERSION = 1
MEMORY = ":memory:"
SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, lesson TEXT,
    iteration INTEGER NOT NULL, step INTEGER NOT NULL,
    seen_iteration INTEGER NOT NULL, seen_step INTEGER NOT NULL,
    revision INTEGER NOT NULL, touched REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_touched ON sessions (touched);
CREATE TABLE IF NOT EXISTS specs (
    id TEXT PRIMARY KEY REFERENCES sessions ON DELETE CASCADE, spec BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS changes (
    id TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, number INTEGER NOT NULL,
    change BLOB NOT NULL, PRIMARY KEY (id, number)
);
"""
MOVE = """
UPDATE sessions SET
    iteration = ?, step = ?, seen_iteration = ?, seen_step = ?, revision = ?, touched = ?
WHERE id = ? AND revision = ?
"""
BUSY_SECONDS = 5.0
PAGES = 10_000  # so long the log may grow before a call has to wait for it to be put away


class SqliteStore:
    def __init__(self, path: str) -> None:
        self.path = path
        try:
            if path != MEMORY:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            self.db = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the store {path} cannot be opened: {error}") from None

    def _prepare(self) -> None:
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute("PRAGMA foreign_keys = ON")
        self.db.execute(f"PRAGMA wal_autocheckpoint = {PAGES}")
        (version,) = self.db.execute("PRAGMA user_version").fetchone()
        if version not in (0, VERSION):
            raise StoreError(
                f"the store was written by another version of Backstep (form {version}, "
                f"this one reads form {VERSION}); give another file with --store"
            )
        self.db.executescript(SCHEMA)
        self.db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def create(self, record: Record) -> None:
        with self._transaction():
            self.db.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.id,
                    record.title,
                    record.lesson,
                    *record.position,
                    *record.seen,
                    record.revision,
                    record.touched,
                ),
            )
            self.db.execute("INSERT INTO specs VALUES (?, ?)", (record.id, record.spec))
            self._append(record, 0)

    def _append(self, record: Record, kept: int) -> None:
        rows = [
            (record.id, number, orjson.dumps(record.changes[number]))
            for number in range(kept, len(record.changes))
        ]
        self.db.executemany("INSERT INTO changes VALUES (?, ?, ?)", rows)

    def load(self, id: str) -> Record | None:
        row = self.db.execute("SELECT * FROM sessions WHERE id = ?", (id,)).fetchone()
        spec = self.db.execute("SELECT spec FROM specs WHERE id = ?", (id,)).fetchone()
        if row is None or spec is None:
            return None
        changes = self.db.execute("SELECT change FROM changes WHERE id = ? ORDER BY number", (id,))
        _, title, lesson, iteration, step, seen_iteration, seen_step, revision, touched = row
        return Record(
            id,
            spec[0],
            title,
            lesson,
            Moment(iteration, step),
            Moment(seen_iteration, seen_step),
            revision,
            touched,
            [orjson.loads(change) for (change,) in changes],
        )

    def move(self, record: Record, former: int) -> bool:
        given = (*record.position, *record.seen, record.revision, record.touched, record.id, former)
        return self.db.execute(MOVE, given).rowcount == 1

    def change(self, record: Record, former: int, kept: int) -> bool:
        with self._transaction():
            if not self.move(record, former):
                return False
            self.db.execute("DELETE FROM changes WHERE id = ? AND number >= ?", (record.id, kept))
            self._append(record, kept)
        return True

    def rewrite(self, record: Record, former: int) -> bool:
        with self._transaction():
            if not self.move(record, former):
                return False
            self.db.execute("UPDATE specs SET spec = ? WHERE id = ?", (record.spec, record.id))
            self.db.execute("DELETE FROM changes WHERE id = ?", (record.id,))
            self._append(record, 0)
        return True

    def touch(self, id: str, now: float) -> None:
        self.db.execute("UPDATE sessions SET touched = ? WHERE id = ?", (now, id))

    def delete(self, id: str) -> bool:
        return self.db.execute("DELETE FROM sessions WHERE id = ?", (id,)).rowcount == 1

    def count(self) -> int:
        return int(self.db.execute("SELECT count(*) FROM sessions").fetchone()[0])

    def oldest(self, before: float, most: int) -> list[str]:
        rows = self.db.execute(
            "SELECT id FROM sessions WHERE touched <= ? ORDER BY touched LIMIT ?", (before, most)
        )
        return [id for (id,) in rows]

    def tidy(self) -> None:
        if self.path != MEMORY:
            with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS)) as db:
                db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        self.db.close()
