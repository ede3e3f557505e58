"""The database: one SQLite file in WAL mode, one writing connection a process. All SQL of the project lives in here.

`Store` opens, migrates and locks; the queries stand in one module a subject and take the connection that
`Store.write()` or `Store.read()` hands out. Every sqlite3 error leaves here as a `StoreError` in plain words.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import StoreError
from monitor.model import EscalationView, Mention
from monitor.store import escalations, mentions, schema
from monitor.store.lock import held

BUSY_MS = 10_000


class Store:
    """One database file. Threads share it: writes are serialised here, each reading thread has its own connection."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        if not path.exists() and not create:
            raise StoreError(
                f"There is no database at {path} yet: start `brand-monitor run` or `brand-monitor ingest` first."
            )
        with _plain_errors(path):
            self._writer = self._connect()
            try:
                self._prepare()
                if held(path):
                    # Two processes that move the write-ahead log into the database at once met a rare SQLite bug
                    # (fixed in 3.51.3): where a daemon runs, that is its business alone.
                    self._writer.execute("PRAGMA wal_autocheckpoint = 0")
            except BaseException:
                self._writer.close()
                raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _prepare(self) -> None:
        writer = self._writer
        identity = writer.execute("PRAGMA application_id").fetchone()[0]
        version = schema.version(writer)
        fresh = writer.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not fresh and identity != schema.APPLICATION_ID:
            raise StoreError(
                f"{self.path} is a database of another program; nothing was changed. "
                "Write another path at `store:` in the configuration."
            )
        if version > len(schema.MIGRATIONS):
            raise StoreError(
                f"{self.path} was written by a newer version of brand-monitor (format {version}, this version knows "
                f"{len(schema.MIGRATIONS)}); nothing was changed. Install that version again, or restore a backup."
            )
        writer.execute("PRAGMA synchronous = FULL")
        if version < len(schema.MIGRATIONS):
            writer.execute("PRAGMA journal_mode = WAL")
            schema.migrate(writer)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed as a whole, durably, when the block ends, or not at all."""
        with self._lock, _plain_errors(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the database, for as long as the block lasts."""
        with _plain_errors(self.path):
            connection: sqlite3.Connection | None = getattr(self._local, "reader", None)
            if connection is None:
                connection = self._connect()
                connection.execute("PRAGMA query_only = ON")
                self._local.reader = connection
                with self._lock:
                    self._readers.append(connection)
            nested = connection.in_transaction
            if not nested:
                connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if not nested:
                    connection.execute("ROLLBACK")

    def escalation_view(self, connection: sqlite3.Connection, escalation_id: int) -> EscalationView:
        return escalations.view(connection, escalation_id)

    def mentions(self, connection: sqlite3.Connection, ids: Iterable[int]) -> tuple[Mention, ...]:
        return mentions.by_ids(connection, ids)

    def backup(self, target: Path) -> int:
        """Copy the database, as of now and while others go on writing, to `target`; return its bytes.

        The copy is checked and only then takes its name: a backup that exists is whole. Raises `StoreError`.
        """
        if target.resolve() == self.path.resolve():
            raise StoreError(f"{target} is the database itself; name another file for the backup.")
        partial = target.with_name(target.name + ".partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"The backup cannot be written to {target}: {error.strerror}.") from error
        with _plain_errors(target):
            source, copy = self._connect(), sqlite3.connect(partial)
            try:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
                verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            finally:
                source.close()
                copy.close()
        if verdict != "ok":
            raise StoreError(f"The copy at {partial} is damaged ({verdict}); the database itself may be, too.")
        partial.replace(target)
        return target.stat().st_size

    def close(self) -> None:
        with self._lock:
            for connection in (*self._readers, self._writer):
                connection.close()
            self._readers.clear()
            self._local = threading.local()


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_in_words(path, error)) from error


def _in_words(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_NOTADB:
            return f"{path} is not a database; nothing was changed. Change `store:`, or restore a backup."
        case sqlite3.SQLITE_CORRUPT:
            return f"{path} is damaged ({error}). Stop the daemon, keep the file, and restore the last backup."
        case sqlite3.SQLITE_FULL:
            return f"The disk that holds {path} is full; nothing was lost or changed. Make room; it goes on by itself."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return f"{path} cannot be written: give the user of brand-monitor write access to it and its folder."
        case sqlite3.SQLITE_CANTOPEN:
            return f"{path} cannot be opened: its folder must exist and be writable for the user of brand-monitor."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"{path} has been locked by another program for {BUSY_MS // 1000} seconds; end that program or wait."
        case sqlite3.SQLITE_IOERR:
            return f"The disk that holds {path} failed to read or write ({error}). Check the disk; nothing was changed."
    return f"The database {path} failed: {error}"
