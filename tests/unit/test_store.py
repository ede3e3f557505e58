"""The database: opened or refused in one clear sentence, written as a whole or not at all, counted rightly."""

from __future__ import annotations

import os
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.errors import StoreError
from monitor.model import Author, Coverage, Finding, Post, Scope, Sentiment, Severity, State
from monitor.store import Store, escalations, mentions, schema, sources

NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)
BAD = Sentiment(0.9, 0.08, 0.02, "m")
GOOD = Sentiment(0.02, 0.08, 0.9, "m")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store(tmp_path / "b.db")
    yield opened  # type: ignore[misc]
    opened.close()


def post(number: int = 1, text: str = "Acme is down again", **values: object) -> Post:
    given = {"source": "forum", "native_id": str(number), "text": text, "published_at": NOW, "conversation_id": "t1"}
    return Post(**{**given, **values})  # type: ignore[arg-type]


def finding(sentiment: Sentiment | None = BAD, **values: object) -> Finding:
    return replace(Finding("Acme", ("acme",), "Acme is down again", sentiment=sentiment), **values)  # type: ignore[arg-type]


def save(store: Store, *posts: Post, findings: tuple[Finding, ...] = (finding(),), now: datetime = NOW) -> None:
    with store.write() as connection:
        for one in posts:
            mentions.save(connection, one, findings, now)


def row(store: Store, query: str) -> tuple[object, ...]:
    with store.read() as connection:
        return tuple(connection.execute(query).fetchone())


# -- opening -----------------------------------------------------------------------------------------------------


def damaged(path: Path, tmp: Path) -> None:
    path.write_bytes(b"this is a text file, quite a long one, and no database at all" * 40)


def foreign(path: Path, tmp: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()


def newer(path: Path, tmp: Path) -> None:
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    connection.close()


def folder(path: Path, tmp: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (damaged, "is not a database"),
        (foreign, "of another program"),
        (newer, "newer version"),
        (folder, "cannot be opened"),
    ],
)
def test_refuses_what_it_cannot_use_and_changes_nothing(spoil: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    spoil(path, tmp_path)  # type: ignore[operator]
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=says) as error:
        Store(path)
    assert "\n" not in str(error.value)
    assert before is None or path.read_bytes() == before


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="its folder must exist"):
        Store(tmp_path / "nowhere" / "b.db")


def test_a_full_disk_loses_nothing_and_says_so(store: Store) -> None:
    save(store, post(1))
    pages = row(store, "PRAGMA page_count")[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")  # a disk that is full, to SQLite
    with pytest.raises(StoreError, match=r"full; nothing was lost"):
        save(store, *(post(n, "x" * 5000) for n in range(2, 60)))
    assert row(store, "SELECT count(*) FROM posts") == (1,)
    store._writer.execute("PRAGMA max_page_count = 1000000")
    save(store, post(2))
    assert row(store, "SELECT count(*) FROM posts") == (2,)


def test_a_database_that_may_only_be_read_says_what_to_do(store: Store) -> None:
    store._writer.execute("PRAGMA query_only = ON")  # as where the file belongs to somebody else; root may write all
    with pytest.raises(StoreError, match=r"cannot be written: give the user") as error:
        save(store, post(1))
    assert error.value.passing
    store._writer.execute("PRAGMA query_only = OFF")
    save(store, post(1))


def test_an_older_database_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Store(tmp_path / "b.db")
    save(opened, post(1))
    opened.close()
    step = "CREATE TABLE later (id INTEGER);\nCREATE INDEX later_by_id ON later (id);\n"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    again = Store(tmp_path / "b.db")
    assert row(again, "SELECT count(*) FROM posts") == (1,) and row(again, "SELECT count(*) FROM later") == (0,)
    again.close()


def test_a_failing_migration_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(tmp_path / "b.db").close()
    broken = "CREATE TABLE later (id INTEGER);\nCREATE TABLE posts (id INTEGER);\n"
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
        with pytest.raises(StoreError):
            Store(tmp_path / "b.db")
    again = Store(tmp_path / "b.db")
    assert row(again, "SELECT count(*) FROM sqlite_master WHERE name = 'later'") == (0,)
    again.close()


def test_two_that_open_a_new_database_at_once_agree(tmp_path: Path) -> None:
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(Store(tmp_path / "b.db"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    for one in opened:
        one.close()


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(ValueError, match="killed"), store.write() as connection:
        mentions.save(connection, post(1), [finding()], NOW)
        raise ValueError("killed")
    assert row(store, "SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM discussions)") == (0, 0)


def test_what_a_thread_has_read_with_is_closed_when_it_ends(store: Store) -> None:
    def open_files() -> int:
        links = (os.path.realpath(file) for file in Path("/proc/self/fd").iterdir())
        return sum(link.startswith(str(store.path.resolve())) for link in links)

    opened = []
    for _ in range(5):
        thread = threading.Thread(target=row, args=(store, "SELECT count(*) FROM posts"))
        thread.start()
        thread.join()
        # SQLite keeps one file for the next to read.
        opened.append(open_files())
    assert len(set(opened)) == 1, opened


def test_a_backup_is_whole_and_opens(store: Store, tmp_path: Path) -> None:
    save(store, post(1))
    with pytest.raises(StoreError, match="no folder"):
        store.backup(tmp_path / "kept" / "copy.db")
    (tmp_path / "kept").mkdir()
    assert store.backup(tmp_path / "kept" / "copy.db") > 0
    copy = Store(tmp_path / "kept" / "copy.db")
    assert row(copy, "SELECT count(*) FROM mentions") == (1,)
    copy.close()
    assert not list((tmp_path / "kept").glob("*.partial"))
    with pytest.raises(StoreError, match="the database itself"):
        store.backup(store.path)


def test_a_backup_replaces_nothing_but_backups(store: Store, tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("brands: []")
    with pytest.raises(StoreError, match="no backup of brand-monitor"):
        store.backup(tmp_path / "monitor.yaml")
    assert (tmp_path / "monitor.yaml").read_text() == "brands: []"
    for _ in range(2):
        store.backup(tmp_path / "copy.db")


# -- posts, mentions, discussions --------------------------------------------------------------------------------


def test_the_same_post_twice_is_one_post(store: Store) -> None:
    save(store, post(1), post(1))
    assert row(store, "SELECT mentions, negative, authors FROM discussions") == (1, 1, 1)
    assert row(store, "SELECT count(*) FROM posts") == (1,)


def test_an_edit_updates_the_text_and_its_judgement_once(store: Store) -> None:
    save(store, post(1))
    save(store, post(1, "Acme is up again, thank you!"), findings=(finding(GOOD),))
    assert row(store, "SELECT text, edited_at IS NOT NULL FROM posts") == ("Acme is up again, thank you!", 1)
    assert row(store, "SELECT mentions, negative FROM discussions") == (1, 0)
    assert row(store, "SELECT count(*), max(label) FROM mentions") == (1, "positive")


def test_discussions_are_counted(store: Store) -> None:
    loud, quiet = Author(id="7", followers=1000), Author(handle="ann", followers=10)
    save(
        store, post(1, author=loud), post(2, author=loud), post(3, author=quiet, published_at=NOW + timedelta(hours=1))
    )
    save(store, post(4, author=Author(id="own")), findings=(finding(None, answer=True),))
    found = row(store, "SELECT mentions, negative, reach, authors, answers FROM discussions")
    assert found == (3, 3, 1010, 2, 1)


def test_a_date_from_the_future_counts_when_it_was_seen(store: Store) -> None:
    save(store, post(1, published_at=NOW + timedelta(days=400)))
    assert row(store, "SELECT at FROM mentions") == ("2026-03-30T10:00:00.000000+00:00",)


@pytest.mark.parametrize(
    ("query", "found"),
    [("acme", 1), ("ACME down", 1), ("down again acme", 1), ("do*", 1), ("down nothing", 0), ("citta", 1), ('"', 0),
     ("*", 0), ("acme' OR 1=1 --", 0), ("text:acme", 0), ("NEAR(", 0)],
)  # fmt: skip
def test_search_finds_whole_words_and_survives_any_query(store: Store, query: str, found: int) -> None:
    save(store, post(1, "Acme is down again, tutta la città"))
    with store.read() as connection:
        assert len(mentions.search(connection, query)) == found


# -- escalations and sources -------------------------------------------------------------------------------------


def test_a_discussion_has_one_living_escalation(store: Store) -> None:
    save(store, post(1))
    with store.write() as connection:
        first = escalations.create(connection, "Acme", Scope.DISCUSSION, 1, "a", Severity.LOW, NOW)
    with pytest.raises(StoreError), store.write() as connection:
        escalations.create(connection, "Acme", Scope.DISCUSSION, 1, "b", Severity.LOW, NOW)
    with store.write() as connection:
        escalations.save(connection, replace(first, state=State.RESOLVED))
        escalations.create(connection, "Acme", Scope.DISCUSSION, 1, "b", Severity.LOW, NOW)


def test_a_timer_fires_once(store: Store) -> None:
    save(store, post(1))
    with store.write() as connection:
        one = escalations.create(connection, "Acme", Scope.DISCUSSION, 1, "a", Severity.LOW, NOW)
        escalations.start_timer(connection, one, escalations.TimerKind.WAIT_FIRST, NOW)
        escalations.start_timer(connection, one, escalations.TimerKind.WAIT_FIRST, NOW + timedelta(hours=1))
        (due,) = escalations.due_timers(connection, NOW)
        assert [escalations.take_timer(connection, due) for _ in range(2)] == [True, False]


def test_the_audit_log_cannot_be_rewritten(store: Store) -> None:
    with store.write() as connection:
        escalations.log(connection, NOW, "ann", "acknowledged")
    with pytest.raises(StoreError, match="append-only"), store.write() as connection:
        connection.execute("UPDATE events SET who = 'bob'")


def test_coverage_grows_while_it_goes_on_in_the_same_way(store: Store) -> None:
    hour = timedelta(hours=1)
    with store.write() as connection:
        sources.cover(connection, "feed:a", Coverage(NOW, NOW + hour))
        sources.cover(connection, "feed:a", Coverage(NOW + hour, NOW + 2 * hour))
        sources.cover(connection, "feed:a", Coverage(NOW + 2 * hour, NOW + 3 * hour, False, "the page was full"))
        assert len(sources.coverage(connection, "Acme", NOW, NOW + 9 * hour, ())) == 2
        (gap,) = sources.gaps(connection, NOW)
    assert gap["reason"] == "the page was full"
