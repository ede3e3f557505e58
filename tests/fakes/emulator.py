"""An independent Slack to test against: local-slack, made by others, installed by the test run itself.

    with Emulator(folder) as slack:
        SlackMessenger("xoxb-test-token", install="here", api_url=slack.api_url)
        slack.click("C00000001", ts, "U0ANN00000", button)

It knows the Web API, Socket Mode and what people do (clicks, forms, commands, App Home), but it is kind: every token is
good, it enforces no limit, never fails, and drops metadata. What goes wrong is `slack_server`'s to play.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import platform
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from slack_sdk.socket_mode.builtin.connection import Connection, ConnectionState

VERSION = "0.1.8"
PACKAGE = "local-slack-linux-x64"
#: What npm must find: the program is run by every test run, so it is this one or none.
INTEGRITY = "sha512-2BCTKxKajjZNWCSCj66Jq5VDScUDNpGZ1lA3281I8RvpDE4/ULCwC26TlcW6/4sPbSTs02Q3KjTiltJp3ZBEvg=="
CACHE = Path(__file__).parents[2] / ".cache" / f"{PACKAGE}-{VERSION}"

BOT_TOKEN, APP_TOKEN = "xoxb-test-token", "xapp-1-A0BRANDMON-1-test"
APP, BOT = "A0BRANDMON", "U0BOT00000"
ANN, BEN, ROBOT = "U0ANN00000", "U0BEN00000", "U0ROBOT000"
SOCIAL, LEADS, ELSEWHERE = "C00000001", "C00000002", "C00000003"
CONFIG = {
    "workspace": {"name": "Acme", "domain": "acme", "teamId": "T00000001"},
    "apps": [
        {"appId": APP, "botUserId": BOT, "botName": "brand-monitor", "botToken": BOT_TOKEN, "appToken": APP_TOKEN}
    ],
    "users": [
        {"id": ANN, "name": "ann", "real_name": "Ann Rossi", "tz": "Europe/Rome"},
        {"id": BEN, "name": "ben", "real_name": "Ben Bianchi", "tz": "Europe/Rome"},
        {"id": ROBOT, "name": "robot", "is_bot": True},
    ],
    "channels": [
        {"id": SOCIAL, "name": "social", "members": [BOT, ANN, BEN]},
        {"id": LEADS, "name": "leads", "is_private": True, "members": [BOT, BEN]},
        {"id": ELSEWHERE, "name": "elsewhere", "members": [ANN]},
    ],
}
#: For what another process does.
PATIENCE = 20.0

Message = dict[str, Any]
_urls = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def installed() -> Path:
    """The emulator's program, installed where it is not yet; skips the test, with the reason, where it cannot be."""
    program = CACHE / "node_modules" / PACKAGE / "bin" / "local-slack"
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip(f"the Slack emulator exists for Linux on x86-64, not for {platform.system()} {platform.machine()}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _install()
    return program


def _install() -> None:
    if (npm := shutil.which("npm")) is None:
        pytest.skip("npm, which installs the Slack emulator, is not here")
    package = {"version": VERSION, "integrity": INTEGRITY, "cpu": ["x64"], "os": ["linux"]}
    wanted = {PACKAGE: VERSION}
    lock = {"": {"dependencies": wanted}, f"node_modules/{PACKAGE}": package}
    (CACHE / "package.json").write_text(json.dumps({"private": True, "dependencies": wanted}), "utf-8")
    (CACHE / "package-lock.json").write_text(
        json.dumps({"lockfileVersion": 3, "requires": True, "packages": lock}), "utf-8"
    )
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    try:
        done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, timeout=180, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not bring the Slack emulator within three minutes")
    assert "EINTEGRITY" not in done.stderr, f"npm offers another {PACKAGE} {VERSION} than the one that is known"
    if done.returncode:
        pytest.skip(f"npm could not install the Slack emulator: {(done.stderr.strip().splitlines() or ['?'])[0]}")


class Emulator:
    """A running emulator, empty at first; `folder` takes its configuration and what it says."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._program = folder, installed()

    @property
    def api_url(self) -> str:
        return f"{self._base}/api/"

    def __enter__(self) -> Emulator:
        config = self._folder / "emulator.json"
        config.write_text(json.dumps(CONFIG), "utf-8")
        for attempt in range(3):
            port = _free_port()
            self._base = f"http://127.0.0.1:{port}"
            options = ["--config", str(config), "--port", str(port), "--base-host", "127.0.0.1"]
            with (self._folder / f"emulator-{attempt}.log").open("wb") as output:
                self._process = subprocess.Popen(
                    [str(self._program), *options, "--files-dir", str(self._folder)],
                    stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                    env={"PATH": os.environ.get("PATH", ""), "HOME": str(self._folder)},
                )  # fmt: skip
            if self._answers():
                return self
            self._stop()
        raise AssertionError("the Slack emulator does not start: " + Path(output.name).read_text("utf-8")[-500:])

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def _answers(self) -> bool:
        end = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < end:
            try:
                self._get("state")
                return True
            except OSError:
                time.sleep(0.02)
        return False

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    # -- what stands in Slack ------------------------------------------------------------------------------------

    def messages(self, channel: str) -> list[Message]:
        """Everything in `channel` (an id), oldest first: threads, and what is shown to one person alone
        (`subtype` is then "ephemeral", and `ephemeral_to` says to whom)."""
        return list(self._get(f"messages/{channel}")["messages"])

    def requests(self, method: str) -> list[Message]:
        """What was asked of the Web API's `method`, oldest first."""
        log = self._get("log")["log"]
        return [entry["detail"] for entry in log if entry["kind"] == "web_api" and entry["summary"] == method]

    def connected(self) -> bool:
        """Whether the app hears of what people do."""
        with self.screen() as screen:
            return screen.connected

    def reset(self) -> None:
        self._post("reset")

    # -- what people do ------------------------------------------------------------------------------------------

    def say(self, channel: str, user: str, text: str) -> str:
        """Somebody writes; returns the message's `ts`."""
        return str(self._post("message", channel=channel, user=user, text=text)["message"]["ts"])

    def click(self, channel: str, ts: str, user: str, button: Message) -> float:
        """Do what `pressed` says; returns the seconds until the app acknowledged it: five where it never does."""
        start = time.monotonic()
        self._post("interact", channel=channel, messageTs=ts, user=user, action=button)
        return time.monotonic() - start

    def command(self, channel: str, user: str, text: str, command: str = "/brand") -> float:
        start = time.monotonic()
        self._post("command", channel=channel, user=user, command=command, text=text)
        return time.monotonic() - start

    def open_home(self, user: str) -> None:
        self._post("open-home", user=user)

    @contextmanager
    def screen(self) -> Iterator[Screen]:
        """What stands on people's screens beside messages: forms, and App Home."""
        with Screen(f"{self._base.replace('http:', 'ws:')}/ui") as screen:
            yield screen

    def _get(self, path: str) -> Message:
        with _urls.open(f"{self._base}/_control/{path}", timeout=PATIENCE) as answer:
            return dict(json.load(answer))

    def _post(self, path: str, **arguments: Any) -> Message:
        request = urllib.request.Request(
            f"{self._base}/_control/{path}", json.dumps(arguments).encode(), {"Content-Type": "application/json"}
        )
        with _urls.open(request, timeout=PATIENCE) as answer:
            return dict(json.load(answer))


class Screen:
    """The emulator's own user interface, without a browser. The workspace has one stack of forms for everybody."""

    def __init__(self, url: str) -> None:
        self._changed = threading.Condition()
        self._forms: list[Message] | None = None
        self._homes: dict[str, Message] = {}
        self._errors: list[dict[str, str]] = []
        self.connected = False
        self._state = ConnectionState()
        logger = logging.Logger("emulator", level=logging.CRITICAL)
        self._connection = Connection(url, logger, receive_timeout=0.1, on_message_listener=self._hear)
        self._thread = threading.Thread(target=self._connection.run_until_completion, args=(self._state,))

    def __enter__(self) -> Screen:
        self._connection.connect()
        self._thread.start()
        self.until(lambda: self._forms is not None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._state.terminated = True
        self._thread.join()
        self._connection.close()

    def _hear(self, text: str) -> None:
        event = json.loads(text)
        with self._changed:
            match event["t"]:
                case "init":
                    self._forms = event["state"]["modalStack"]
                    self.connected = any(app["connected"] for app in event["state"]["apps"])
                    for user, views in event["state"]["homeViews"].items():
                        self._homes[user] = next(iter(views.values()))
                case "view":
                    self._forms = event["stack"]
                case "view_errors":
                    self._errors.append(event["errors"])
                case "home":
                    self._homes[event["user"]] = event["view"]
            self._changed.notify_all()

    def until(self, holds: Callable[[], object], seconds: float = PATIENCE) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(holds()), seconds), "that did not appear on the screen"

    def form(self) -> Message:
        """The form that is open on top, as soon as one is."""
        self.until(lambda: self._forms)
        assert self._forms
        return self._forms[-1]

    def form_closes(self) -> None:
        self.until(lambda: not self._forms)

    def home(self, user: str) -> Message:
        """The App Home of `user`, as soon as it is published."""
        self.until(lambda: user in self._homes)
        return self._homes[user]

    def submit(self, user: str, values: Message) -> None:
        """Send the form on top; `values` are by block id and action id, as in Slack's `view.state.values`."""
        self._connection.send(json.dumps({"t": "view_submit", "user": user, "values": values}))

    def refused(self) -> dict[str, str]:
        """What is written beside the fields of a form that was sent, by block id."""
        self.until(lambda: self._errors)
        return self._errors[-1]


def pressed(message: Message, deed: str) -> Message:
    """The action of whoever presses the button for `deed` below a message, or chooses it in the menu beside them."""
    for block in message.get("blocks") or ():
        where = {"block_id": block.get("block_id", "")}
        for element in (*block.get("elements", ()), block.get("accessory") or {}):
            if element.get("action_id", "").split(":")[0] == deed:
                return {**element, **where}
            for option in element.get("options", ()):
                if str(option.get("value", "")).split(":")[0] == deed:
                    given = {"type": element["type"], "action_id": element["action_id"]}
                    return {**given, **where, "selected_option": option}
    raise AssertionError(f"the message has no button {deed}: {json.dumps(message.get('blocks'))[:2000]}")


def filled(form: Message, **answers: str) -> Message:
    """What `form` brings back when its fields, by block id, are filled in with `answers`: the value of a choice, the id
    of a person, or text."""
    values: Message = {}
    for block in form["blocks"]:
        if block.get("type") != "input" or block["block_id"] not in answers:
            continue
        element, answer = block["element"], answers.pop(block["block_id"])
        given: Message = {"type": element["type"]}
        if element["type"] == "users_select":
            given["selected_user"] = answer
        elif "options" in element:
            given["selected_option"] = next(option for option in element["options"] if option["value"] == answer)
        else:
            given["value"] = answer
        values[block["block_id"]] = {element["action_id"]: given}
    assert not answers, f"the form has no field {', '.join(answers)}: {json.dumps(form['blocks'])[:2000]}"
    return values


def eventually(holds: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What `holds` returns as soon as it is true: the other side works in its own time."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "that did not happen"
        time.sleep(0.02)
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
