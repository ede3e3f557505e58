"""What people do with escalations from the command line: on the store, or in a drill on the drill's own database.

The same for both, but for the clock, which in a drill is the drill's, and for answering: brand-monitor publishes
nothing, so that what a team would have answered can be said in a drill alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from monitor.acting import Acting
from monitor.app import load_config, utc_now
from monitor.carry_out import act
from monitor.config import Config
from monitor.drill import place
from monitor.drill.script import own_account
from monitor.errors import ConfigError, MonitorError
from monitor.escalation.acts import ANSWERED, Act, Channel, Correct, Done, Person, ReadGuideline
from monitor.escalation.events import Assign, HandOver, NewMentions
from monitor.inforce import to_act
from monitor.model import Author, Escalation, Finding, Guideline
from monitor.rules.load import RuleSet
from monitor.store import Store, escalations, mentions
from monitor.store.lock import held


class Desk:
    """One database at which somebody acts. `now` is told by its clock."""

    def __init__(self, config: Config, store: Store, *, drill: bool, clock: Callable[[], datetime] = utc_now) -> None:
        self._config, self._drill, self._clock = config, drill, clock
        self.store = store

    @property
    def now(self) -> datetime:
        return place.now_in(self.store, self._clock()) if self._drill else self._clock()

    def act(self, number: int, act: Act, who: str, *, anyone: bool = False) -> tuple[Done, bool]:
        """Do what a person asks for with escalation `number`; say whether a daemon, or the drill, will tell of it.

        `anyone`: it may be given to somebody in no team.
        """
        self._refuse_after_the_end()
        with self.store.read() as connection:
            self._look_up(connection, number)
        acting = Acting(self.store, self._rules(act), self._config.competitors)
        return acting.act(number, act, _person(who), self.now, anyone=anyone), held(self.store.path)

    def guideline(self, number: int, who: str) -> tuple[Guideline, bool]:
        """The guideline of escalation `number` as it was when its rule fired, and whether it was recorded now that
        `who` has read it: not twice, and not after the end of a drill, whose figures stand."""
        with self.store.read() as connection:
            escalation = self._look_up(connection, number)
            found = escalations.view(connection, number).guideline
        if found is None:
            raise MonitorError(f"The rule {escalation.rule_id} has no guideline: `playbook:` in its file names one.")
        if self._drill and place.over(self.store):
            return found, False
        done, _ = self.act(number, ReadGuideline(who), who)
        return found, done.changed

    def answer(self, number: int, text: str, who: str) -> None:
        """Put what `who` would have answered into the discussion, as a post of one of our own accounts."""
        if not self._drill:
            raise MonitorError(
                "brand-monitor publishes nothing: answer where the discussion is, then resolve the escalation. "
                "(In a drill: `escalations --drill answer`.)"
            )
        self._refuse_after_the_end()
        now, by = self.now, str(_person(who))
        with self.store.write() as connection:
            escalation = self._look_up(connection, number)
            quoted = escalations.view(connection, number).mentions
            if escalation.discussion_id is None or not quoted:
                raise MonitorError(
                    f"Escalation e{number} is about the brand as a whole: there is no thread to answer in."
                )
            asked = quoted[0].post
            known = next((one for one in self._config.brands if one.name == escalation.brand), None)
            name = (known and own_account(known, asked.source)) or escalation.brand
            answer = replace(
                asked,
                native_id=f"answer-{number}-{escalations.latest_mention(connection, escalation.discussion_id)}",
                text=text,
                title=None,
                author=Author(id=name, handle=name),
                published_at=now,
                conversation_id=asked.conversation_id or asked.native_id,
                parent_id=asked.native_id,
                url=None,
            )
            mentions.save(connection, answer, [Finding(escalation.brand, (), text[:200], answer=True)], now)
            escalations.log(
                connection, now, by, ANSWERED, f"“{text}”",
                escalation_id=number, discussion_id=escalation.discussion_id,
                data={"text": text, "native_id": answer.native_id},
            )  # fmt: skip
            act(connection, escalation, NewMentions(), by, now)

    def _rules(self, act: Act) -> RuleSet:
        """Those in force, for what needs them; the rest must not wait for them."""
        if not isinstance(act, Assign | HandOver | Correct):
            return RuleSet()
        try:
            return place.rules_to_act(self._config, self.store) if self._drill else to_act(self._config, self.store)
        except ConfigError:
            # All but a new team stands in what the escalation has kept.
            if isinstance(act, HandOver):
                raise
            return RuleSet()

    def _look_up(self, connection: sqlite3.Connection, number: int) -> Escalation:
        found = escalations.by_id(connection, number)
        if found is None:
            drill = " --drill" if self._drill else ""
            raise MonitorError(f"There is no escalation {number}; `escalations{drill} list --all` lists them.")
        return found

    def _refuse_after_the_end(self) -> None:
        if self._drill and place.over(self.store):
            raise MonitorError("The drill is over: `brand-monitor drill --report` shows how it went.")


def _person(who: str) -> Person:
    return Person(who, Channel.COMMAND_LINE)


@contextmanager
def opened(path: Path | None, *, drill: bool) -> Iterator[Desk]:
    """The desk of the configuration at `path`. Raises `MonitorError` where there is no database yet."""
    config = load_config(path)
    store = place.reopened(config.store) if drill else Store(config.store, create=False)
    try:
        yield Desk(config, store, drill=drill)
    finally:
        store.close()
