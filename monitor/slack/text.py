"""Text from outside made harmless for Slack and for a terminal: cleaned, shortened, escaped, linked.

Nothing here knows of escalations or blocks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

LONGEST_LINK = 800
_CHANNEL = re.compile("[CGD][A-Z0-9]{5,30}")
_TS = re.compile(r"\d{6,12}\.\d{6}")
_BARS = "▁▂▃▄▅▆▇█"
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LINE_ENDS = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
#: Control, format (zero-width, bidirectional overrides, tags), surrogates: nothing that a reader would see.
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})
#: Stacked accents beyond this many overflow into the lines around them.
_MOST_ACCENTS = 4


def clean(text: str) -> str:
    """Only what can be seen: no control, zero-width or direction-changing characters, no empty lines."""
    lines = (visible(line).strip() for line in _LINE_ENDS.split(text))
    return "\n".join(line for line in lines if line)


def visible(line: str) -> str:
    """One line without the characters that a reader does not see but a program may obey."""
    if line.isascii() and line.isprintable():
        return line
    kept: list[str] = []
    accents = 0
    for character in line.replace("\t", " "):
        category = unicodedata.category(character)
        accents = accents + 1 if category in ("Mn", "Me") else 0
        if category not in _UNSEEN and accents <= _MOST_ACCENTS:
            kept.append(character)
    return "".join(kept)


def one_line(text: str, limit: int) -> str:
    """Cleaned, on one line, of at most `limit` characters."""
    return shorten(" ".join(clean(text).split()), limit)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters; what is cut ends with "…", between words where that is near."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    between_words = cut.rfind(" ")
    return (cut[:between_words] if between_words > limit * 0.7 else cut).rstrip() + "…"


def escape(text: str, limit: int) -> str:
    """Cleaned and escaped for mrkdwn and for a message's `text`: at most `limit` characters, entities whole."""
    text = clean(text)
    escaped = [_ESCAPED.get(character, character) for character in text]
    if sum(map(len, escaped)) <= limit:
        return "".join(escaped)
    length = 0
    for index, part in enumerate(escaped):
        length += len(part)
        if length > limit - 1:
            return "".join(escaped[:index]).rstrip() + "…"
    return "".join(escaped)


def capital(text: str) -> str:
    """With its first letter as at the start of a sentence."""
    return text[:1].upper() + text[1:]


def safe_link(url: str | None) -> str | None:
    """`url` if it is an ordinary web address, with all that could break out of a link percent-encoded; else None.

    An address with a user name is refused: `https://bank.example@evil.example` leads where it does not seem to lead.
    """
    if not url:
        return None
    url = clean(url).replace("\n", "")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises where the port is no number
        # Letters of other alphabets are shown as what they are, not as the Latin ones that they resemble.
        parts = parts._replace(netloc=parts.netloc.encode("idna").decode("ascii"))
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    encoded = quote(parts.geturl(), safe=":/?#[]@!$&'()*+,;=%~")
    return encoded if len(encoded) <= LONGEST_LINK else None


def message_link(channel: str | None, ts: str | None, workspace: str | None = None) -> str | None:
    """Where a message of ours stands. Without the address of the workspace Slack leads everybody to the one in which
    they are signed in."""
    if channel is None or ts is None or not _CHANNEL.fullmatch(channel) or not _TS.fullmatch(ts):
        return None
    if workspace and safe_link(workspace):
        return f"{workspace.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    return f"https://slack.com/app_redirect?channel={channel}&message_ts={ts}"


def host_of(link: str) -> str:
    """The host of a safe link, as shown to readers."""
    return one_line((urlsplit(link).hostname or "").removeprefix("www."), 60)


def bars(counts: Sequence[int]) -> str:
    """A tiny chart, one block character a count."""
    highest = max(counts, default=0)
    return "".join(_BARS[round(count / highest * (len(_BARS) - 1))] for count in counts) if highest else ""
