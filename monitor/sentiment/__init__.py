"""How a text feels: the model's interface, and the way from the configuration to a model.

Importing this is cheap; what runs a model is imported when one is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from monitor.model import Sentiment

BUNDLED = "bundled"


class SentimentModel(Protocol):
    @property
    def id(self) -> str:
        """Names the model and its weights: equal ids judge alike."""

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        """One sentiment for each text, in their order. Takes any text, also an empty one."""


def load_model(spec: str, threads: int = 1, batch: int = 32) -> SentimentModel:
    """The model that `sentiment.model` asks for: "bundled", or a folder with the three files of an ONNX model.

    `threads` processor cores are used for at most `batch` texts at a time. Raises ModelError.
    """
    from monitor.sentiment.onnx import OnnxModel

    folder = Path(__file__).parent / BUNDLED if spec == BUNDLED else Path(spec)
    return OnnxModel(folder, threads, batch)
