"""A Slack on loopback that people click in: Socket Mode over a real WebSocket, beside all that `SlackServer` does.

    with SocketSlack() as slack:
        slack.until(lambda: slack.connections)
        envelope = slack.click("U0ANNA", message, "ack")
        assert slack.acked(envelope) == {}

The WebSocket is RFC 6455 by hand. It can go silent, hang up, say goodbye, greet with a wrong count, or not at all.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.fakes.slack_server import Answer, Message, SlackServer

TEAM = "T0ACME"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def member(id: str, name: str, **other: Any) -> dict[str, Any]:
    """A user as users.info describes one."""
    shown = {"display_name": name, "real_name": name}
    return {"id": id, "team_id": TEAM, "name": name, "profile": shown, "tz": "Europe/Rome", "locale": "en-GB", **other}


class SocketSlack(SlackServer):
    """Who there is, is told by its `workspace`. `views`, `homes`, `whispers`, `answers` are what people were shown:
    (trigger, view), (user, view), (user, text, arguments), (address, body)."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(now=now)
        self.scopes += ",users:read,usergroups:read,commands"
        self.workspace.members = {"U0ANNA": member("U0ANNA", "Anna"), "U0BRUNO": member("U0BRUNO", "Bruno")}
        self.views: list[tuple[str, dict[str, Any]]] = []
        self.homes: list[tuple[str, dict[str, Any]]] = []
        self.whispers: list[tuple[str, str, Message]] = []
        self.answers: list[tuple[str, Message]] = []
        #: How many connections hello tells of; None for as many as there are.
        self.counted: int | None = None
        #: Sends nothing and answers no ping, as long as this is set; new connections are opened but not greeted.
        self.silent = False
        #: New connections are taken, and the WebSocket's handshake is never answered.
        self.frozen = False
        self.changed = threading.Condition()
        self._links: list[_Link] = []
        self.opened = 0
        self._acks: dict[str, tuple[float, dict[str, Any]]] = {}
        self.sent: dict[str, float] = {}
        self._envelopes: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.workspace.socket_url = f"ws://127.0.0.1:{self._listening.getsockname()[1]}/link?ticket=secret"
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> SocketSlack:
        super().__enter__()
        self._accepting.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join()
        for link in list(self._links):
            link.cut()
            link.thread.join()
        super().__exit__(*exception)

    # -- what a test does ----------------------------------------------------------------------------------------

    @property
    def connections(self) -> int:
        return sum(link.greeted for link in self._links)

    def until(self, met: Callable[[], Any], seconds: float = 20) -> Any:
        """Wait until something is true; fail where it does not become so in time."""
        end = time.monotonic() + seconds
        with self.changed:
            while not (found := met()):
                assert time.monotonic() < end, "it did not happen in time"
                self.changed.wait(0.02)
        return found

    def send(self, kind: str, payload: dict[str, Any], *, envelope: str | None = None) -> str:
        """Tell the program something; return the id of the envelope."""
        id = envelope or f"e-{next(self._numbers)}"
        told = {"type": kind, "envelope_id": id, "payload": payload, "accepts_response_payload": True}
        self._envelopes[id] = json.dumps(told)
        self.redeliver(id)
        return id

    def redeliver(self, id: str) -> None:
        """Send an envelope (again) over the newest connection."""
        link = self.until(lambda: next((link for link in reversed(self._links) if link.greeted), None))
        with self.changed:
            self._acks.pop(id, None)
            self.sent[id] = time.monotonic()
        link.send(TEXT, self._envelopes[id].encode())

    def envelope(self, id: str) -> dict[str, Any]:
        """The payload that was sent in it."""
        return dict(json.loads(self._envelopes[id])["payload"])

    def acked(self, id: str, seconds: float = 20) -> dict[str, Any]:
        """Wait for the acknowledgement; what came with it."""
        self.until(lambda: id in self._acks, seconds)
        return self._acks[id][1]

    def is_acked(self, id: str) -> bool:
        return id in self._acks

    def ack_seconds(self, id: str) -> float:
        """How long the acknowledgement took."""
        return self._acks[id][0] - self.sent[id]

    def click(self, user: str, message: Message, deed: str, *, channel: str = "brand-alerts", **other: Any) -> str:
        """`user` presses the button (or chooses from the menu) of a message for this deed."""
        value = next(value for value in values(message) if value.partition(":")[0] == deed)
        return self.press(user, value, channel=self.channels[channel], ts=message["ts"], **other)

    def press(self, user: str, value: str, *, channel: str = "", ts: str = "", **other: Any) -> str:
        number = next(self._numbers)
        team = self.workspace.members.get(user, {}).get("team_id", TEAM)
        action = {"type": "button", "action_id": value.partition(":")[0], "block_id": "b", "value": value}
        payload = {
            "type": "block_actions", "team": {"id": TEAM, "domain": "acme"}, "token": "a-secret",
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": team},
            "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
            "channel": {"id": channel, "name": "some"}, "trigger_id": f"trigger-{number}",
            "response_url": f"{self.url}respond/{number}", "actions": [{**action, "action_ts": f"{number}.000100"}],
            **other,
        }  # fmt: skip
        return self.send("interactive", payload)

    def submit(self, user: str, view: dict[str, Any], values: dict[str, Any], view_id: str = "V1") -> str:
        """`user` sends a form that was opened: `values` by block, as Slack gives them."""
        state = {"values": {block: {block: value} for block, value in values.items()}}
        given = {**view, "id": view_id, "state": state}
        known = {"id": user, "name": user.lower(), "team_id": self.workspace.members.get(user, {}).get("team_id", TEAM)}
        payload = {"type": "view_submission", "team": {"id": TEAM}, "user": known, "trigger_id": "t2", "view": given}
        return self.send("interactive", payload)

    def command(self, user: str, text: str) -> str:
        number = next(self._numbers)
        payload = {
            "command": "/brand", "text": text, "user_id": user, "user_name": user.lower(), "team_id": TEAM,
            "channel_id": self.channels["brand-alerts"], "response_url": f"{self.url}respond/{number}",
            "trigger_id": f"trigger-{number}",
        }  # fmt: skip
        return self.send("slash_commands", payload)

    def open_home(self, user: str) -> str:
        event = {"type": "app_home_opened", "user": user, "tab": "home"}
        return self.send("events_api", {"team_id": TEAM, "type": "event_callback", "event": event})

    def goodbye(self, reason: str = "refresh_requested") -> None:
        """Announce that the connections will be closed."""
        for link in self._open():
            link.send(TEXT, json.dumps({"type": "disconnect", "reason": reason}).encode())

    def hang_up(self, *, politely: bool = True) -> None:
        for link in self._open():
            if politely:
                link.send(CLOSE, struct.pack("!H", 1000))
            link.cut()

    def _open(self) -> list[_Link]:
        return list(self._links)

    # -- the Web API ---------------------------------------------------------------------------------------------

    def _answer(self, method: str, token: str, arguments: Message) -> Answer:
        answer = self._own(method, token, arguments)
        with self.changed:
            self.changed.notify_all()
        return super()._answer(method, token, arguments) if answer is None else answer

    def _own(self, method: str, token: str, arguments: Message) -> Answer | None:
        if method.startswith("respond/"):
            self.answers.append((method, arguments))
            return {"ok": True}
        if token != self.token:
            return None
        match method:
            case "auth.test":
                return {**super()._answer(method, token, arguments), "team_id": TEAM, "url": "https://acme.slack.com/"}
            case "views.open":
                self.views.append((arguments["trigger_id"], _json(arguments["view"])))
                return {"ok": True}
            case "views.publish":
                self.homes.append((arguments["user_id"], _json(arguments["view"])))
                return {"ok": True}
            case "chat.postEphemeral":
                self.whispers.append((arguments["user"], arguments["text"], arguments))
                return {"ok": True, "message_ts": "1.1"}
            case "chat.postMessage" if arguments["channel"].startswith("U"):
                self.whispers.append((arguments["channel"], arguments["text"], arguments))
                return {"ok": True, "channel": "D1", "ts": "1.1"}
        return None

    # -- the socket ----------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                link = _Link(self, connection)
                with self.changed:
                    self._links.append(link)
                link.thread.start()

    def greet(self, link: _Link) -> None:
        if self.silent:
            return
        count = len(self._links) if self.counted is None else self.counted
        link.send(TEXT, json.dumps({"type": "hello", "num_connections": count, "connection_info": {}}).encode())
        with self.changed:
            link.greeted = True
            self.opened += 1
            self.changed.notify_all()

    def heard(self, text: bytes) -> None:
        told = json.loads(text)
        with self.changed:
            self._acks[told["envelope_id"]] = (time.monotonic(), told.get("payload") or {})
            self.changed.notify_all()

    def gone(self, link: _Link) -> None:
        with self.changed:
            if link in self._links:
                self._links.remove(link)
            self.changed.notify_all()


class _Link:
    """One connection: the handshake, then frames."""

    def __init__(self, slack: SocketSlack, connection: socket.socket) -> None:
        self.slack, self._socket, self.greeted = slack, connection, False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._sending = threading.Lock()

    def send(self, opcode: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | opcode, 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
        with self._sending, contextlib.suppress(OSError):
            self._socket.sendall(head + data)

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with self._socket, contextlib.suppress(OSError, EOFError), self._socket.makefile("rb") as stream:
            self._shake_hands(stream)
            if not self.slack.frozen:
                self.slack.greet(self)
            while True:
                opcode, data = _frame(stream)
                if self.slack.silent:
                    continue
                if opcode == PING:
                    self.send(PONG, data)
                elif opcode == TEXT:
                    self.slack.heard(data)
                elif opcode == CLOSE:
                    break
        self.slack.gone(self)

    def _shake_hands(self, stream: Any) -> None:
        key = b""
        while (line := stream.readline().strip()) or not key:
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                key = value.strip()
        if self.slack.frozen:
            return
        accept = base64.b64encode(hashlib.sha1(key + _MAGIC).digest())
        self._socket.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )


def _frame(stream: Any) -> tuple[int, bytes]:
    def exactly(count: int) -> bytes:
        data: bytes = stream.read(count)
        if len(data) < count:
            raise EOFError
        return data

    first, second = exactly(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", exactly(2))
    elif size == 127:
        (size,) = struct.unpack("!Q", exactly(8))
    mask = exactly(4) if second & 0x80 else bytes(4)
    data = exactly(size)
    return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


def values(message: Message) -> Iterator[str]:
    """What the buttons and menus of a message carry."""
    blocks = _json(message.get("blocks") or [])
    for block in blocks:
        for element in [*block.get("elements", ()), block.get("accessory", {})]:
            if "value" in element:
                yield element["value"]
            for option in element.get("options", ()):
                yield option["value"]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
