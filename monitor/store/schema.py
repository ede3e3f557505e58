"""The database's tables, as append-only migrations. Readable by their names alone with sqlite-utils or Datasette.

Times are UTC ISO 8601 with six decimals and a `+00:00` offset, so that they sort as text. JSON stands in TEXT columns.
"""

from __future__ import annotations

import sqlite3

#: sqlite3's `application_id` of our files ("bran"), so that another program's database is never touched.
APPLICATION_ID = 0x6272616E

FIRST = """
CREATE TABLE posts (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    native_id TEXT NOT NULL,
    url TEXT,
    title TEXT,
    text TEXT NOT NULL,
    author_id TEXT, author_handle TEXT, author_name TEXT, author_followers INTEGER,
    published_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    edited_at TEXT,
    conversation_id TEXT,
    parent_id TEXT,
    language TEXT,
    likes INTEGER NOT NULL DEFAULT 0, reposts INTEGER NOT NULL DEFAULT 0, replies INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, native_id)
);
CREATE VIRTUAL TABLE posts_fts USING fts5 (
    title, text, author_name, author_handle,
    content='posts', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
);
CREATE TRIGGER posts_fts_insert AFTER INSERT ON posts BEGIN
    INSERT INTO posts_fts (rowid, title, text, author_name, author_handle)
    VALUES (new.id, new.title, new.text, new.author_name, new.author_handle);
END;
CREATE TRIGGER posts_fts_delete AFTER DELETE ON posts BEGIN
    INSERT INTO posts_fts (posts_fts, rowid, title, text, author_name, author_handle)
    VALUES ('delete', old.id, old.title, old.text, old.author_name, old.author_handle);
END;
CREATE TRIGGER posts_fts_update AFTER UPDATE OF title, text, author_name, author_handle ON posts BEGIN
    INSERT INTO posts_fts (posts_fts, rowid, title, text, author_name, author_handle)
    VALUES ('delete', old.id, old.title, old.text, old.author_name, old.author_handle);
    INSERT INTO posts_fts (rowid, title, text, author_name, author_handle)
    VALUES (new.id, new.title, new.text, new.author_name, new.author_handle);
END;

CREATE TABLE discussions (
    id INTEGER PRIMARY KEY,
    brand TEXT NOT NULL,
    key TEXT NOT NULL,
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT,
    started_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    mentions INTEGER NOT NULL DEFAULT 0,
    negative INTEGER NOT NULL DEFAULT 0,
    reach INTEGER NOT NULL DEFAULT 0,
    authors INTEGER NOT NULL DEFAULT 0,
    answers INTEGER NOT NULL DEFAULT 0,
    answered_at TEXT,
    UNIQUE (brand, key)
);
CREATE INDEX discussions_by_key ON discussions (key);
CREATE INDEX discussions_by_time ON discussions (last_at);

CREATE TABLE discussion_authors (
    discussion_id INTEGER NOT NULL REFERENCES discussions (id) ON DELETE CASCADE,
    author TEXT NOT NULL,
    followers INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (discussion_id, author)
) WITHOUT ROWID;

CREATE TABLE mentions (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    brand TEXT NOT NULL,
    discussion_id INTEGER NOT NULL REFERENCES discussions (id),
    at TEXT NOT NULL,
    terms TEXT NOT NULL,
    snippet TEXT NOT NULL,
    answer INTEGER NOT NULL DEFAULT 0,
    negative REAL, neutral REAL, positive REAL,
    score REAL, confidence REAL, label TEXT, model TEXT,
    topics TEXT NOT NULL DEFAULT '[]',
    UNIQUE (post_id, brand)
);
CREATE INDEX mentions_by_discussion ON mentions (discussion_id, at);
CREATE INDEX mentions_by_brand ON mentions (brand, at);

CREATE TABLE escalations (
    id INTEGER PRIMARY KEY,
    brand TEXT NOT NULL,
    scope TEXT NOT NULL,
    discussion_id INTEGER REFERENCES discussions (id),
    rule_id TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    tier INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    opened_at TEXT,
    acknowledged_at TEXT, acknowledged_by TEXT,
    assignee TEXT,
    snoozed_until TEXT,
    resolved_at TEXT, resolved_by TEXT,
    outcome TEXT,
    note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX escalations_by_discussion ON escalations (discussion_id);
CREATE INDEX escalations_by_state ON escalations (state);
CREATE INDEX escalations_by_rule ON escalations (brand, scope, rule_id);
-- One living escalation a discussion, or a rule where the scope is the brand: the database itself refuses a second.
CREATE UNIQUE INDEX escalations_one_alive ON escalations (brand, scope, coalesce(discussion_id, rule_id))
    WHERE state NOT IN ('resolved', 'dropped');

CREATE TABLE escalation_rules (
    escalation_id INTEGER NOT NULL REFERENCES escalations (id) ON DELETE CASCADE,
    rule_id TEXT NOT NULL,
    title TEXT NOT NULL,
    severity TEXT NOT NULL,
    reasons TEXT NOT NULL,
    at TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    PRIMARY KEY (escalation_id, rule_id)
) WITHOUT ROWID;

CREATE TABLE timers (
    escalation_id INTEGER NOT NULL REFERENCES escalations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    generation INTEGER NOT NULL,
    due_at TEXT NOT NULL,
    PRIMARY KEY (escalation_id, kind)
) WITHOUT ROWID;
CREATE INDEX timers_by_due ON timers (due_at);

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    why TEXT NOT NULL DEFAULT '',
    escalation_id INTEGER,
    discussion_id INTEGER,
    data TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX events_by_escalation ON events (escalation_id) WHERE escalation_id IS NOT NULL;
CREATE INDEX events_by_subject ON events (what, who, discussion_id, at);
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT raise(ABORT, 'events are append-only'); END;

CREATE TABLE outbox (
    -- Ids stand in the messages' metadata: none is ever used for a second message.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    op_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    channel TEXT NOT NULL,
    severity TEXT NOT NULL,
    severity_rank INTEGER NOT NULL,
    escalation_id INTEGER REFERENCES escalations (id),
    payload TEXT NOT NULL DEFAULT '{}',
    created_at TEXT NOT NULL,
    not_before TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    floor_at TEXT,
    absent_reads INTEGER NOT NULL DEFAULT 0,
    plain INTEGER NOT NULL DEFAULT 0,
    repeated INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    sent_at TEXT,
    sent_channel TEXT,
    sent_ts TEXT,
    unknown_at TEXT
);
CREATE INDEX outbox_waiting ON outbox (not_before) WHERE state <> 'sent';
CREATE INDEX outbox_by_escalation ON outbox (escalation_id, kind);

CREATE TABLE cursors (
    source TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    cursor TEXT NOT NULL DEFAULT '{}',
    due_at TEXT NOT NULL,
    last_success_at TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'active',
    error TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT ''
);

CREATE TABLE follows (
    source TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    name TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    parent_id TEXT,
    until TEXT NOT NULL
);

CREATE TABLE coverage (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    start TEXT NOT NULL,
    end TEXT NOT NULL,
    complete INTEGER NOT NULL,
    reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX coverage_by_source ON coverage (source, end);
CREATE INDEX coverage_by_end ON coverage (end);

CREATE TABLE labels (
    id INTEGER PRIMARY KEY,
    mention_id INTEGER NOT NULL REFERENCES mentions (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    who TEXT NOT NULL,
    at TEXT NOT NULL
);

CREATE TABLE costs (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    at TEXT NOT NULL,
    requests INTEGER NOT NULL DEFAULT 0,
    paid_reads INTEGER NOT NULL DEFAULT 0,
    money REAL NOT NULL DEFAULT 0,
    currency TEXT NOT NULL DEFAULT 'USD'
);

CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at TEXT NOT NULL
);
"""

#: What rules need: of a mention what they count, as it was when it came in; of an escalation its later steps; mutes.
SECOND = """
ALTER TABLE mentions ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE mentions ADD COLUMN language TEXT;
ALTER TABLE mentions ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE mentions ADD COLUMN reach INTEGER NOT NULL DEFAULT 0;
UPDATE mentions SET (source, language, author, reach) = (
    SELECT p.source, p.language,
        p.source || ':' || coalesce(nullif(p.author_id, ''), nullif(p.author_handle, ''), p.author_name, ''),
        coalesce(p.author_followers, 0)
    FROM posts p WHERE p.id = mentions.post_id
);
-- Its rows stand in the order of their ids: what is new in a discussion is found without reading what is old.
CREATE INDEX mentions_in_order ON mentions (discussion_id);

-- How often what was stored of mentions has changed since (an edit, a correction, a deletion): whoever counted the
-- discussion, or the brand (discussion 0), under another number must count anew.
CREATE TABLE revisions (
    brand TEXT NOT NULL,
    discussion_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (brand, discussion_id)
) WITHOUT ROWID;
CREATE TRIGGER mentions_changed
AFTER UPDATE OF discussion_id, at, answer, score, confidence, topics, source, language, author, reach ON mentions BEGIN
    INSERT INTO revisions (brand, discussion_id, number)
    VALUES (old.brand, 0, 1), (old.brand, old.discussion_id, 1)
    ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER mentions_deleted AFTER DELETE ON mentions BEGIN
    INSERT INTO revisions (brand, discussion_id, number)
    VALUES (old.brand, 0, 1), (old.brand, old.discussion_id, 1)
    ON CONFLICT DO UPDATE SET number = number + 1;
END;

-- From when its tiers count, and how often it has been repeated or its holder reminded since.
ALTER TABLE escalations ADD COLUMN told_at TEXT;
ALTER TABLE escalations ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;
ALTER TABLE escalations ADD COLUMN held_until TEXT;

-- A muted rule posts nothing until the mute ends; what it would have posted is held. `origin`: its file, or a command.
CREATE TABLE mutes (
    id INTEGER PRIMARY KEY,
    rule_id TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL DEFAULT '',
    origin TEXT NOT NULL
);
CREATE INDEX mutes_by_rule ON mutes (rule_id, until);
"""

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
CREATE INDEX labels_by_mention ON labels (mention_id);

-- A person said that it is not about the brand: it stays stored and counts nowhere.
ALTER TABLE mentions ADD COLUMN dismissed INTEGER NOT NULL DEFAULT 0;
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
