"""The database: one SQLite file in WAL mode, one writing connection a process. All SQL of the project lives in here.

`Store` opens, migrates and locks; the queries stand in one module a subject and take the connection that
`Store.write()` or `Store.read()` hands out. Every sqlite3 error leaves here as a `StoreError` in plain words.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from monitor.errors import StoreError
from monitor.store import schema
from monitor.store.lock import held

BUSY_MS = 10_000
MEMORY = Path(":memory:")
#: What is over some time, without the same data being at fault.
PASSING = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
)


class _Reader:
    """A thread's connection, closed when the thread ends: many threads of a daemon come and go. (sqlite3's own object
    waits for the garbage collector, since it refers to itself.)"""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Store:
    """One database file. Threads share it: writes are serialised here, each reading thread has its own connection."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._local = threading.local()
        self._readers = WeakSet[_Reader]()
        if path != MEMORY and not path.exists() and not create:
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

    @classmethod
    def in_memory(cls) -> Store:
        """A database for a simulation: as every other, but nothing of it is left when it is closed. For one thread."""
        return cls(MEMORY)

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

    def prove_writable(self) -> None:
        """Raise `StoreError` where a write would; nothing is changed."""
        with self._lock, _plain_errors(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                self._writer.execute(f"PRAGMA user_version = {schema.version(self._writer)}")
            finally:
                self._writer.execute("ROLLBACK")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the database, for as long as the block lasts."""
        with _plain_errors(self.path):
            # Of one in memory a second connection would be to a second database.
            connection = self._writer if self.path == MEMORY else self._reader()
            nested = connection.in_transaction
            if not nested:
                connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if not nested:
                    connection.execute("ROLLBACK")

    def _reader(self) -> sqlite3.Connection:
        """This thread's own."""
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = _Reader(self._connect())
            reader.connection.execute("PRAGMA query_only = ON")
            with self._lock:
                self._readers.add(reader)
        return reader.connection

    def backup(self, target: Path) -> int:
        """Copy the database, as of now and while others go on writing, to `target`; return its bytes.

        The copy is checked and only then takes its name: a backup that exists is whole. Raises `StoreError`.
        """
        ours = [self.path.name + suffix for suffix in ("", "-wal", "-shm", ".lock")]
        if target.resolve().parent == self.path.resolve().parent and target.name in ours:
            raise StoreError(f"{target} belongs to the database itself; name another file for the backup.")
        if target.exists() and not _is_ours(target):
            raise StoreError(f"{target} exists and is no backup of brand-monitor; name another file.")
        if not target.parent.is_dir():
            raise StoreError(f"There is no folder {target.parent} for the backup; make it, or name another.")
        partial = target.with_name(target.name + ".partial")
        try:
            partial.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"The backup cannot be written to {target}: {error.strerror}.") from error
        with _plain_errors(target):
            source, copy = self._connect(), sqlite3.connect(partial)
            try:
                source.backup(copy)
                # Whoever starts from this copy must ask Slack what has been sent since.
                with copy:
                    copy.execute("INSERT OR REPLACE INTO facts (name, value, at) VALUES ('restored', 'true', '')")
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
        try:
            partial.replace(target)
            return target.stat().st_size
        except OSError as error:
            raise StoreError(f"The backup cannot be written to {target}: {error.strerror}.") from error

    def close(self) -> None:
        with self._lock:
            for connection in (*(reader.connection for reader in self._readers), self._writer):
                connection.close()
            self._readers.clear()
            self._local = threading.local()


def _is_ours(path: Path) -> bool:
    """Whether the file is empty or one of our databases (SQLite keeps the application's id in bytes 68 to 71)."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(72)
    return not head or head[68:] == schema.APPLICATION_ID.to_bytes(4, "big")


@contextmanager
def attempt(connection: sqlite3.Connection) -> Iterator[None]:
    """A part of a transaction that is undone by itself where it fails; the rest goes on."""
    connection.execute("SAVEPOINT attempt")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO attempt")
        raise
    finally:
        connection.execute("RELEASE attempt")


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise StoreError(_in_words(path, code, error), passing=code in PASSING) from error


def _in_words(path: Path, code: int, error: sqlite3.Error) -> str:
    match code:
        case sqlite3.SQLITE_NOTADB:
            return f"{path} is not a database; nothing was changed. Change `store:`, or restore a backup."
        case sqlite3.SQLITE_CORRUPT:
            what = f"{path} is damaged ({error}). Stop the daemon, move it and its -wal and -shm files away, and copy"
            return f"{what} the last backup to its place."
        case sqlite3.SQLITE_FULL:
            what = f"The disk that holds {path} is full; nothing was lost or changed. Make room: the daemon goes on by"
            return f"{what} itself, anything else is simply started again."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return f"{path} cannot be written: give the user of brand-monitor write access to it and its folder."
        case sqlite3.SQLITE_CANTOPEN:
            return f"{path} cannot be opened: its folder must exist and be writable for the user of brand-monitor."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"{path} has been locked by another program for {BUSY_MS // 1000} seconds; end that program or wait."
        case sqlite3.SQLITE_IOERR:
            return f"The disk that holds {path} failed to read or write ({error}). Check the disk; nothing was changed."
    return f"The database {path} failed: {error}"
