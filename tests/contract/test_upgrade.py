"""A database that an earlier version wrote is brought up to date when it is opened, and what is alive in it goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.carry_out import act
from monitor.escalation.events import Acknowledge
from monitor.model import State
from monitor.store import Store, escalations, evidence, schema
from monitor.store.evidence import Subject

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
#: What the first version stored of a post by @mario that mentions Acme, and of the escalation that it made.
FIRST = """
INSERT INTO posts (id, source, native_id, text, author_handle, author_followers, published_at, seen_at, language)
    VALUES (1, 'x', '1', 'Acme is down', 'mario', 1200, '{at}', '{at}', 'en');
INSERT INTO discussions (id, brand, key, source, title, started_at, last_at, mentions, negative)
    VALUES (1, 'Acme', 'x:1', 'x', 'Acme is down', '{at}', '{at}', 1, 1);
INSERT INTO mentions (id, post_id, brand, discussion_id, at, terms, snippet, score, confidence, label, model, topics)
    VALUES (1, 1, 'Acme', 1, '{at}', '["acme"]', 'Acme is down', -0.9, 0.95, 'negative', 'm', '["safety"]');
INSERT INTO escalations
    (id, brand, scope, discussion_id, rule_id, severity, state, tier, created_at, changed_at, opened_at)
    VALUES (1, 'Acme', 'discussion', 1, 'thread', 'high', 'open', 1, '{at}', '{at}', '{at}');
INSERT INTO escalation_rules (escalation_id, rule_id, title, severity, reasons, at, snapshot)
    VALUES (1, 'thread', 'Trouble', 'high', '[]', '{at}', '{{"file": "thread.yaml", "text": "", "team": "social",
        "channel": "#social", "notify": [], "clock": {{"wait_first": 30.0}}, "guideline": null}}');
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        old = Store(tmp_path / "b.db")
        with old.write() as connection:
            for statement in FIRST.format(at="2026-03-30T11:00:00.000000+00:00").split(";\n"):
                connection.execute(statement)
        old.close()
    return Store(tmp_path / "b.db")


def test_mentions_are_counted_as_before(store: Store) -> None:
    with store.read() as connection:
        (mention,) = evidence.counted(connection, Subject("Acme", 1), NOW - timedelta(days=1))
    assert (mention.source, mention.language, mention.author, mention.reach) == ("x", "en", "x:mario", 1200)
    assert (mention.score, mention.topics) == (-0.9, frozenset({"safety"}))


def test_what_is_alive_can_be_taken(store: Store) -> None:
    with store.write() as connection:
        escalation = escalations.by_id(connection, 1)
        assert escalation is not None
        act(connection, escalation, Acknowledge("ann"), "ann", NOW)
        assert escalations.by_id(connection, 1).state is State.ACKNOWLEDGED  # type: ignore[union-attr]
