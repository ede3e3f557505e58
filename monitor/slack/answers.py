"""What a command is answered with, and what the answers have in common. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.slack.blocks import Block


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person is told: `text` (escaped) where blocks cannot be shown, and the blocks."""

    text: str
    blocks: tuple[Block, ...] = ()
