from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor import sentiment
from monitor.errors import ModelError
from monitor.model import Label
from monitor.sentiment import SentimentModel, load_model
from monitor.sentiment.prepare import LENGTH, prepare

ROOT = Path(__file__).parents[2]
BUNDLED = Path(sentiment.__file__).parent / "bundled"
FEELINGS = {
    "I absolutely love this, thank you so much!": Label.POSITIVE,
    "Worst service ever, I am furious and want my money back": Label.NEGATIVE,
    "Che meraviglia, sono felicissimo, grazie mille!": Label.POSITIVE,
    "Pessimo servizio, sono furioso, vergognatevi": Label.NEGATIVE,
}
PREPARED = {
    "accounts": ("@Mario_1 hi @x, a@b", "@user hi @user, a@b"),
    "links": ("see HTTPS://a.example/b?c and www.a.example", "see http and http"),
    "entities and white space": (" a &amp;\n\u00a0 b\t", "a & b"),
    "lone surrogates": ("a\ud800b", "ab"),
    "length": ("a" * 10_000, "a" * LENGTH),
}


@pytest.fixture(scope="module")
def model() -> SentimentModel:
    return load_model("bundled")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole model, to be broken."""
    target = tmp_path / "mine"
    target.mkdir()
    for name in ("config.json", "tokenizer.json", "model.onnx"):
        (target / name).symlink_to(BUNDLED / name)
    return target


@pytest.mark.parametrize(("text", "prepared"), PREPARED.values(), ids=PREPARED.keys())
def test_texts_are_prepared_as_in_training(text: str, prepared: str) -> None:
    assert prepare(text) == prepared


def test_plain_feelings_are_judged_right_and_stay_in_order(model: SentimentModel) -> None:
    texts = list(FEELINGS) * 3 + ["x" * 300, ""] + list(FEELINGS)
    labels = [judged.label for judged in model.judge(texts)]
    assert labels[:12] == list(FEELINGS.values()) * 3
    assert labels[14:] == list(FEELINGS.values())


@pytest.mark.parametrize(
    "text", ["", " ", "@x", "🔥", "\x00", "\ud800", "a" * 1_000_000, "e\u0301" * 50_000, "@" * 100_000, "&" * 100_000]
)
def test_any_text_gets_probabilities(model: SentimentModel, text: str) -> None:
    judged = model.judge([text])[0]
    assert judged.negative + judged.neutral + judged.positive == pytest.approx(1)
    assert min(judged.negative, judged.neutral, judged.positive) >= 0


def test_an_empty_text_is_not_strongly_felt(model: SentimentModel) -> None:
    assert abs(model.judge([""])[0].score) < 0.5


def test_nothing_to_judge(model: SentimentModel) -> None:
    assert model.judge([]) == []


def test_threads_may_judge_at_once(model: SentimentModel) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(model.judge, [list(FEELINGS)] * 8))
    assert all([judged.label for judged in answer] == list(FEELINGS.values()) for answer in answers)


def test_a_folder_is_read_and_the_id_tells_weights_apart(model: SentimentModel, folder: Path) -> None:
    mine = load_model(str(folder), batch=2)
    assert mine.judge(list(FEELINGS))[1].model == mine.id
    assert mine.id.removeprefix("mine-") == model.id.removeprefix("bundled-")


def _config(**changes: object) -> Callable[[Path], None]:
    return lambda folder: _replace(folder / "config.json", json.dumps(json.loads(_text(folder)) | changes))


def _text(folder: Path) -> str:
    return (folder / "config.json").read_text("utf-8")


def _replace(file: Path, content: str) -> None:
    file.unlink()
    file.write_text(content, "utf-8")


def _other_inputs(folder: Path) -> None:
    weights = (folder / "model.onnx").read_bytes().replace(b"attention_mask", b"attention_fade")
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").write_bytes(weights)


BROKEN = {
    "no folder": (shutil.rmtree, "mine: there is no such folder"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "mine: config.json missing"),
    "no weights": (lambda folder: (folder / "model.onnx").unlink(), "mine: model.onnx missing"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "mine: tokenizer.json missing"),
    "config is no JSON": (lambda folder: _replace(folder / "config.json", "{"), "config.json: cannot be read"),
    "config is a list": (lambda folder: _replace(folder / "config.json", "[]"), "`labels` must be"),
    "other labels": (_config(labels=["bad", "good", "neutral"]), "`labels` must be negative, neutral, positive"),
    "two labels": (_config(labels=["negative", "positive"]), "`labels` must be"),
    "no length": (_config(max_length=None), "`max_length` must be"),
    "no padding": (_config(pad_token_id="<pad>"), "`pad_token_id` must be"),
    "unknown padding": (_config(pad_token_id=999_999), "tokenizer.json: has no token 999999"),
    "no tokenizer file": (lambda folder: _replace(folder / "tokenizer.json", "{bad"), "tokenizer.json: this is no"),
    "no ONNX file": (lambda folder: _replace(folder / "model.onnx", "weights"), "model.onnx: this is no ONNX model"),
    "other inputs": (_other_inputs, "its inputs are attention_fade, input_ids; they must be attention_mask and"),
}


@pytest.mark.parametrize(("damage", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_model_that_cannot_be_used_is_refused(
    folder: Path, damage: Callable[[Path], None], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(folder)
    with pytest.raises(ModelError) as refused:
        load_model(str(folder))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


def test_labels_in_another_order_are_followed(model: SentimentModel, folder: Path) -> None:
    _config(labels=["positive", "neutral", "negative"])(folder)
    bad = "Worst service ever, I am furious"
    assert load_model(str(folder)).judge([bad])[0].positive == pytest.approx(model.judge([bad])[0].negative)


def test_nothing_is_fetched_written_or_said(tmp_path: Path) -> None:
    code = (
        "import socket\n"
        "def refuse(*_): raise SystemExit('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from monitor.sentiment import load_model\n"
        "assert load_model('bundled').judge(['thanks']*40)\n"
        "import sys; assert not {'torch', 'tensorflow', 'sklearn'} & set(sys.modules)"
    )
    environment = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, cwd=tmp_path, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == []


def test_the_interface_is_cheap_to_import() -> None:
    code = "import monitor.sentiment, sys; assert not {'numpy', 'onnxruntime', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
