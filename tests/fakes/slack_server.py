"""A Slack on loopback that keeps messages, enforces limits and misbehaves on demand.

    with SlackServer(now=clock) as slack:
        slack.script("chat.postMessage", HTTP_500_AFTER_ACCEPTING)
        …
        assert len(slack.posts("brand-alerts")) == 1

Its clock is the test's: it stamps messages and `Date` headers, and hides messages from histories for `history_lag`
seconds.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tests.fakes import block_kit
from tests.fakes.slack_workspace import Workspace

TOKEN = "xoxb-test-token"
SCOPES = "chat:write,channels:read,channels:history,groups:read,groups:history,users:read,usergroups:read,commands"
BOT = {"user_id": "U0BOT", "bot_id": "B0BOT"}

Message = dict[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """How one request goes wrong. `accept`: it takes effect all the same. `body`: "whole", "cut" in the middle,
    "garbled" (no JSON), or "reset" (the connection breaks). `hold`: the answer comes when the client has given up."""

    status: int = 200
    error: str | None = None
    accept: bool = False
    body: str = "whole"
    hold: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


RATE_LIMITED = Fault(429, "ratelimited", headers={"Retry-After": "7"})
RATE_LIMITED_WITHOUT_A_TIME = Fault(429, "ratelimited")
HTTP_500_BEFORE_ACCEPTING = Fault(500, "internal_error")
HTTP_500_AFTER_ACCEPTING = Fault(500, "internal_error", accept=True)
FATAL_ERROR_AFTER_ACCEPTING = Fault(200, "fatal_error", accept=True)
RESET_BEFORE_ACCEPTING = Fault(body="reset")
RESET_AFTER_ACCEPTING = Fault(accept=True, body="reset")
CUT_BODY = Fault(accept=True, body="cut")
GARBLED_BODY = Fault(accept=True, body="garbled")
TOO_SLOW_BEFORE_ACCEPTING = Fault(hold=True)
TOO_SLOW_AFTER_ACCEPTING = Fault(accept=True, hold=True)
NOT_READ = Fault(200, "request_timeout")


def refused(code: str) -> Fault:
    return Fault(200, code)


class SlackServer:
    """`watch` is called with ("received" | "accepted", method) on the server's thread, for killing a process there."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.channels = {"brand-alerts": "C00000001", "fallback": "C00000002"}
        self.token, self.scopes, self.me = TOKEN, SCOPES, {"team": "Acme", "user": "brand-monitor", **BOT}
        self.archived: set[str] = set()
        self.not_joined: set[str] = set()
        self.workspace = Workspace()
        self.history_lag = 0.0
        self.page = 3
        self.requests: list[tuple[str, Message]] = []
        self.watch: Callable[[str, str], None] = lambda moment, method: None
        self._messages: dict[str, list[Message]] = defaultdict(list)
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._lock = threading.RLock()
        self._release = threading.Event()
        self._last_ts = 0.0
        self._http = _Http(self)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/api/"

    def __enter__(self) -> SlackServer:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._release.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def script(self, method: str, *faults: Fault) -> None:
        """The next calls of `method` meet these faults, one each."""
        self._faults[method].extend(faults)

    def mend(self, method: str) -> None:
        """Its calls meet no faults any more."""
        self._faults[method].clear()

    def posts(self, channel: str) -> list[Message]:
        """What people see in `channel` (its name), oldest first, threads included."""
        with self._lock:
            return [dict(message) for message in self._messages[self.channels[channel]]]

    def put(self, channel: str, ts: str, text: str) -> None:
        """A message of ours that has stood there for long."""
        old = {"channel": channel, "ts": ts, "text": text, "user": BOT["user_id"], "bot_id": BOT["bot_id"]}
        self._messages[self.channels[channel]].append({**old, "visible_at": 0.0})

    def calls(self, method: str) -> int:
        return sum(called == method for called, _ in self.requests)

    # -- answering -----------------------------------------------------------------------------------------------

    def handle(self, method: str, token: str, arguments: Message) -> tuple[Fault, Answer]:
        self.watch("received", method)
        with self._lock:
            self.requests.append((method, arguments))
            fault = self._faults[method].popleft() if self._faults[method] else Fault()
        if fault.hold and not fault.accept:
            self._release.wait()
            return fault, {"ok": False, "error": "request_timeout"}
        failing = fault != Fault(hold=fault.hold)
        with self._lock:
            answer = {"ok": True} if failing and not fault.accept else self._answer(method, token, arguments)
        if answer["ok"]:
            self.watch("accepted", method)
        if fault.hold:
            self._release.wait()
        if fault.error:
            answer = _no(fault.error)
        return fault, answer

    def _answer(self, method: str, token: str, arguments: Message) -> Answer:
        if method == "apps.connections.open":
            return self.workspace.open_socket(token)
        if token != self.token:
            return _no("invalid_auth" if token else "not_authed")
        match method:
            case "auth.test":
                return {"ok": True, **self.me}
            case "users.conversations":
                joined = [
                    {"id": id, "name": name, "is_archived": name in self.archived}
                    for name, id in self.channels.items()
                    if name not in self.not_joined
                ]
                return self._paged("channels", joined, arguments)
            case "conversations.list":
                public = [
                    {"id": id, "name": name, "is_archived": name in self.archived}
                    for name, id in self.channels.items()
                    if name not in self.workspace.private
                ]
                return self._paged("channels", public, arguments)
        if (answer := self.workspace.answer(method, arguments)) is not None:
            return answer
        channel = self._channel(str(arguments.get("channel", "")), by_name=method == "chat.postMessage")
        if channel is None:
            return _no("channel_not_found")
        name = next(name for name, id in self.channels.items() if id == channel)
        if method == "conversations.info":
            return {"ok": True, "channel": {"id": channel, "name": name, "is_archived": name in self.archived}}
        if name in self.not_joined:
            return _no("not_in_channel")
        if name in self.archived and method.startswith("chat."):
            return _no("is_archived")
        actions: dict[str, Callable[[str, Message], Answer]] = {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
        }
        return actions[method](channel, arguments)

    def _channel(self, given: str, *, by_name: bool) -> str | None:
        if given in self.channels.values():
            return given
        return self.channels.get(given.removeprefix("#")) if by_name else None

    def _post(self, channel: str, arguments: Message) -> Answer:
        if fault := block_kit.fault_of(arguments):
            return _no(fault)
        if arguments.get("thread_ts") and not self._at(channel, arguments["thread_ts"]):
            return _no("thread_not_found")
        self._last_ts = max(self.now(), self._last_ts + 0.000_1)
        message = {
            **arguments, "ts": f"{self._last_ts:.6f}", "user": BOT["user_id"], "bot_id": BOT["bot_id"],
            "visible_at": self.now() + self.history_lag,
        }  # fmt: skip
        self._messages[channel].append(message)
        return {"ok": True, "channel": channel, "ts": message["ts"]}

    def _update(self, channel: str, arguments: Message) -> Answer:
        if fault := block_kit.fault_of(arguments):
            return _no(fault)
        if (message := self._at(channel, arguments["ts"])) is None:
            return _no("message_not_found")
        message.update({"text": arguments["text"], "blocks": arguments.get("blocks")})
        return {"ok": True, "channel": channel, "ts": message["ts"]}

    def _delete(self, channel: str, arguments: Message) -> Answer:
        if (message := self._at(channel, arguments["ts"])) is None:
            return _no("message_not_found")
        self._messages[channel].remove(message)
        return {"ok": True, "channel": channel, "ts": message["ts"]}

    def _history(self, channel: str, arguments: Message) -> Answer:
        return self._read(channel, arguments, lambda message: not message.get("thread_ts"))

    def _replies(self, channel: str, arguments: Message) -> Answer:
        thread = arguments["ts"]
        if not self._at(channel, thread):
            return _no("thread_not_found")
        return self._read(channel, arguments, lambda message: thread in (message["ts"], message.get("thread_ts")))

    def _read(self, channel: str, arguments: Message, wanted: Callable[[Message], bool]) -> Answer:
        oldest = float(arguments.get("oldest", 0))
        found = [
            {**message, "metadata": message.get("metadata") if arguments.get("include_all_metadata") == "1" else None}
            for message in reversed(self._messages[channel])
            if wanted(message) and float(message["ts"]) >= oldest and message["visible_at"] <= self.now()
        ]
        return self._paged("messages", found, arguments)

    def _paged(self, key: str, items: list[Any], arguments: Message) -> Answer:
        start = int(arguments.get("cursor") or 0)
        end = start + min(int(arguments.get("limit", 100)), self.page)
        more = end < len(items)
        cursor = {"next_cursor": str(end) if more else ""}
        return {"ok": True, key: items[start:end], "has_more": more, "response_metadata": cursor}

    def _at(self, channel: str, ts: str) -> Message | None:
        return next((message for message in self._messages[channel] if message["ts"] == ts), None)


def _no(code: str) -> Answer:
    return {"ok": False, "error": code, **({"needed": "channels:history"} if code == "missing_scope" else {})}


class _Http(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, slack: SlackServer) -> None:
        self.slack = slack
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        json_body = "json" in self.headers.get("Content-Type", "")
        arguments = json.loads(raw or "{}") if json_body else {name: value[0] for name, value in parse_qs(raw).items()}
        slack = self.server.slack
        method = self.path.removeprefix("/api/")
        fault, answer = slack.handle(method, self.headers.get("Authorization", "").removeprefix("Bearer "), arguments)
        if fault.body == "reset":
            return
        body = b"<html>Sorry</html>" if fault.body == "garbled" else json.dumps(answer).encode()
        self.send_response_only(fault.status)
        headers = {"Content-Type": "application/json", "Date": formatdate(slack.now(), usegmt=True), **fault.headers}
        headers |= {"X-OAuth-Scopes": slack.scopes, "Content-Length": str(len(body))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault.body == "cut" else body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass
