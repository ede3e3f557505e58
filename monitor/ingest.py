"""From posts to stored, judged mentions: match → judge → save, with the cursor, in one transaction.

It reads no clock and no network; who feeds it (the daemon's queue, `ingest FILE`, the demo) is not its business.
Killing it at any moment loses nothing: what was not committed is read again, and a post that comes twice is one post.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.discussions import discussion_key
from monitor.escalate import Escalate
from monitor.language import detect
from monitor.matching import Matcher, TopicMatcher, full_text
from monitor.model import Finding, Match, Post
from monitor.rules.topics import words_hash
from monitor.sentiment import SentimentModel
from monitor.store import Store, mentions, topics
from monitor.store.follows import Follow, follow

#: Posts a transaction: enough to spread the cost of a durable commit, few enough to keep memory flat.
BATCH = 256
#: A text longer than this (characters) is judged by its title and the words around the mention.
LONG = 500
#: How much of a reply that names nobody is kept as its snippet, in characters.
SNIPPET = 200
#: How long the comments on an entry that mentions a brand are read.
FOLLOW = timedelta(days=7)

Commit = Callable[[sqlite3.Connection], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the posts that were taken in. `known`: stored before, in this or another form."""

    posts: int = 0
    known: int = 0
    edited: int = 0
    mentions: int = 0
    answers: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.posts + other.posts,
            self.known + other.known,
            self.edited + other.edited,
            self.mentions + other.mentions,
            self.answers + other.answers,
        )


class Ingest:
    def __init__(
        self, store: Store, matcher: Matcher, topics: TopicMatcher, model: SentimentModel, escalate: Escalate
    ) -> None:
        self._store = store
        self._matcher = matcher
        self._topics = topics
        self._words = {topic: words_hash(lists) for topic, lists in topics.lists.items()}
        self._model = model
        self._escalate = escalate

    def take(
        self,
        posts: Sequence[Post],
        now: datetime,
        commit: Commit | None = None,
        progress: Callable[[], None] = lambda: None,
    ) -> Counts:
        """Take in `posts`, oldest first. `commit` (it writes a source's cursor, say) joins the last transaction, so
        that a cursor never stands without its posts. `progress` is called before each transaction."""
        ordered = sorted(posts, key=lambda post: post.published_at)
        counts = Counts()
        for start in range(0, max(1, len(ordered)), BATCH):
            progress()
            last = start + BATCH >= len(ordered)
            counts += self._take_batch(ordered[start : start + BATCH], now, commit if last else None)
        return counts

    def _take_batch(self, posts: Sequence[Post], now: datetime, commit: Commit | None) -> Counts:
        with self._store.read() as connection:
            known = mentions.known_texts(connection, posts)
            drafts = self._match(connection, posts, known)
        judged = self._judge(drafts)
        counts = Counts(posts=len(posts), known=len(known))
        added: list[mentions.Added] = []
        answered: list[mentions.Answer] = []
        try:
            with self._store.write() as connection:
                topics.note(connection, self._words, now)
                for post, findings in judged:
                    stored = mentions.save(connection, post, findings, now)
                    added += stored.added
                    answered += stored.answered
                    if stored.added and post.comments_url and post.parent_id is None:
                        follow(connection, _comments_on(post, post.comments_url, now))
                    counts += Counts(edited=stored.edited, mentions=len(stored.added), answers=len(stored.answered))
                self._escalate.consider(connection, added, answered, now)
                if commit:
                    commit(connection)
        except BaseException:
            # Also where the commit itself failed: what has been counted is not stored.
            self._escalate.forget()
            raise
        return counts

    # -- matching ------------------------------------------------------------------------------------------------

    def _match(
        self,
        connection: sqlite3.Connection,
        posts: Sequence[Post],
        known: dict[tuple[str, str], tuple[str | None, str]],
    ) -> list[tuple[Post, tuple[Finding, ...]]]:
        """The posts to store, each with the brands found in it; a post that is stored already comes without, unless
        it was edited."""
        drafts: list[tuple[Post, tuple[Finding, ...]]] = []
        named_here: dict[tuple[str, str], set[str]] = {}
        for post in posts:
            identity = (post.source, post.native_id)
            if known.get(identity) == (post.title, post.text):
                drafts.append((post, ()))
                continue
            language = _Language(post)
            own = self._matcher.is_own(post)
            matches = self._matcher.find(post, language)
            named_here[identity] = {match.brand for match in matches} | set(own)
            matches += self._replies(connection, post, own, {match.brand for match in matches}, named_here)
            if not matches and identity not in known:
                continue
            found = self._topics.topics(full_text(post), language())
            findings = tuple(
                Finding(match.brand, match.terms, match.snippet, found, answer=match.brand in own) for match in matches
            )
            drafts.append((replace(post, language=language()), findings))
        return drafts

    def _replies(
        self,
        connection: sqlite3.Connection,
        post: Post,
        own: Sequence[str],
        found: set[str],
        named_here: dict[tuple[str, str], set[str]],
    ) -> tuple[Match, ...]:
        """Brands that the post does not name but speaks about: the post it answers, or the first one of its thread,
        names them; or one of their own accounts speaks in a discussion about them."""
        above = [
            name for name in dict.fromkeys((post.conversation_id, post.parent_id)) if name and name != post.native_id
        ]
        if not above:
            return ()
        brands = mentions.brands_named(connection, post.source, above)
        for name in above:
            brands |= named_here.get((post.source, name), set())
        if own:
            brands |= mentions.brands_discussed(connection, discussion_key(post)) & set(own)
        return tuple(Match(brand, (), post.text[:SNIPPET]) for brand in sorted(brands - found))

    # -- judging -------------------------------------------------------------------------------------------------

    def _judge(self, drafts: Sequence[tuple[Post, tuple[Finding, ...]]]) -> list[tuple[Post, list[Finding]]]:
        """Give every finding its sentiment, our own answers excepted; a text is judged once."""
        texts = dict.fromkeys(
            _about(post, finding) for post, findings in drafts for finding in findings if not finding.answer
        )
        sentiments = dict(zip(texts, self._model.judge(list(texts)), strict=True)) if texts else {}
        return [
            (post, [replace(finding, sentiment=sentiments.get(_about(post, finding))) for finding in findings])
            for post, findings in drafts
        ]


class _Language:
    """The post's language: what the source says, else detected when first asked for."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._known = post.language is not None
        self._language = post.language

    def __call__(self) -> str | None:
        if not self._known:
            self._known, self._language = True, detect(full_text(self._post))
        return self._language


def _about(post: Post, finding: Finding) -> str:
    whole = full_text(post)
    if len(whole) <= LONG:
        return whole
    return f"{post.title}\n{finding.snippet}" if post.title else finding.snippet


def _comments_on(post: Post, url: str, now: datetime) -> Follow:
    return Follow(
        source=f"feed:{url}",
        url=url,
        name=post.source,
        conversation_id=post.url or post.native_id,
        parent_id=post.native_id,
        until=now + FOLLOW,
    )
