"""`/brand search` and `/brand why`: what was said, and why it did or did not alert."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from monitor.commands.reader import Reader
from monitor.errors import MonitorError
from monitor.explain import Found, find
from monitor.explain import answer as explained
from monitor.model import Escalation, Mention
from monitor.naming import LARGEST, split
from monitor.rules.explaining.explain import in_short
from monitor.rules.explaining.spoken import Spoken
from monitor.rules.load import RuleSet
from monitor.slack.answers import Answer, answer, sentence
from monitor.slack.blocks import Block, fitting, header, link, plain, rich
from monitor.slack.lines import Line, bold, code, text, to_type
from monitor.slack.quotes import quotation
from monitor.slack.text import message_link, one_line
from monitor.store import mentions, overview
from monitor.wording.words import Words

MOST_FOUND, LONGEST_SENTENCE = 10, 900
QUOTE_LENGTHS = (300, 150, 80, 30)
#: A link to a message: its channel, and its `ts` without the point.
_MESSAGE = re.compile(r"/archives/([CGD][A-Z0-9]{5,30})/p(\d{10})(\d{6})/?")


# -- search ------------------------------------------------------------------------------------------------------


def search(connection: sqlite3.Connection, query: str, reader: Reader, now: datetime) -> Answer:
    words = reader.words
    if not query:
        return sentence(to_type(words.say("Say what to look for:"), words.say("/brand search router fire")))
    found = mentions.search(connection, query, limit=MOST_FOUND + 1)
    title = words.say("Mentions of “{query}”", query=one_line(query, 80))
    if not found:
        hint = words.say("All words must be in it; a * ends the beginning of a word, as in rout*.")
        return answer(title, text(words.say("No mention holds all of these words.")), small=[hint])

    def blocks(length: int) -> list[Block]:
        elements = [element for mention in found[:MOST_FOUND] for element in quotation(mention, now, words, length)]
        return [header(title), rich(*elements)]

    small = [words.say("The most relevant first.")]
    if len(found) > MOST_FOUND:
        small.append(words.say("There are more; add a word to narrow it down."))
    small.append(words.say("/brand why m12 says why a mention did or did not alert."))
    return answer(title, *fitting(blocks, QUOTE_LENGTHS)[1:], small=small)


# -- why ---------------------------------------------------------------------------------------------------------


def why(
    connection: sqlite3.Connection,
    rest: str,
    rules: RuleSet,
    competitors: Collection[str],
    folder: str,
    reader: Reader,
    now: datetime,
    workspace: str | None = None,
) -> Answer:
    """`rest`: m12, d3, e7, a plain number, the link of a message of ours or of a post."""
    words = reader.words
    if not rest:
        return sentence(_usage(words))
    name = _of_link(connection, rest) if "://" in rest else split(rest)
    if name is None or not 1 <= name[1] <= LARGEST:
        if "://" in rest:
            return sentence(words.say("Neither a message of ours nor a post that was stored has this link."))
        return sentence(words.say("“{what}” names nothing that is stored.", what=one_line(rest, 80)), _usage(words))
    found = find(connection, *name)
    if not found:
        said = words.say("There is no {name}.", name=f"{name[0]}{name[1]}")
        listed = to_type(words.say("These list what there is:"), words.say("/brand search"), ", ")
        return sentence([plain(f"{said} "), *listed, code(words.say("/brand open"))])
    if len(found) > 1:
        which: list[Line] = [[code(f"/brand why {one.name}"), plain(f" {one_line(one.about, 100)}")] for one in found]
        return sentence(words.say("{number} may be any of these:", number=str(name[1])), *which)
    return _explained(connection, found[0], rules, competitors, folder, reader, now, workspace)


def _usage(words: Words) -> Line:
    line: list[Block] = [plain(words.say("Say about what:") + " ")]
    for example, about in (
        ("/brand why m12", words.say("a mention")),
        ("/brand why d3", words.say("a discussion")),
        ("/brand why e7", words.say("an escalation")),
    ):
        line += [code(example), plain(f" ({about}), ")]
    return [*line, plain(words.say("or with the link of a message or of a post."))]


def _of_link(connection: sqlite3.Connection, text: str) -> tuple[str, int] | None:
    """Slack may send a link as <link|text>."""
    url = text.strip().removeprefix("<").removesuffix(">").partition("|")[0]
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if message := _MESSAGE.fullmatch(parts.path):
        names = [f"{message[2]}.{message[3]}", *parse_qs(parts.query).get("thread_ts", [])[:1]]
        escalation = overview.escalation_of_message(connection, message[1], names)
        if escalation is not None:
            return "e", escalation
    query = parse_qs(parts.query)
    if parts.path == "/app_redirect" and query.get("channel") and query.get("message_ts"):
        escalation = overview.escalation_of_message(connection, query["channel"][0], query["message_ts"][:1])
        if escalation is not None:
            return "e", escalation
    mention = overview.mention_of_url(connection, url)
    return ("m", mention) if mention is not None else None


def _explained(
    connection: sqlite3.Connection,
    found: Found,
    rules: RuleSet,
    competitors: Collection[str],
    folder: str,
    reader: Reader,
    now: datetime,
    workspace: str | None = None,
) -> Answer:
    words = reader.words
    try:
        told = explained(connection, found, rules, competitors, Spoken(now, reader.zone), folder=folder)
    except MonitorError as error:
        return sentence(str(error))
    sentences = [words.text(one) for one in (*told.notes, *in_short(told.explanations))]
    if not sentences:
        sentences = [words.say("There is no rule that could alert.")]
    title = words.say("Why {name}?", name=found.name)
    about: list[Block] = [
        bold(_kind(found, words)),
        plain(f" · {one_line(found.what.brand, 40)} · {one_line(found.about, 200)}"),
    ]
    if isinstance(found.what, Escalation) and (standing := overview.message_of(connection, found.what.id)):
        stands = message_link(*standing, workspace)
        about += [plain(" · "), link(words.say("its message"), stands)] if stands else []
    small = [words.say("The rules as they are in force. All conditions, line by line: {command}",
                       command=f"brand-monitor rules explain {found.name}")]  # fmt: skip

    def blocks(most: int) -> list[Block]:
        return [header(title), text(about), text(*(f"• {one_line(line, most)}" for line in sentences[:15]))]

    return answer(title, *fitting(blocks, (LONGEST_SENTENCE, 400, 200))[1:], small=small)


def _kind(found: Found, words: Words) -> str:
    if isinstance(found.what, Mention):
        return words.say("Mention {name}", name=found.name)
    if isinstance(found.what, Escalation):
        return words.say("Escalation {name}", name=found.name)
    return words.say("Discussion {name}", name=found.name)
