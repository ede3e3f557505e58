"""Plays a drill: its posts come in when their time has come, and everything after that is what the daemon does.

The pipeline is the real one (matching, model, rules, state machine, outbox, delivery) on a database of its own. Time is
an argument: `clock` tells it, `wait` passes it, so that tests play an hour in a moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from monitor.config import Brand, Config
from monitor.deliver import Delivery, Messenger
from monitor.drill import place, wording
from monitor.drill.place import Setup
from monitor.drill.report import Report
from monitor.drill.script import Script
from monitor.errors import ConfigError, Problem
from monitor.escalate import Escalate
from monitor.ingest import Ingest
from monitor.language import detect
from monitor.matching import Matcher, TopicMatcher, full_text
from monitor.model import Escalation, Post, Scope, Severity, State
from monitor.outgoing import MessageKind
from monitor.render import Renderer
from monitor.rules.load import RuleSet
from monitor.rules.rule import Rule
from monitor.rules.windows import Windows
from monitor.sentiment import SentimentModel
from monitor.slack.marks import Mark
from monitor.store import Store, discussions, escalations, evidence
from monitor.store.outbox import Outbox
from monitor.wording.text import say

log = logging.getLogger("monitor.drill")

WORD = say("🧪 DRILL")
COMMAND = "brand-monitor escalations --drill"
#: After the last post: time for the last alert to be judged, waited for and sent.
AFTERMATH = timedelta(minutes=2)
#: At the end messages that wait are sent for so long.
LAST_MESSAGES = timedelta(seconds=20)
#: Where no target says how long people have.
PATIENCE = timedelta(minutes=15)


def mark(setup: Setup) -> Mark:
    if setup.calls_people:
        sentence = say("this is an exercise, the posts are invented, nothing was published.")
    else:
        sentence = say("this is an exercise, the posts are invented, nothing was published. Nobody is called by name.")
    return Mark(WORD, sentence, COMMAND)


def brand_of(config: Config) -> Brand:
    """The brand that the crisis is about: the first of ours. Raises `ConfigError`."""
    for brand in config.brands:
        if not brand.competitor:
            return brand
    raise ConfigError([Problem(str(config.file), 0, 0, "brands", "all are competitors: a drill needs one of yours")])


def unheard(config: Config, script: Script) -> str:
    """Why nothing of a script that was cast would count as a mention; empty if something does."""
    matcher, brand = Matcher(config.brands), brand_of(config)
    for line in script.lines:
        post = line.post
        found = matcher.find(post, partial(_language, post))
        if any(match.brand == brand.name for match in found):
            return ""
    why = ["its `terms`"]
    why += ["its `context` words"] if brand.context else []
    why += ["one of its `languages`"] if brand.languages else []
    return f"no post of the drill is a mention of {brand.name}: none holds {', '.join(why)}"


def _language(post: Post) -> str | None:
    return post.language or detect(full_text(post))


class Drill:
    """One drill on `store`, a new database. `script` was cast for the brand and the moment at which it begins. `wait`
    returns at the time it is given or earlier, when somebody may have done something; `look` is told whenever something
    may have happened."""

    def __init__(
        self,
        config: Config,
        script: Script,
        rules: RuleSet,
        store: Store,
        model: SentimentModel,
        messenger: Messenger,
        setup: Setup,
        *,
        clock: Callable[[], datetime],
        wait: Callable[[datetime], None],
        look: Callable[[Drill], None] = lambda drill: None,
    ) -> None:
        self._script, self._rules, self._store, self._setup = script, rules, store, setup
        self._brand = brand_of(config).name
        self._escalate = Escalate(rules, setup.channel, config.brand_names, config.competitors)
        self._ingest = Ingest(store, Matcher(config.brands), TopicMatcher(rules.topics), model, self._escalate)
        renderer = Renderer(
            setup.install, config.language, mark(setup), calls_people=setup.calls_people, buttons=bool(setup.install)
        )
        self._delivery = Delivery(store, messenger, renderer=renderer)
        self._clock, self._wait, self._look = clock, wait, look
        self._played = 0
        self._deliver_at: datetime | None = None

    def run(self) -> Report:
        """Play it to its end, or until it is interrupted (Ctrl-C); then say in the channel how it went."""
        early = False
        try:
            while not self._step():
                self._wait(self._next())
                self._look(self)
        except KeyboardInterrupt:
            early = True
        now = self._clock()
        place.end(self._store, now, early=early, nearest=self._nearest(now))
        found = place.read_report(self._store, now)
        self._say_goodbye(found, now)
        self._look(self)
        return found

    @property
    def all_said(self) -> bool:
        """Whether all posts of the script have been played."""
        return self._played == len(self._script.lines)

    # -- playing -------------------------------------------------------------------------------------------------

    def _step(self) -> bool:
        """Do all that is due; return whether the drill is over."""
        now = self._clock()
        lines = self._script.lines
        while self._played < len(lines) and lines[self._played].post.published_at <= now:
            # One by one, as they would be read in life: each may be the one that makes a rule fire.
            self._ingest.take([lines[self._played].post], now)
            self._played += 1
            self._look(self)
        self._escalate.judge_brands(self._store, now, at_once=True)
        with self._store.write() as connection:
            self._escalate.fire_timers(connection, now)
        self._deliver(now)
        self._look(self)
        return self._over(self._clock())

    def _deliver(self, now: datetime) -> None:
        while (wake := self._delivery.step(now)) is not None and wake <= now:
            now = max(now, self._clock())
        self._deliver_at = wake

    def _next(self) -> datetime:
        """When something is due at the latest."""
        due = [self.last_moment(), self._deliver_at]
        if not self.all_said:
            due.append(self._script.lines[self._played].post.published_at)
        with self._store.read() as connection:
            due.append(escalations.next_timer(connection))
        return min(at for at in due if at is not None)

    def _over(self, now: datetime) -> bool:
        if not self.all_said:
            return False
        if now >= self.last_moment():
            return True
        found = self._escalations()
        told = [one for one in found if one.told_at is not None]
        waiting = any(one.state in (State.PENDING, State.HELD) or one not in told for one in found if _counts(one))
        return bool(told) and not waiting and all(one.state is State.RESOLVED for one in told)

    def last_moment(self) -> datetime:
        """When it ends at the latest: all has been said, and the time for every target is up."""
        targets = self._script.targets
        times = (targets.acknowledged, targets.guideline, targets.answered, targets.resolved)
        patience = max((time for time in times if time is not None), default=PATIENCE)
        end = self._script.lines[-1].post.published_at + AFTERMATH
        since = [one.told_at or one.created_at for one in self._escalations() if _counts(one)]
        # A second more than the target: to be on time must be possible until the end of it.
        return max([end, *(at + patience + timedelta(seconds=1) for at in since)])

    def _escalations(self) -> tuple[Escalation, ...]:
        with self._store.read() as connection:
            return escalations.having_state(connection, State)

    # -- the end -------------------------------------------------------------------------------------------------

    def _say_goodbye(self, found: Report, now: datetime) -> None:
        """The figures as one message in the channel; what still waits goes before it. On the terminal they are shown
        by whoever called."""
        if self._setup.channel != place.TERMINAL:
            with self._store.write() as connection:
                Outbox(connection).enqueue(
                    kind=MessageKind.NOTICE, channel=self._setup.channel, severity=Severity.LOW,
                    payload={"text": "\n".join(wording.summary(found))}, now=now,
                )  # fmt: skip
        until = now + LAST_MESSAGES * self._setup.speed
        while (wake := self._delivery.step(self._clock())) is not None and wake <= until:
            if wake > self._clock():
                self._wait(wake)

    def _nearest(self, now: datetime) -> str:
        """Which rule came nearest to firing, in a sentence; empty where one fired."""
        if any(_counts(one) for one in self._escalations()):
            return ""
        best: tuple[float, str] | None = None
        for rule in self._rules.rules:
            if not rule.watches(self._brand, ()):
                continue
            for progress, about in self._approaches(rule, now):
                if best is None or progress > best[0]:
                    best = (progress, about)
        if best is None:
            return "No rule watches this brand."
        return f"The nearest was {best[1]}." if best[0] > 0 else "No rule counted a single negative post."

    def _approaches(self, rule: Rule, now: datetime) -> Iterator[tuple[float, str]]:
        """How near the rule came in each discussion, or on the brand as a whole, and what was missing."""
        since = self._script.lines[0].post.published_at - timedelta(seconds=1)
        with self._store.read() as connection:
            subjects: list[tuple[int | None, str]] = [(None, f"all about {self._brand}")]
            if rule.scope is Scope.DISCUSSION:
                found = discussions.listed(connection, brand=self._brand, since=since, limit=1000)
                subjects = [(one.id, f"“{one.title}”") for one in found]
            for id, about in subjects:
                subject = evidence.Subject(self._brand, id)
                counted = list(evidence.counted(connection, subject, since))
                windows, totals = Windows.of(rule, counted), evidence.totals(connection, subject)
                at = windows.nearest([one.at for one in counted], totals)
                if at is None:
                    continue
                missing = [one for one in windows.verdict(at, totals).conditions if not one.holds]
                asked = "; ".join(f"{one.name} {one.asked}: {one.found}" for one in missing)
                yield (
                    windows.progress(at, totals),
                    f"{rule.id} on {about} ({asked or 'it fired, but is only being tested'})",
                )


def _counts(escalation: Escalation) -> bool:
    """What was dropped before anybody was told is over."""
    return escalation.state is not State.DROPPED
