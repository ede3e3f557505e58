"""The connection over which Slack tells what people do: Socket Mode, over slack_sdk's built-in client.

That client reconnects by itself, and then sometimes sits there deaf while `is_connected()` says that all is well. Here
it never reconnects: every session is a client of its own, watched (its pings must be answered, Slack must greet it) and
replaced as a whole. What was heard is handed on; only when that has returned is it acknowledged.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.web import WebClient

from monitor.errors import DeliveryError, DeliveryFailed, DeliveryLimited, DeliveryRefused
from monitor.slack.api import SlackApi
from monitor.slack.refusals import of_app_token
from monitor.slack.wire import PIECE, Wire

log = logging.getLogger(__name__)

#: However long a pause Slack asks for, it is asked again after so many seconds.
_LONGEST_PAUSE = 600.0


class SocketState(StrEnum):
    CONNECTING = "connecting"
    CONNECTED = "connected"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Health:
    """How the connection stands `since` when; `seen`: when Slack was last heard, be it an answer to a ping. `problem`
    is a sentence that says what to mend; `trouble` what made it connect anew last."""

    state: SocketState
    since: datetime
    seen: datetime | None = None
    reconnects: int = 0
    problem: str = ""
    trouble: str = ""

    def to_json(self) -> dict[str, Any]:
        kept = {"since": self.since.isoformat(), "seen": self.seen.isoformat() if self.seen else None}
        return {
            "state": str(self.state), "reconnects": self.reconnects, "problem": self.problem,
            "trouble": self.trouble, **kept,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pace:
    """Lengths of time, in seconds. `silent`: without any sign of Slack for so long a session is taken for deaf;
    `greeting`: so long it has to greet; `recheck`: how soon it is looked anew whether another program is still there;
    `lasting`: a session that lived so long was a good one."""

    tick: float = 0.5
    ping: float = 5.0
    silent: float = 15.0
    greeting: float = 10.0
    first_wait: float = 1.0
    longest_wait: float = 60.0
    recheck: float = 300.0
    lasting: float = 60.0


class Socket:
    """`heard` is given the type, the id and the payload of each envelope, on one thread, and returns what is to be
    answered with the acknowledgement; if it raises, there is none, and Slack may send it again. `changed` is told of
    every change of health. `clock` tells the time of day, `stopwatch` seconds that never go back."""

    def __init__(
        self,
        app_token: str,
        heard: Callable[[str, str, Mapping[str, Any]], Mapping[str, Any] | None],
        *,
        clock: Callable[[], datetime],
        changed: Callable[[Health], None] = lambda health: None,
        api_url: str = WebClient.BASE_URL,
        pace: Pace | None = None,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token, self._heard, self._clock, self._changed = app_token, heard, clock, changed
        self._api, self._pace, self._stopwatch = _Opening(app_token, api_url=api_url), pace or Pace(), stopwatch
        self._health = Health(SocketState.CONNECTING, clock())
        self._session: _Session | None = None
        #: When sessions that Slack may count still were given up.
        self._given_up: list[float] = []
        #: When a session that had been greeted was replaced.
        self._renewed: list[float] = []
        self._failures = 0
        self._wake, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="socket", daemon=True)

    @property
    def health(self) -> Health:
        return self._health

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; returns at once. Nothing is heard any more when `join` has returned."""
        self._ended.set()
        self._wake.set()

    def join(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    # -- its thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended.is_set():
            wait = self._pace.tick
            try:
                wait = self._step()
            except Exception:
                log.exception("the connection to Slack met an error it does not know; it goes on")
                wait = self._pace.longest_wait
            self._wake.wait(wait)
            if not self._ended.is_set():
                self._wake.clear()
        if session := self._session:
            for one in filter(None, (session.before, session)):
                one.close()

    def _step(self) -> float:
        """Look after the session; return how long nothing need be done, in seconds."""
        now, session = self._stopwatch(), self._session
        if session is None:
            return self._again(None) if self._health.seen else self._connect(None)
        session.look(now)
        if session.hello is not None and not session.greeted:
            session.greeted = True
            self._greeted(session)
        if session.hello is not None and now - session.opened > self._pace.lasting:
            self._failures = 0
        if session.disabled:
            self._give_up(session, "Slack switched Socket Mode off")
            return self._failed(of_app_token("link_disabled"), refused=True)
        if trouble := session.trouble(now, self._pace):
            self._give_up(session, trouble)
            return self._again(None) if session.greeted else self._failed(trouble)
        if session.leaving or self._wants_recheck(session, now):
            # The old one goes on until the new one is greeted, so that nothing is missed in between.
            return self._again(session)
        if session.hello is not None:
            self._tell(seen=self._time_of(session.seen))
        return self._pace.tick

    def _wants_recheck(self, session: _Session, now: float) -> bool:
        return session.others and now - session.opened > self._pace.recheck

    # -- connecting ----------------------------------------------------------------------------------------------

    def _again(self, before: _Session | None) -> float:
        """Connect at once, unless that was done lately: a Slack that greets and goes is given time."""
        now = self._stopwatch()
        self._renewed = [at for at in self._renewed if now - at < self._pace.lasting]
        if self._renewed:
            wait = self._backoff(len(self._renewed)) - (now - self._renewed[-1])
            if wait > 0:
                return min(wait, self._pace.tick)
        self._renewed.append(now)
        return self._connect(before)

    def _backoff(self, attempts: int) -> float:
        return float(min(self._pace.first_wait * 2 ** min(attempts - 1, 10), self._pace.longest_wait))

    def _connect(self, before: _Session | None) -> float:
        if before is None and self._health.state is SocketState.CONNECTED:
            self._tell(state=SocketState.CONNECTING)
        try:
            session = _Session(self._token, self._api.url(), self._pace, self._stopwatch, self._take, self._wake)
        except DeliveryLimited as error:
            return self._failed(str(error), before=before, wait=error.retry_after.total_seconds())
        except DeliveryRefused as error:
            return self._failed(of_app_token(error.code), refused=True, before=before)
        except DeliveryError as error:
            return self._failed(str(error), before=before)
        if not session.connect():
            session.close()
            return self._failed("Slack's socket cannot be opened: the connection is refused or cut.", before=before)
        if before and before.before:
            before.before.close()
        session.before = before
        self._session = session
        return self._pace.tick

    def _greeted(self, session: _Session) -> None:
        """Slack has said hello: only now it is known that it hears us."""
        now = self._stopwatch()
        if session.before:
            session.before.close()
            session.before = None
            self._given_up.append(now)
        self._given_up = [at for at in self._given_up if now - at < self._pace.lasting]
        session.others = (session.hello or 1) > 1 + len(self._given_up)
        again = self._health.seen is not None
        if again:
            log.info("connected to Slack's socket anew")
        problem = of_app_token("too_many_connections") if session.others else ""
        self._tell(
            state=SocketState.CONNECTED, seen=self._time_of(session.seen), problem=problem,
            reconnects=self._health.reconnects + again,
        )  # fmt: skip

    def _failed(
        self, why: str, *, refused: bool = False, before: _Session | None = None, wait: float | None = None
    ) -> float:
        """Return how long to wait before the next attempt."""
        self._failures += 1
        if before is None or before.trouble(self._stopwatch(), self._pace):
            self._tell(state=SocketState.REFUSED if refused else SocketState.CONNECTING, problem=why)
        if refused:
            return self._pace.longest_wait
        return min(wait, _LONGEST_PAUSE) if wait else self._backoff(self._failures)

    def _give_up(self, session: _Session, trouble: str) -> None:
        for one in filter(None, (session.before, session)):
            one.close()
            self._given_up.append(self._stopwatch())
        self._session = None
        self._tell(state=SocketState.CONNECTING, trouble=f"{trouble} ({self._clock():%Y-%m-%d %H:%M} UTC)")
        log.warning("the connection to Slack is built anew: %s", trouble)

    # -- what is heard -------------------------------------------------------------------------------------------

    def _take(self, session: _Session, message: Mapping[str, Any]) -> None:
        """An envelope; on the session's own thread."""
        kind, id, payload = message.get("type"), message.get("envelope_id"), message.get("payload")
        if self._ended.is_set() or not isinstance(kind, str) or not isinstance(id, str):
            return
        try:
            answer = self._heard(kind, id, payload if isinstance(payload, Mapping) else {})
        except Exception:
            # No payload stands in the log: it may hold what lets others act.
            log.error("what Slack told could not be taken in, and is not acknowledged", exc_info=True)
            return
        session.acknowledge(id, answer)

    # -- health --------------------------------------------------------------------------------------------------

    def _tell(self, **values: Any) -> None:
        before, health = self._health, replace(self._health, **values)
        if health.state is not before.state:
            health = replace(health, since=self._clock())
        self._health = health
        if health.problem and health.problem != before.problem:
            log.warning("%s", health.problem)
        if replace(health, seen=before.seen) != before:
            self._changed(health)

    def _time_of(self, at: float) -> datetime:
        return self._clock() - timedelta(seconds=self._stopwatch() - at)


class _Opening(SlackApi):
    """Where a socket is to be opened; asked with the app token."""

    def url(self) -> str:
        # Not the SDK's method of that name: it sends the token among the arguments.
        return str(self._call(self._client.api_call, api_method="apps.connections.open").get("url") or "")


class _Session:
    """One client of the SDK's, from its connection to its end."""

    def __init__(
        self,
        token: str,
        url: str,
        pace: Pace,
        stopwatch: Callable[[], float],
        take: Callable[[_Session, Mapping[str, Any]], None],
        wake: threading.Event,
    ) -> None:
        self._stopwatch, self._take, self._wake = stopwatch, take, wake
        # The client has threads as soon as there is one: an address that is none must fail before.
        direct = proxy_bypass(_host(url))
        self.opened = self.seen = stopwatch()
        #: How many connections Slack counted when it said hello.
        self.hello: int | None = None
        self.greeted = self.others = self.leaving = self.disabled = False
        self.before: _Session | None = None
        self._pong: float | None = None
        self._client = _Client(
            token,
            # Outside the tree of loggers: the SDK logs addresses, and whole messages.
            logger=logging.Logger("slack_sdk", level=logging.CRITICAL + 1),
            auto_reconnect_enabled=False,
            ping_interval=pace.ping,
            receive_buffer_size=PIECE,
            # One after the other, as they came.
            concurrency=1,
            on_message_listeners=[self._overheard],
        )
        self._client.leave = self._leave
        self._client.wss_uri = url
        if direct:
            self._client.proxy = None
        self._client.message_listeners.append(self._listen)

    def connect(self) -> bool:
        self._client.connect()
        connection = self._client.current_session
        if connection is None or connection.sock is None:
            return False
        connection.sock = Wire(connection.sock)  # type: ignore[assignment]
        return True

    def look(self, now: float) -> None:
        """Note whether Slack has answered a ping since."""
        connection = self._client.current_session
        pong = connection.last_ping_pong_time if connection else None
        if pong != self._pong:
            self._pong, self.seen = pong, now

    def trouble(self, now: float, pace: Pace) -> str:
        """Why this session is of no use any more; empty while it is."""
        if not self._client.is_connected():
            return "the connection was closed"
        if self.hello is None and now - self.opened > pace.greeting:
            return "it was opened, but Slack did not say hello"
        if now - self.seen > pace.silent:
            return f"Slack had been silent for {now - self.seen:.0f} s although the connection seemed open"
        return ""

    def acknowledge(self, envelope_id: str, answer: Mapping[str, Any] | None) -> None:
        response = {"envelope_id": envelope_id, **({"payload": dict(answer)} if answer else {})}
        try:
            self._client.send_socket_mode_response(response)
        except Exception as error:
            log.warning("an acknowledgement did not reach Slack (%s); it is sent there when asked again", type(error))

    def close(self) -> None:
        """Returns at once: the SDK waits for its threads."""
        if (connection := self._client.current_session) and isinstance(connection.sock, Wire):
            connection.sock.end()
        threading.Thread(target=self._close, name="closing a socket", daemon=True).start()

    def _close(self) -> None:
        with suppress(Exception):
            self._client.close()

    # -- called by the SDK's threads -------------------------------------------------------------------------------

    def _overheard(self, raw: str) -> None:
        """Every message, before the SDK takes its own meaning from it."""
        self.seen = self._stopwatch()
        if "link_disabled" in raw[:1000]:
            # What people typed may say so, too.
            with suppress(ValueError, RecursionError):
                said = json.loads(raw)
                if isinstance(said, dict) and (said.get("type"), said.get("reason")) == ("disconnect", "link_disabled"):
                    self.disabled = True

    def _listen(self, client: object, message: dict[str, Any], raw: str | None) -> None:
        if message.get("type") == "hello":
            count = message.get("num_connections")
            self.hello = count if isinstance(count, int) else 1
            self._wake.set()
        elif "envelope_id" in message:
            self._take(self, message)

    def _leave(self) -> None:
        self.leaving = True
        self._wake.set()


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        raise DeliveryFailed("Slack gave no address at which its socket could be opened.") from None


class _Client(SocketModeClient):
    """Where the SDK would connect anew by itself, whoever holds the session is told instead."""

    leave: Callable[[], None]

    def connect_to_new_endpoint(self, force: bool = False) -> None:
        self.leave()
