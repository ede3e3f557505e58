"""What was said, by whom and where: quotations in typed rich text, in which Slack reads nothing."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.model import PERSON, Mention
from monitor.slack.blocks import Block, link, plain, quote, rich, section
from monitor.slack.names import label_name
from monitor.slack.speech import unmarked
from monitor.slack.text import clean, host_of, one_line, safe_link, shorten
from monitor.wording.words import Words

MOST_QUOTES = 5
MOST_LINES = 6


def quotes(mentions: Sequence[Mention], thread: str, length: int, words: Words) -> Block:
    """Each with its author, reach and feeling, in at most `length` characters; `thread` is what the message names as
    the discussion's title already."""
    elements: list[Block] = []
    for mention in mentions[:MOST_QUOTES]:
        elements += [_byline(mention, unmarked(words)), quote(_said(mention, thread, length))]
    return rich(*elements)


def _byline(mention: Mention, words: Words) -> Block:
    author, url = mention.post.author, safe_link(mention.post.url)
    name = f"@{author.handle.removeprefix('@')}" if author.handle else author.name or words.say("somebody")
    facts: list[str] = []
    if author.followers is not None:
        facts.append(words.many("{count} follower", "{count} followers", author.followers))
    if mention.answer:
        facts.append(words.say("our answer"))
    elif mention.sentiment:
        feeling = label_name(mention.sentiment.label, words)
        by_person = mention.sentiment.model == PERSON
        sure = words.share(mention.sentiment.confidence)
        facts.append(words.say("corrected: {feeling}", feeling=feeling) if by_person else f"{feeling} {sure}")
    where = host_of(url) if url else one_line(mention.post.source, 60)
    return section(
        plain(one_line(name, 60), bold=True), plain("".join(f" · {fact}" for fact in facts) + " · "), link(where, url)
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
