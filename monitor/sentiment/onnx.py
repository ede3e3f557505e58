"""Sentiment by an ONNX model on the processor: a folder with config.json, tokenizer.json and model.onnx.

Nothing is fetched, nothing is written: onnxruntime's telemetry and the hub of transformers are switched off before
their import. The model knows no brand: it judges the text as a whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.errors import ModelError
from monitor.model import Label, Sentiment
from monitor.sentiment.prepare import prepare

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # from 1.29 on it reports home and writes below ~/.cache
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import onnxruntime
from transformers import PreTrainedTokenizerFast

CONFIG, TOKENIZER, WEIGHTS = "config.json", "tokenizer.json", "model.onnx"
INPUTS = {"input_ids", "attention_mask"}
#: So many tokens, padding included, go through the model at once: 100 MB less than with 32 long texts, and faster.
TOKENS = 1_024


class OnnxModel:
    """A model in memory, for any number of threads."""

    def __init__(self, folder: Path, threads: int, batch: int) -> None:
        """Load the model from `folder` and try it once. Raises ModelError."""
        _require_files(folder)
        self._batch = batch
        self._tokenizing = Lock()  # a call sets the tokenizer's padding, so two at once fail
        self._layout = _read_layout(folder / CONFIG)
        self._tokenizer = _load_tokenizer(folder / TOKENIZER, self._layout)
        self._session = _load_session(folder / WEIGHTS, threads)
        self.id = f"{folder.name}-{_digest(folder / WEIGHTS)}"
        self._try(folder / WEIGHTS)

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        """Calibrated sentiments, in the order of `texts`.

        Texts of like length share a batch; as int8 scales depend on the batch, a score may differ by a few hundredths
        from one call to the next.
        """
        prepared = [prepare(text) for text in texts]
        order = sorted(range(len(prepared)), key=lambda index: len(prepared[index]))
        judged: list[Sentiment | None] = [None] * len(prepared)
        for first in range(0, len(order), self._batch):
            chosen = order[first : first + self._batch]
            rows = (row for logits in self._logits([prepared[index] for index in chosen]) for row in logits)
            for index, row in zip(chosen, rows, strict=True):
                judged[index] = self._sentiment(row)
        return [sentiment for sentiment in judged if sentiment is not None]

    def _logits(self, texts: list[str]) -> Iterator[NDArray[np.float32]]:
        with self._tokenizing:
            encoded = self._tokenizer(
                texts, padding=True, truncation=True, max_length=self._layout.max_length, return_tensors="np"
            )
        feed = {name: np.asarray(encoded[name], dtype=np.int64) for name in INPUTS}
        rows = max(1, TOKENS // feed["input_ids"].shape[1])
        for first in range(0, len(texts), rows):
            part = {name: values[first : first + rows] for name, values in feed.items()}
            yield self._session.run(None, part)[0]

    def _sentiment(self, logits: NDArray[np.float32]) -> Sentiment:
        # The temperature stands in the weights already.
        powers = np.exp(logits.astype(np.float64) - logits.max())
        shares = powers / powers.sum()
        return Sentiment(**{label: float(shares[i]) for i, label in enumerate(self._layout.labels)}, model=self.id)

    def _try(self, file: Path) -> None:
        try:
            answers = list(self._logits(["a first text"]))
        except Exception as error:
            raise ModelError(f"{file}: the model failed on a first text: {_first_line(error)}") from error
        if len(answers) != 1 or answers[0].shape != (1, len(Label)) or not np.isfinite(answers[0]).all():
            raise ModelError(f"{file}: the model must give one row of {len(Label)} finite logits for each text.")


@dataclass(frozen=True, slots=True)
class _Layout:
    """config.json: the labels in the order of the logits, the longest input in tokens, the token that fills it up."""

    labels: tuple[str, ...]
    max_length: int
    pad_token_id: int


def _require_files(folder: Path) -> None:
    these = f"{CONFIG}, {TOKENIZER} and {WEIGHTS}"
    if not folder.is_dir():
        raise ModelError(
            f"{folder}: there is no such folder. This version reads `model: bundled` or a folder with {these}; "
            "a model of a hub must be brought into that form first."
        )
    missing = [name for name in (CONFIG, TOKENIZER, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder}: {' and '.join(missing)} missing; a model needs {these}.")


def _read_layout(file: Path) -> _Layout:
    try:
        config = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: cannot be read: {_first_line(error)}") from error
    said = config if isinstance(config, dict) else {}
    labels, max_length, pad = said.get("labels"), said.get("max_length"), said.get("pad_token_id")
    if not isinstance(labels, list) or sorted(map(str, labels)) != sorted(Label):
        raise ModelError(f"{file}: `labels` must be {', '.join(Label)}, in the order of the model's logits.")
    if type(max_length) is not int or max_length < 8:
        raise ModelError(f"{file}: `max_length` must be a number of tokens, 8 or more.")
    if type(pad) is not int or pad < 0:
        raise ModelError(f"{file}: `pad_token_id` must be the number of the token that fills up short texts.")
    return _Layout(tuple(labels), max_length, pad)


def _load_tokenizer(file: Path, layout: _Layout) -> Any:
    try:
        make: Any = PreTrainedTokenizerFast  # it carries no types
        tokenizer = make(tokenizer_file=str(file), model_max_length=layout.max_length)
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(layout.pad_token_id)
    except Exception as error:  # the tokenizers library raises bare Exceptions
        raise ModelError(f"{file}: this is no tokenizer: {_first_line(error)}") from error
    if tokenizer.pad_token is None or tokenizer.pad_token_id != layout.pad_token_id:
        raise ModelError(f"{file}: has no token {layout.pad_token_id}, which {CONFIG} gives as `pad_token_id`.")
    return tokenizer


def _load_session(file: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what fails is raised; nothing else goes to the log
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base class
        raise ModelError(f"{file}: this is no ONNX model: {_first_line(error)}") from error
    inputs = {one.name for one in session.get_inputs()}
    if inputs != INPUTS:
        found = ", ".join(sorted(inputs)) or "none"
        raise ModelError(f"{file}: its inputs are {found}; they must be {' and '.join(sorted(INPUTS))}.")
    return session


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:12]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
