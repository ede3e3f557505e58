"""The daemon's side of Slack: hears what people do there, keeps it, has it carried out, and answers.

    socket ──envelope──▶ inbox (committed) ──ack──▶ Slack        clicks that change something, forms, `/brand mute`
                            └─▶ worker ─▶ `clicks` ─▶ acting
    socket ──envelope──▶ ack ─▶ helpers ─▶ `at_once`             forms to open, commands to answer, App Home

Without both tokens it is silent, and nothing shows buttons.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Full, Queue
from typing import Any

from monitor.acting import Acting
from monitor.app import App, talks
from monitor.commands import Commands
from monitor.credentials import SLACK_APP_TOKEN, SLACK_BOT_TOKEN, secret
from monitor.drill import place
from monitor.errors import MonitorError, StoreError
from monitor.inbound.at_once import OPENS, AtOnce
from monitor.inbound.clicks import Clicks, Line, kept_click, kept_command, kept_form
from monitor.inbound.hearing import FACT
from monitor.inbound.people import People
from monitor.inbound.sites import Site
from monitor.slack.answers import Answer
from monitor.slack.directory import Directory
from monitor.slack.requests import Click, Command, FormSubmitted, HomeOpened, request
from monitor.slack.socket import Health, Pace, Socket
from monitor.slack.speaking import Speaking
from monitor.store import facts, inbox
from monitor.store import people as kept_people
from monitor.store.inbox import Kept

log = logging.getLogger("monitor.inbound.talking")

#: What waits for a helper; more is refused, since nobody waits for so long.
WAITING = 200
HELPERS = 3
#: How often (seconds) the worker looks by itself, and notes how the connection stands.
TICK = 1.0
NOTE_EVERY = 30.0
STORE_RETRY = 2.0
#: Slack takes answers to a command for half an hour.
ANSWERED_WITHIN = 1500.0
FORGET_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Parts:
    """All that a reload replaces."""

    app_token: str = field(repr=False)
    api_url: str
    commands: Commands
    clicks: Clicks
    at_once: AtOnce


class Talking:
    """`changed` is called when something was done that may have to be delivered; `beat` while the worker moves on."""

    def __init__(
        self,
        app: App,
        changed: Callable[[], None],
        beat: Callable[[], None] = lambda: None,
        *,
        pace: Pace | None = None,
    ) -> None:
        self._app, self._changed, self._beat, self._pace = app, changed, beat, pace
        self._install = app.install_id()
        self._arrived, self._ended = threading.Event(), threading.Event()
        self._tasks: Queue[Callable[[], None]] = Queue(WAITING)
        #: Where to answer a command that changes something, by its envelope, and until when. In memory alone.
        self._addresses: dict[str, tuple[str, float]] = {}
        self._socket: Socket | None = None
        self._parts: Parts | None = None
        self._noted_at = float("-inf")
        self._forget_at: datetime | None = None
        self._worker = threading.Thread(target=self._work, name="clicks", daemon=True)
        self._helpers = [threading.Thread(target=self._help, name="answers", daemon=True) for _ in range(HELPERS)]

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.take_over()
        for thread in (self._worker, *self._helpers):
            thread.start()

    def take_over(self) -> None:
        """At the start, and after a reload: speak with the tokens and by the rules of now."""
        before, self._parts = self._parts, self._made()
        parts = self._parts
        where = (parts.app_token, parts.api_url) if parts else None
        if where != ((before.app_token, before.api_url) if before else None):
            if self._socket:
                self._socket.stop()
            self._socket = None
            if parts:
                self._socket = Socket(
                    parts.app_token, self._heard, clock=self._app.clock, changed=self._noticed,
                    api_url=parts.api_url, pace=self._pace,
                )  # fmt: skip
                self._socket.start()
        self._noted_at = float("-inf")
        self._arrived.set()

    def stop(self) -> None:
        """Hear nothing any more; returns at once. What is in the inbox and not carried out is at the next start."""
        self._ended.set()
        if self._socket:
            self._socket.stop()
        self._arrived.set()

    def look(self) -> None:
        """Look at once whether there is anything to carry out."""
        self._arrived.set()

    @property
    def thread(self) -> threading.Thread:
        """The one that carries out what was kept."""
        return self._worker

    def _made(self) -> Parts | None:
        app, config = self._app, self._app.config
        app_token, bot_token = secret(SLACK_APP_TOKEN), secret(SLACK_BOT_TOKEN)
        if app_token is None or bot_token is None:
            return None
        api_url = config.slack.api_url
        directory = Directory(bot_token.value, api_url=api_url)
        people = People(app.store, directory, app.rules.teams)
        commands = Commands(app.store, app.rules, config.competitors, install=self._install, folder=config.rules.name)
        speaking = Speaking(bot_token.value, api_url=api_url)
        at_once = AtOnce(people, self._site, commands, speaking, directory.address, language=config.language)
        clicks = Clicks(
            app.store, people, self._site, commands, self._told,
            acted=self._acted, language=config.language, beat=self._beat,
        )  # fmt: skip
        return Parts(app_token.value, api_url, commands, clicks, at_once)

    # -- where people act ----------------------------------------------------------------------------------------

    @contextmanager
    def _site(self, install: str) -> Iterator[Site | None]:
        """Our own database, or that of the drill whose messages carry this name."""
        app = self._app
        if install == self._install:
            yield Site(app.store, Acting(app.store, app.rules, app.config.competitors), app.rules)
            return
        store = None
        try:
            with_drill = install.startswith(place.INSTALL) and place.database(app.config.store).exists()
            store = place.reopened(app.config.store) if with_drill else None
            setup = place.setup_of(store) if store else None
            if store is None or setup is None or setup.install != install:
                yield None
                return
            rules = place.in_channel(app.rules, setup)
            drill, over = store, place.over(store)
            yield Site(
                drill, Acting(drill, rules, app.config.competitors), rules,
                clock=lambda now: place.now_in(drill, now), own=False, over=over,
            )  # fmt: skip
        finally:
            if store:
                store.close()

    # -- what is heard -------------------------------------------------------------------------------------------

    def _heard(self, kind: str, envelope_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """On the socket's thread. When it returns, Slack is told that it arrived; it raises where it was not kept."""
        asked, parts, now = request(kind, payload), self._parts, self._app.clock()
        if parts is None:
            # A reload has just taken the tokens away. What is not acknowledged, Slack tells whoever pressed the button.
            raise MonitorError("Slack's tokens are gone: nothing is heard any more")
        if asked is None:
            return None
        at_once = parts.at_once
        match asked:
            case Click() if asked.tag.deed in OPENS:
                self._soon(lambda: at_once.open_form(asked, now))
            case Click():
                self._keep(envelope_id, asked.key, kept_click(asked), now)
            case FormSubmitted():
                return self._sent(at_once, asked, envelope_id, now)
            case Command() if parts.commands.changes(asked.text):
                self._keep_command(envelope_id, asked, now)
            case Command():
                self._soon(lambda: at_once.command(asked, self._app.clock()))
            case HomeOpened():
                self._soon(lambda: at_once.home(asked.sender.id, self._app.clock()))
        return None

    def _sent(self, at_once: AtOnce, sent: FormSubmitted, envelope_id: str, now: datetime) -> Mapping[str, Any] | None:
        with self._app.store.read() as connection:
            known = kept_people.person(connection, sent.sender.id)
        asked = at_once.submitted(sent, known[0] if known else None, now)
        if isinstance(asked, dict):
            return {"response_action": "errors", "errors": asked} if asked else None
        self._keep(envelope_id, sent.key, kept_form(sent, asked), now)
        return None

    def _keep_command(self, envelope_id: str, asked: Command, now: datetime) -> None:
        began = time.monotonic()
        for one, (_, until) in list(self._addresses.items()):
            if until < began:
                self._addresses.pop(one, None)
        waits = envelope_id in self._addresses
        # Before it is kept: the worker may be fast.
        self._addresses[envelope_id] = asked.response_url, began + ANSWERED_WITHIN
        if not self._keep(envelope_id, f"command {envelope_id}", kept_command(asked), now) and not waits:
            self._addresses.pop(envelope_id, None)

    def _keep(self, envelope_id: str, key: str, kept: Mapping[str, Any], now: datetime) -> bool:
        with self._app.store.write() as connection:
            new = inbox.keep(connection, envelope_id, key, kept, now)
        self._arrived.set()
        return new

    def _soon(self, task: Callable[[], None]) -> None:
        try:
            self._tasks.put_nowait(task)
        except Full:
            log.warning("too much is asked at once: a form, a command or App Home stays without an answer")

    # -- the worker ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._ended.is_set():
            self._beat()
            self._arrived.clear()
            wait = TICK
            try:
                parts, now = self._parts, self._app.clock()
                if parts:
                    done, due = parts.clicks.step(now)
                    if done:
                        self._changed()
                    if due is not None:
                        wait = max(0.05, (due - now).total_seconds())
                    self._forget_now_and_then(parts.clicks, now)
                self._note_health(now)
            except StoreError as error:
                log.error("%s", error)
                wait = STORE_RETRY
            except Exception:
                log.exception("the clicks thread met an error it does not know; it goes on")
                wait = STORE_RETRY
            self._arrived.wait(min(wait, TICK))

    def _told(self, row: Kept, line: Line, said: Answer | str) -> None:
        """Whoever did something is told what came of it, by a helper: Slack takes its time."""
        if self._parts is None:
            return
        at_once, (url, until) = self._parts.at_once, self._addresses.pop(row.envelope_id, ("", 0.0))
        url = url if time.monotonic() < until else ""
        if isinstance(said, str) or not line.command:
            channel = line.channel or self._channel_of(line)
            self._soon(lambda: at_once.whisper(line.user, channel, said))
        else:
            self._soon(lambda: at_once.respond(url, line.user, line.channel, said))

    def _acted(self, line: Line) -> None:
        """App Home shows what its buttons did, too; messages are brought up to date by delivery."""
        if line.at_home and self._parts:
            at_once = self._parts.at_once
            self._soon(lambda: at_once.home(line.user, self._app.clock()))

    def _channel_of(self, line: Line) -> str:
        """Where the message stands whose form was sent; empty where nobody knows."""
        if line.asked is None or not line.asked.tag.outbox_id:
            return ""
        try:
            with self._site(line.asked.tag.install) as site:
                return site.channel_of(line.asked.tag.outbox_id) if site else ""
        except MonitorError:
            return ""

    def _forget_now_and_then(self, clicks: Clicks, now: datetime) -> None:
        if self._forget_at is None or not now < self._forget_at <= now + FORGET_EVERY:
            self._forget_at = now + FORGET_EVERY
            clicks.forget(now)

    def _help(self) -> None:
        while True:
            task = self._tasks.get()
            if self._ended.is_set():
                return
            try:
                task()
            except Exception:
                log.exception("an answer failed for a reason that is not known")

    # -- health --------------------------------------------------------------------------------------------------

    def _noticed(self, health: Health) -> None:
        self._noted_at = float("-inf")
        self._arrived.set()

    def _note_health(self, now: datetime) -> None:
        """For `status`."""
        if time.monotonic() < self._noted_at + NOTE_EVERY:
            return
        self._noted_at = time.monotonic()
        socket = self._socket
        found = socket.health.to_json() if socket else {"state": "off", **talks()}
        with self._app.store.write() as connection:
            facts.remember(connection, FACT, found, now)
