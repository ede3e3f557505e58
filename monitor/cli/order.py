"""The order in which help lists commands."""

from __future__ import annotations

import click


class InThisOrder(click.Group):
    """Help lists the commands in the order in which a newcomer needs them, not by the alphabet."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)
