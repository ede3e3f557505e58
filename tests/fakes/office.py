"""A team at work in Slack: the application on real files, its socket and its worker, and a Slack that they click in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.app import App
from monitor.config import parse_config
from monitor.inbound.talking import Talking
from monitor.model import Escalation, State
from monitor.slack.socket import Pace
from monitor.slack.tags import Deed, Tag
from monitor.store import escalations
from monitor.store.outbox import Outbox
from tests.fakes.slack_server import TOKEN, Message
from tests.fakes.slack_socket import SocketSlack
from tests.fakes.slack_workspace import APP_TOKEN
from tests.fakes.world import CONFIG, THREAD, World, angry

QUICK = Pace(tick=0.02, ping=0.1, silent=1.0, greeting=1.0, first_wait=0.02, longest_wait=0.2, recheck=5, lasting=60)
TEAMS = """\
social: {channel: "#social", members: {anna: U0000ANNA, bruno: U000BRUNO}}
legal: {channel: "#legal"}
"""


class Office(World):
    """One angry discussion has been escalated, and its message stands in #social. `now` is everybody's clock."""

    def __init__(self, folder: Path, slack: SocketSlack, teams: str = TEAMS, **rules: str) -> None:
        self.slack = slack
        slack.channels |= {"social": "C00000003", "legal": "C00000004", "alerts": "C00000005"}
        super().__init__(folder, teams=teams, **rules)
        slack.now = lambda: self.now.timestamp()
        self.install = self.app.install_id()
        self.talking: Talking | None = None

    def opened(self) -> App:
        from tests.fakes.sentiment import PlainWords

        text = CONFIG.replace('{channel: "#alerts"}', f'{{channel: "#alerts", api_url: "{self.slack.url}"}}')
        return App(parse_config(text, self.folder / "monitor.yaml"), model=PlainWords(), clock=lambda: self.now)

    def escalated(self) -> Message:
        angry(self)
        self.wait(seconds=30)
        self.deliver()
        return self.message()

    def message(self) -> Message:
        return self.slack.posts("social")[0]

    def shown(self) -> str:
        """What stands in the message now, once all that waits has been delivered."""
        self.deliver()
        return json.dumps(self.message(), ensure_ascii=False)

    # -- the program ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.talking = Talking(self.app, lambda: None, pace=QUICK)
        self.talking.start()
        self.slack.until(lambda: self.slack.connections)

    def stop(self) -> None:
        if self.talking:
            self.talking.stop()
            self.talking.thread.join(10)
            self.slack.until(lambda: not self.slack.connections)
            self.talking = None

    def killed(self) -> None:
        """The process ends and begins anew."""
        self.stop()
        self.app.close()
        self.app = self.opened()

    def later(self, **length: float) -> None:
        """Time passes, and the worker looks at the clock."""
        self.now += timedelta(**length)
        if self.talking:
            self.talking.look()

    # -- people --------------------------------------------------------------------------------------------------

    def tag(self, deed: Deed, escalation: int = 1, *mentions: int, install: str = "") -> str:
        with self.app.store.read() as connection:
            root = Outbox(connection).root_of(escalation)
        return str(Tag(deed, escalation, root.id if root else 0, install or self.install, mentions))

    def press(self, user: str, deed: Deed, *mentions: int, install: str = "") -> str:
        """`user` presses a button of the message; the id of the envelope."""
        posted = self.slack.posts("social")
        where = {"channel": self.slack.channels["social"], "ts": posted[0]["ts"] if posted else "1.1"}
        return self.slack.press(user, self.tag(deed, 1, *mentions, install=install), **where)

    def form(self, user: str, deed: Deed, **values: Any) -> str:
        """`user` presses a button, fills in the form that opens, and sends it."""
        return self.form_of(user, self.tag(deed), **values)

    def form_of(self, user: str, value: str, **values: Any) -> str:
        before = len(self.slack.views)
        self.slack.press(user, value, channel=self.slack.channels["social"], ts="1.1")
        self.slack.until(lambda: len(self.slack.views) > before)
        return self.slack.submit(user, self.slack.views[-1][1], values, view_id=f"V{before}")

    def whispers(self, user: str) -> list[str]:
        return [text for who, text, _ in self.slack.whispers if who == user]

    # -- what is stored ------------------------------------------------------------------------------------------

    def escalation(self) -> Escalation:
        with self.app.store.read() as connection:
            found = escalations.by_id(connection, 1)
        assert found is not None
        return found

    def until(self, met: Callable[[Escalation], Any]) -> Escalation:
        self.slack.until(lambda: met(self.escalation()))
        return self.escalation()

    def until_state(self, state: State) -> Escalation:
        return self.until(lambda one: one.state is state)

    def inbox(self) -> list[tuple[bool, str]]:
        """Of each row: whether it is applied, and what came of it."""
        with self.app.store.read() as connection:
            rows = connection.execute("SELECT applied_at, result FROM inbox ORDER BY id").fetchall()
        return [(row[0] is not None, row[1]) for row in rows]

    def until_applied(self, count: int = 1) -> None:
        self.slack.until(lambda: [done for done, _ in self.inbox()] == [True] * count)

    def events(self, what: str) -> int:
        with self.app.store.read() as connection:
            return int(connection.execute("SELECT count(*) FROM events WHERE what = ?", [what]).fetchone()[0])


@contextmanager
def slack_at_work(monkeypatch: pytest.MonkeyPatch, *people: dict[str, Any]) -> Iterator[SocketSlack]:
    """A Slack with these people in its workspace, whose tokens the application is given."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_APP_TOKEN", APP_TOKEN)
    with SocketSlack() as slack:
        slack.workspace.members = {person["id"]: person for person in people}
        yield slack


@contextmanager
def office_at_work(folder: Path, slack: SocketSlack) -> Iterator[Office]:
    """One discussion has alerted, and the socket is open."""
    made = Office(folder, slack, thread=THREAD)
    made.escalated()
    made.start()
    try:
        yield made
    finally:
        made.stop()
        made.app.close()
