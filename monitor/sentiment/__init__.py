"""Judging how a text feels: `load_model` gives a `SentimentModel`. What follows from a judgement is not its business."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from monitor.errors import ModelError
from monitor.model import Sentiment

BUNDLED = Path(__file__).with_name("bundled")


class SentimentModel(Protocol):
    @property
    def id(self) -> str:
        """Stored with each mention, so that judgements of different models are told apart."""

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        """One sentiment a text, in their order."""


def load_model(spec: str, threads: int = 1, batch: int = 32) -> SentimentModel:
    """The model that `sentiment: {model: …}` names: `bundled`, or a directory. Raises `ModelError`."""
    from monitor.sentiment.onnx import OnnxModel

    if spec == "bundled":
        return OnnxModel(BUNDLED, "bundled", threads, batch)
    folder = Path(spec)
    if not folder.is_dir():
        what = f'there is no directory "{spec}" with a sentiment model'
        raise ModelError(f'{what}; write `model: bundled`, or the path of one with model.onnx, tokenizer.json, config.json')
    return OnnxModel(folder, folder.name, threads, batch)
