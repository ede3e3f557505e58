"""The database's tables, as append-only migrations. Readable by their names alone with sqlite-utils or Datasette.

Times are UTC ISO 8601 with six decimals and a `+00:00` offset, so that they sort as text. JSON stands in TEXT columns.
"""

from __future__ import annotations

import sqlite3

from monitor.store.released import FIRST, SECOND

#: sqlite3's `application_id` of our files ("bran"), so that another program's database is never touched.
APPLICATION_ID = 0x6272616E

#: What working from Slack needs: people's corrections, answers and hand-overs, clicks, who is who, storms.
THIRD = """
-- What the model had said of the mention that a person corrected, and on which alert of which rule.
ALTER TABLE labels ADD COLUMN correction TEXT NOT NULL DEFAULT '';
ALTER TABLE labels ADD COLUMN judged TEXT;
ALTER TABLE labels ADD COLUMN score REAL;
ALTER TABLE labels ADD COLUMN confidence REAL;
ALTER TABLE labels ADD COLUMN model TEXT;
ALTER TABLE labels ADD COLUMN escalation_id INTEGER;
ALTER TABLE labels ADD COLUMN rule_id TEXT;
-- The words of the post have changed since: it says nothing of the mention any more.
ALTER TABLE labels ADD COLUMN outdated INTEGER NOT NULL DEFAULT 0;
CREATE INDEX labels_by_mention ON labels (mention_id);
CREATE INDEX labels_by_escalation ON labels (escalation_id) WHERE escalation_id IS NOT NULL;

-- A person said that it is not about the brand: it stays stored and counts nowhere.
ALTER TABLE mentions ADD COLUMN dismissed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX mentions_dismissed ON mentions (at) WHERE dismissed;
DROP TRIGGER mentions_changed;
CREATE TRIGGER mentions_changed
AFTER UPDATE OF discussion_id, at, answer, dismissed, score, confidence, topics, source, language, author, reach
ON mentions BEGIN
    INSERT INTO revisions (brand, discussion_id, number)
    VALUES (old.brand, 0, 1), (old.brand, old.discussion_id, 1)
    ON CONFLICT DO UPDATE SET number = number + 1;
END;

ALTER TABLE escalations ADD COLUMN answered_at TEXT;
ALTER TABLE escalations ADD COLUMN team TEXT;
-- The mention through which the rule fired first: whoever is told sees it.
ALTER TABLE escalation_rules ADD COLUMN cause INTEGER;
ALTER TABLE escalations ADD COLUMN passed_over TEXT NOT NULL DEFAULT '[]';
ALTER TABLE escalations ADD COLUMN waiting_since TEXT;

-- What people did in Slack, before it is acknowledged there. `result` says what became of it, for whoever asks.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    envelope_id TEXT NOT NULL UNIQUE,
    action_key TEXT UNIQUE,
    request TEXT NOT NULL,
    received_at TEXT NOT NULL,
    not_before TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    applied_at TEXT,
    result TEXT NOT NULL DEFAULT ''
);
CREATE INDEX inbox_waiting ON inbox (not_before) WHERE applied_at IS NULL;

-- Who is who in Slack, as it said at `seen_at`.
CREATE TABLE slack_people (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    zone TEXT,
    language TEXT,
    seen_at TEXT NOT NULL
) WITHOUT ROWID;
-- Whoever was first called so, folded as people would take it for the same, is meant by it from then on.
CREATE TABLE slack_names (
    name TEXT PRIMARY KEY,
    id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE slack_groups (
    id TEXT PRIMARY KEY,
    handle TEXT NOT NULL,
    members TEXT NOT NULL,
    seen_at TEXT NOT NULL
) WITHOUT ROWID;

-- In a storm one summary stands for many messages: those are folded into it.
ALTER TABLE outbox ADD COLUMN folded_into INTEGER REFERENCES outbox (id);
CREATE INDEX outbox_folded ON outbox (folded_into) WHERE folded_into IS NOT NULL;
DROP INDEX outbox_waiting;
CREATE INDEX outbox_waiting ON outbox (not_before) WHERE state NOT IN ('sent', 'folded');
CREATE INDEX outbox_to_tell ON outbox (id) WHERE state = 'folded' AND sent_at IS NOT NULL AND sent_channel IS NULL;
"""

#: Append only: a released step is never changed. `PRAGMA user_version` says how many have been applied.
MIGRATIONS: tuple[str, ...] = (FIRST, SECOND, THIRD)


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the steps that are missing, all or none; another process may be about to do the same."""
    # Imported here: a database that is up to date, the usual case, need not pay for it.
    from sqlite_utils import Database, Migrations

    migrations = Migrations("brand-monitor")
    for number, script in enumerate(MIGRATIONS, 1):

        def step(db: Database, number: int = number, script: str = script) -> None:
            for statement in _statements(script):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")

        migrations(name=f"{number:04}")(step)
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(Database(connection))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    """The script's statements; sqlite3's own executescript would commit the transaction that runs."""
    statements: list[str] = []
    lines: list[str] = []
    for line in script.splitlines():
        lines.append(line)
        if line.rstrip().endswith(";") and sqlite3.complete_statement("\n".join(lines)):
            statements.append("\n".join(lines))
            lines = []
    return statements
