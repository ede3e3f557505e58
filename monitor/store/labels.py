"""People's corrections: what they say of mentions that the model judged, and what follows for what is counted.

What was said first, by the model, stands in each label, so that it can be taken back. A label lasts until the words of
the post change: then it is outdated, kept, and counts for nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from monitor.escalation.acts import Correction
from monitor.model import PERSON, Escalation, Label
from monitor.store.times import to_text

_JUDGEMENT = ("negative", "neutral", "positive", "score", "confidence", "label", "model")


class _Judgement(NamedTuple):
    """As a mention has it; all None: not judged."""

    negative: float | None
    neutral: float | None
    positive: float | None
    score: float | None
    confidence: float | None
    label: str | None
    model: str | None


NEUTRAL = _Judgement(0.0, 1.0, 0.0, 0.0, 1.0, str(Label.NEUTRAL), PERSON)
NEGATIVE = _Judgement(1.0, 0.0, 0.0, -1.0, 1.0, str(Label.NEGATIVE), PERSON)


class _Said(NamedTuple):
    """What is to be true of a mention from now on."""

    judgement: _Judgement
    dismissed: bool


# -- writing -----------------------------------------------------------------------------------------------------


def correct(
    connection: sqlite3.Connection,
    mention_ids: Iterable[int],
    correction: Correction,
    *,
    who: str,
    escalation: Escalation,
    now: datetime,
) -> tuple[int, ...]:
    """Correct these mentions and the counts of their discussions; return those that this changed. The same again, by
    whomever, changes nothing."""
    changed = []
    for mention_id in dict.fromkeys(mention_ids):
        row = connection.execute("SELECT * FROM mentions WHERE id = ?", [mention_id]).fetchone()
        if row is None or row["answer"]:
            continue
        now_is = _Said(_Judgement(*(row[name] for name in _JUDGEMENT)), bool(row["dismissed"]))
        last = _last(connection, mention_id)
        first = _first(last) if last is not None else now_is.judgement
        said = _said(correction, first, last)
        if said is None or (last is None and said == now_is):
            continue
        _change(connection, row, now_is, said)
        connection.execute(
            "INSERT INTO labels (mention_id, label, who, at, correction, judged, score, confidence, model,"
            " escalation_id, rule_id) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            [
                mention_id, said.judgement.label or Label.NEUTRAL, who, to_text(now), correction,
                first.label, first.score, first.confidence, first.model, escalation.id, escalation.rule_id,
            ],
        )  # fmt: skip
        changed.append(mention_id)
    return tuple(changed)


def _last(connection: sqlite3.Connection, mention_id: int) -> sqlite3.Row | None:
    """What a person said last of a mention as it stands now."""
    query = "SELECT * FROM labels WHERE mention_id = ? AND correction <> '' AND NOT outdated ORDER BY id DESC LIMIT 1"
    row: sqlite3.Row | None = connection.execute(query, [mention_id]).fetchone()
    return row


def _said(correction: Correction, first: _Judgement, last: sqlite3.Row | None) -> _Said | None:
    """What the correction makes of a mention that was `first` judged so; None: that has been said already."""
    if last is not None and last["correction"] == correction:
        return None
    match correction:
        case Correction.NOT_ABOUT_US:
            return _Said(first, True)
        case Correction.NOT_NEGATIVE:
            friendly = first.label != Label.NEGATIVE and first.score is not None and first.score >= 0
            # Who calls three mentions not negative makes a kind one among them no less kind.
            return _Said(first if friendly else NEUTRAL, False)
        case Correction.NEGATIVE:
            return _Said(first if last is not None or first.label == Label.NEGATIVE else NEGATIVE, False)


def _first(label: sqlite3.Row) -> _Judgement:
    """What the model had said, whose three probabilities follow from its score and the largest of them."""
    kind, score, sure = label["judged"], label["score"], label["confidence"]
    if kind is None or score is None or sure is None:
        return _Judgement(None, None, None, None, None, None, None)
    match kind:
        case Label.NEGATIVE:
            negative, positive = sure, score + sure
        case Label.POSITIVE:
            negative, positive = sure - score, sure
        case _:
            negative, positive = (1 - sure - score) / 2, (1 - sure + score) / 2
    negative, positive = min(1.0, max(0.0, negative)), min(1.0, max(0.0, positive))
    return _Judgement(negative, max(0.0, 1 - negative - positive), positive, score, sure, kind, label["model"])


def _change(connection: sqlite3.Connection, row: sqlite3.Row, before: _Said, after: _Said) -> None:
    assignments = ", ".join(f"{name} = ?" for name in _JUDGEMENT)
    connection.execute(
        f"UPDATE mentions SET {assignments}, dismissed = ? WHERE id = ?", [*after.judgement, after.dismissed, row["id"]]
    )
    recount(connection, row, _counts(before), _counts(after))


def _counts(said: _Said) -> tuple[int, int]:
    """How many mentions, and how many negative ones, it is to its discussion."""
    return int(not said.dismissed), int(not said.dismissed and said.judgement.label == Label.NEGATIVE)


def recount(
    connection: sqlite3.Connection, mention: sqlite3.Row, before: tuple[int, int], after: tuple[int, int]
) -> None:
    """The figures of the discussion of a mention that was so many (negative) mentions and is so many now. `mention`
    has its `discussion_id` and `author`."""
    connection.execute(
        "UPDATE discussions SET mentions = max(0, mentions + ?), negative = max(0, negative + ?) WHERE id = ?",
        [after[0] - before[0], after[1] - before[1], mention["discussion_id"]],
    )
    if before[0] != after[0]:
        _recount_author(connection, mention["discussion_id"], mention["author"])


def _recount_author(connection: sqlite3.Connection, discussion_id: int, author: str) -> None:
    """Who has said nothing about us there is none of its authors, and lends it no reach."""
    known = connection.execute(
        "SELECT followers FROM discussion_authors WHERE discussion_id = ? AND author = ?", [discussion_id, author]
    ).fetchone()
    reach = connection.execute(
        "SELECT max(reach) FROM mentions WHERE discussion_id = ? AND author = ? AND NOT answer AND NOT dismissed",
        [discussion_id, author],
    ).fetchone()[0]
    if reach is None:
        connection.execute(
            "DELETE FROM discussion_authors WHERE discussion_id = ? AND author = ?", [discussion_id, author]
        )
    else:
        # What a post says of its author's followers later is no news to the discussion: the larger stays.
        reach = max(reach, known["followers"] if known else 0)
        connection.execute(
            "INSERT INTO discussion_authors (discussion_id, author, followers) VALUES (?,?,?)"
            " ON CONFLICT DO UPDATE SET followers = excluded.followers",
            [discussion_id, author, reach],
        )
    more = (reach or 0) - (known["followers"] if known else 0)
    connection.execute(
        "UPDATE discussions SET authors = max(0, authors + ?), reach = max(0, reach + ?) WHERE id = ?",
        [(reach is not None) - (known is not None), more, discussion_id],
    )


def stands(connection: sqlite3.Connection, mention_id: int) -> bool:
    """Whether a person has said something of the mention that is true of its words of now."""
    return _last(connection, mention_id) is not None


def outdate(connection: sqlite3.Connection, mention_id: int) -> None:
    """The words have changed: what was said of the old ones says nothing of the new."""
    connection.execute("UPDATE labels SET outdated = 1 WHERE mention_id = ?", [mention_id])


# -- reading -----------------------------------------------------------------------------------------------------


def about(connection: sqlite3.Connection, escalation: Escalation, mention_ids: Iterable[int]) -> tuple[int, ...]:
    """Those of these mentions that the escalation is about: of its discussion, or of its brand."""
    of, value = ("discussion_id", escalation.discussion_id) if escalation.discussion_id else ("brand", escalation.brand)
    query = f"SELECT 1 FROM mentions WHERE id = ? AND {of} = ? AND NOT answer"
    return tuple(one for one in dict.fromkeys(mention_ids) if connection.execute(query, [one, value]).fetchone())


def corrected_on(connection: sqlite3.Connection, escalation_id: int) -> tuple[int, ...]:
    """The mentions of which people said last, on this escalation, that they are not negative or not about us."""
    found = connection.execute(
        "SELECT mention_id, correction, max(id) FROM labels WHERE mention_id IN"
        " (SELECT mention_id FROM labels WHERE escalation_id = ?) AND correction <> '' AND NOT outdated"
        " GROUP BY mention_id",
        [escalation_id],
    )
    return tuple(row["mention_id"] for row in found if row["correction"] != Correction.NEGATIVE)
