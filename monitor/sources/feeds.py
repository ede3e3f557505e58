"""A feed as a `Source`: RSS, Atom or JSON Feed. One poll is fetch → parse → select.

Nothing is kept between polls but the cursor, which the caller commits together with the posts: killed in between, the
next poll brings the same posts again. It holds `url` where the feed moved for good, `etag` and `last_modified` as they
came, `body` (a hash), `ttl` (minutes), `flaw` (why the document is not all there), `read_until`, `seen` (`entries`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from monitor.errors import BadDocument
from monitor.model import Coverage, PollResult, Post
from monitor.sources import headers
from monitor.sources.address import parse_address, redact
from monitor.sources.deadline import Deadline
from monitor.sources.entries import fresh, posts
from monitor.sources.fetch import Answer, Fetcher
from monitor.sources.parser import Parser

GAP = "more new entries than the feed holds; some may have been missed"


class FeedSource:
    """`url` may hold a user and password; they stand neither in the key nor in any message.

    With `conversation_id` it is the feed of the comments on one post, whose `native_id` is `parent_id`.
    SourceRefused where `url` is no http or https URL.
    """

    def __init__(
        self,
        url: str,
        name: str,
        interval: timedelta,
        fetcher: Fetcher,
        parser: Parser,
        *,
        conversation_id: str | None = None,
        parent_id: str | None = None,
    ) -> None:
        self._address = parse_address(url)
        self._name = name
        self._interval = interval
        self._fetcher = fetcher
        self._parser = parser
        self._conversation_id = conversation_id
        self._parent_id = parent_id

    @property
    def key(self) -> str:
        return f"feed:{self._address.url}"

    @property
    def name(self) -> str:
        return self._name

    @property
    def interval(self) -> timedelta:
        return self._interval

    @property
    def host(self) -> str:
        return self._address.host

    def poll(self, cursor: Mapping[str, Any], now: datetime) -> PollResult:
        deadline = self._fetcher.deadline()
        start = parse_address(cursor["url"]) if "url" in cursor else self._address
        conditions = headers.conditions(cursor)
        answer = self._fetcher.get(start, conditions, self._address, deadline, now)
        if answer.status == 304 and not conditions:
            raise BadDocument(f"{redact(answer.url)} says that it is unchanged, but it was never read.")
        if answer.status != 304 and not answer.body.strip():
            raise BadDocument(f"{redact(answer.url)} gave an empty answer.")

        following = dict(cursor)
        notes: list[str] = []
        if answer.permanent:
            following["url"] = answer.permanent
            moved = f"{redact(self._address.url)} has moved to {redact(answer.permanent)}"
            notes.append(f"{moved} and is read there; write the new address in the configuration.")
        made: tuple[Post, ...] = ()
        gap = ""
        if answer.status != 304:
            digest = blake2b(answer.body, digest_size=12).hexdigest()
            if digest != cursor.get("body"):
                made, gap = self._read(answer, following, deadline, now)
            following = {name: following[name] for name in following if name not in ("body", *headers.VALIDATORS)}
            if not answer.cut:
                # What was cut short must come whole next time.
                following |= {"body": digest, **headers.validators(answer.headers)}
        if flaw := following.get("flaw"):
            notes.append(f"{redact(answer.url)} was not read completely: {flaw}.")
        reason = gap or following.get("flaw", "")
        read_until = datetime.fromisoformat(cursor["read_until"]) if "read_until" in cursor else now
        following["read_until"] = now.isoformat()
        wait = max(headers.fresh_for(answer.headers, now), timedelta(minutes=following.get("ttl", 0)))
        return PollResult(
            posts=made,
            cursor=following,
            coverage=(Coverage(min(read_until, now), now, complete=not reason, reason=reason),),
            not_before=now + min(wait, headers.LONGEST) if wait else None,
            notes=tuple(notes),
        )

    def _read(
        self, answer: Answer, following: dict[str, Any], deadline: Deadline, now: datetime
    ) -> tuple[tuple[Post, ...], str]:
        """The new posts of a document, and why others may have been missed; `following` takes what is remembered."""
        content_type = answer.headers.get("Content-Type", "")
        parsed = self._parser.parse(answer.body, content_type, answer.url, deadline)
        news = fresh(parsed, following.get("seen", {}))
        following |= {
            "seen": news.memory,
            "ttl": parsed.ttl or 0,
            "flaw": "it was cut short on its way" if answer.cut else parsed.flaw,
        }
        made = posts(
            news.entries,
            source=self._name,
            feed_key=self.key,
            language=parsed.language,
            now=now,
            conversation_id=self._conversation_id,
            parent_id=self._parent_id,
        )
        return made, GAP if news.gap else ""
