"""A mention in an answer: who said it, where, how it was judged, and a few of its words, as harmless text. Pure."""

from __future__ import annotations

from datetime import datetime

from monitor.model import PERSON, Label, Mention
from monitor.slack.answers import tied, when
from monitor.slack.blocks import Block, link, plain, quote, section
from monitor.slack.names import label_name
from monitor.slack.text import host_of, one_line, safe_link
from monitor.wording.words import Words

MARKS = {Label.NEGATIVE: "🔴", Label.NEUTRAL: "⚪", Label.POSITIVE: "🟢"}


def quoted(mention: Mention, now: datetime, words: Words, length: int) -> list[Block]:
    """Two elements of a `rich_text` block."""
    author, url = mention.post.author, safe_link(mention.post.url)
    handle = one_line((author.handle or "").removeprefix("@"), 60)
    name = f"@{handle}" if handle else one_line(author.name or "", 60) or words.say("somebody")
    mark = "💬" if mention.answer else MARKS[mention.sentiment.label] if mention.sentiment else "▫️"
    where = one_line(mention.post.source, 40) or (host_of(url) if url else "")
    head = tied(
        (
            plain(f"{mark} {name}", bold=True),
            words.say("our answer") if mention.answer else _judged(mention, words),
            when(mention.at, now, words),
            link(where or host_of(url or "") or "–", url),
            one_line(mention.brand, 40),
            f"m{mention.id}, d{mention.discussion_id}",
        )
    )
    return [section(*head), quote(one_line(mention.snippet or mention.post.title or mention.post.text, length))]


def _judged(mention: Mention, words: Words) -> str:
    if mention.sentiment is None:
        return words.say("not judged")
    if mention.sentiment.model == PERSON:
        return words.say("corrected: {feeling}", feeling=label_name(mention.sentiment.label, words))
    share = words.share(mention.sentiment.confidence)
    match mention.sentiment.label:
        case Label.NEGATIVE:
            return words.say("negative, {share} sure", share=share)
        case Label.POSITIVE:
            return words.say("positive, {share} sure", share=share)
    return words.say("neutral, {share} sure", share=share)
