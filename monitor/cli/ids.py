"""What people name on the command line, as click takes it (see `monitor.naming`)."""

from __future__ import annotations

from typing import Any

import click

from monitor.naming import LARGEST, split


class EscalationNumber(click.ParamType[int]):
    """7 or e7."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        letter, number = split(str(value)) or ("", 0)
        if letter not in ("", "e") or not 1 <= number <= LARGEST:
            self.fail(f"{value} is no escalation; write its number as the list shows it, as e7 or 7.", param, ctx)
        return number


class MentionNumber(click.ParamType[int]):
    """m12 or 12."""

    name = "mention"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        letter, number = split(str(value)) or ("", 0)
        if letter not in ("", "m") or not 1 <= number <= LARGEST:
            self.fail(f"{value} is no mention; write its number as `escalations show` has it, as m12.", param, ctx)
        return number


class Id(click.ParamType[tuple[str, int]]):
    """(letter, number); the letter is empty for a plain number."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        found = split(str(value))
        if found is None or not 1 <= found[1] <= LARGEST:
            what = "write m12 for a mention (`search` shows it), d3 for a discussion (`discussions`)"
            self.fail(f"{value} is no id; {what}, or e7 for an escalation (`escalations`).", param, ctx)
        return found
