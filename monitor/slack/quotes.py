"""What was said, by whom and where: quotations in typed rich text, in which Slack reads nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor.model import PERSON, Label, Mention
from monitor.slack.blocks import Block, link, plain, quote, rich, section
from monitor.slack.lines import tied
from monitor.slack.signs import LABEL_SIGNS
from monitor.slack.speech import unmarked
from monitor.slack.text import clean, host_of, one_line, safe_link, shorten
from monitor.slack.times import when
from monitor.wording.names import LABELS
from monitor.wording.words import Words

MOST_QUOTES = 5
MOST_LINES = 6


# -- in an alert -------------------------------------------------------------------------------------------------


def quotes(mentions: Sequence[Mention], thread: str, length: int, words: Words) -> Block:
    """Each with its author, reach and feeling, in at most `length` characters; `thread` is what the message names as
    the discussion's title already."""
    elements: list[Block] = []
    for mention in mentions[:MOST_QUOTES]:
        elements += [_byline(mention, unmarked(words)), quote(_said(mention, thread, length))]
    return rich(*elements)


def _byline(mention: Mention, words: Words) -> Block:
    url, followers = safe_link(mention.post.url), mention.post.author.followers
    return section(
        *tied(
            (
                plain(_who(mention, words), bold=True),
                words.many("{count} follower", "{count} followers", followers) if followers is not None else "",
                _feeling(mention, words),
                link(host_of(url) if url else one_line(mention.post.source, 60), url),
            )
        )
    )


def _said(mention: Mention, thread: str, length: int) -> str:
    """Title and text; a title that is the thread's, which the message names anyway, is left out."""
    text, title = clean(mention.post.text), one_line(mention.post.title or "", 200)
    if title and not title.startswith(thread.rstrip("…")) and not text.startswith(title):
        text = f"{title}\n{text}" if text else title
    snippet = clean(mention.snippet)
    if len(text) > length and snippet not in text[:length]:
        text = f"…{snippet.removeprefix('…')}"
    return "\n".join(shorten(text, length).split("\n")[:MOST_LINES])


# -- in an answer ------------------------------------------------------------------------------------------------


def quotation(mention: Mention, now: datetime, words: Words, length: int) -> list[Block]:
    """A mention that was looked for: two elements of a `rich_text` block, of which `length` characters are its own."""
    url = safe_link(mention.post.url)
    sign = "💬" if mention.answer else LABEL_SIGNS[mention.sentiment.label] if mention.sentiment else "▫️"
    head = tied(
        (
            plain(f"{sign} {_who(mention, words)}", bold=True),
            _feeling(mention, words) or words.say("not judged"),
            when(mention.at, now, words),
            link(one_line(mention.post.source, 40) or host_of(url or "") or "–", url),
            one_line(mention.brand, 40),
            f"m{mention.id}, d{mention.discussion_id}",
        )
    )
    return [section(*head), quote(one_line(mention.snippet or mention.post.title or mention.post.text, length))]


# -- what they share ---------------------------------------------------------------------------------------------


def _who(mention: Mention, words: Words) -> str:
    author = mention.post.author
    handle = one_line((author.handle or "").removeprefix("@"), 60)
    return f"@{handle}" if handle else one_line(author.name or "", 60) or words.say("somebody")


def _feeling(mention: Mention, words: Words) -> str:
    """How it was judged; "" where it was not."""
    if mention.answer:
        return words.say("our answer")
    if mention.sentiment is None:
        return ""
    if mention.sentiment.model == PERSON:
        return words.say("corrected: {feeling}", feeling=LABELS[mention.sentiment.label])
    share = words.share(mention.sentiment.confidence)
    match mention.sentiment.label:
        case Label.NEGATIVE:
            return words.say("negative, {share} sure", share=share)
        case Label.POSITIVE:
            return words.say("positive, {share} sure", share=share)
    return words.say("neutral, {share} sure", share=share)
