"""A drill from its first post to its figures, on real files and in no time: the clock jumps to whatever is due."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config import Config, parse_config
from monitor.deliver import Delivery, Messenger
from monitor.desk import Desk
from monitor.drill import place
from monitor.drill.place import Setup
from monitor.drill.report import Report, Verdict
from monitor.drill.run import Drill, brand_of, mark, unheard
from monitor.drill.script import Script, parse_script
from monitor.drill.shelf import shipped
from monitor.drill.wording import verdict
from monitor.errors import MonitorError
from monitor.escalation.events import Acknowledge, Resolve
from monitor.model import MessageKind, Outcome
from monitor.sentiment import SentimentModel, load_model
from monitor.simulate import Tape
from monitor.slack.client import SlackMessenger
from monitor.starter import write_starter
from monitor.store import Store, facts, mentions, mutes
from monitor.store.lock import hold
from tests.fakes import block_kit
from tests.fakes.bench import Bench
from tests.fakes.proofs import prove_all
from tests.fakes.sentiment import PlainWords
from tests.fakes.slack_server import TOKEN, Fault, SlackServer, refused

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)  # a Sunday
CONFIG = """\
brands:
  - {name: Globex, terms: [globex], competitor: true}
  - {name: Acme, terms: [acme], own_accounts: {"*": [acme_help]}}
slack: {channel: "#alerts"}
rules: rules/
store: live.db
"""
TEAMS = """\
social:
  channel: "#social"
  members: {anna: U0123456789, bruno: U0234567890}
  zone: Europe/Rome
  hours: {open: {mon-fri: "09:00-18:00"}}
  rota: {order: [anna, bruno], since: "2026-03-23"}
leads:
  channel: "#leads"
  members: {carla: U0345678901}
"""
RULE = """\
id: thread
title: Negative discussion about {brand}
owner: c@example.com
status: live
severity: high
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
alert_when_any:
  - negative_mentions: {at_least: 3, within: 60m}
timing: {wait_first: 30s, update_every: 60s}
escalate:
  - {after: 0m, team: social, mention: true}
  - {after: 10m, unless: acknowledged, team: leads, mention: true}
playbook: playbooks/calm.md
"""
PLAYBOOK = "---\nowner: a@example.com\napproved_by: board\nreview_by: 2027-05-31\n---\n# Stay calm\n\nBreathe.\n"
HEADER = {
    "drill": "{brand} is down",
    "language": "en",
    "targets": {"called": "5m", "acknowledged": "5m", "guideline": "10m", "answered": "20m", "resolved": "30m"},
}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def script(*lines: dict[str, Any], bad: int = 4) -> Script:
    """One word of doubt, then a bad post a minute in one thread."""
    doubt = {"at": "10s", "source": "forum", "native_id": "p1", "title": "Is it me?", "text": "Is {brand} down?"}
    angry = [
        {"at": f"{n}m", "source": "forum", "text": "so bad", "conversation_id": "p1", "author": {"handle": f"a{n}"}}
        for n in range(1, bad + 1)
    ]
    text = "\n".join(json.dumps(line) for line in (HEADER, {**doubt, "conversation_id": "p1"}, *angry, *lines))
    return parse_script(text.encode(), "down", "down.jsonl")


class Stage:
    """A folder with a configuration, rules and a live database; a clock that `acts` move people by."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, NOON
        self.acts: list[tuple[timedelta, Callable[[Desk], object]]] = []
        (folder / "rules" / "playbooks").mkdir(parents=True)
        for name, text in {"teams.yaml": TEAMS, "thread.yaml": RULE, "playbooks/calm.md": PLAYBOOK}.items():
            (folder / "rules" / name).write_text(text, "utf-8")
        prove_all(folder / "rules")
        self.store: Store | None = None

    @property
    def config(self) -> Config:
        return parse_config(CONFIG, self.folder / "monitor.yaml")

    def at(self, count: float, act: Callable[[Desk], object]) -> None:
        """Somebody does something so many minutes after the start."""
        self.acts.append((minutes(count), act))

    def play(
        self,
        crisis: Script | None = None,
        messenger: Messenger | None = None,
        setup: Setup | None = None,
        *,
        config: Config | None = None,
        model: SentimentModel | None = None,
    ) -> Report:
        config, setup, started = config or self.config, setup or Setup("#drill"), self.now
        self.store = store = place.renewed(place.database(config.store))
        cast = (crisis or script()).cast(brand_of(config), started)
        assert unheard(config, cast) == ""
        place.begin(store, cast, brand_of(config).name, setup, started)
        if setup.keep_hours:
            place.take_mutes(store, config, started)
        rules = place.in_channel(place.rules_in_force(config, started.date(), lambda: 0.0), setup)
        desk = Desk(config, store, drill=True, clock=lambda: self.now)
        waiting = sorted(self.acts, key=lambda act: act[0])

        def wait(until: datetime) -> None:
            if waiting and started + waiting[0][0] <= until:
                after, act = waiting.pop(0)
                self.now = max(self.now, started + after)
                act(desk)
            else:
                self.now = max(self.now, until)

        return Drill(
            config, cast, rules, store, model or PlainWords(), messenger or Tape(), setup,
            clock=lambda: self.now, wait=wait,
        ).run()  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    if made.store is not None:
        made.store.close()


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        server.channels = {"drill": "C00000001", "social": "C00000002", "leads": "C00000003", "alerts": "C00000004"}
        yield server


def ack(desk: Desk) -> None:
    desk.act(1, Acknowledge("Anna"), "Anna")


def resolve(desk: Desk) -> None:
    desk.act(1, Resolve("Anna", Outcome.ANSWERED, "all mended"), "Anna")


def well_faced(stage: Stage) -> None:
    stage.at(5.5, ack)
    stage.at(6, lambda desk: desk.guideline(1, "anna"))
    stage.at(9, lambda desk: desk.answer(1, "We are sorry: it is mended by noon.", "anna"))
    stage.at(12, resolve)


def measures(report: Report) -> dict[str, tuple[str, timedelta | None]]:
    return {one.name: (one.verdict.value, one.took) for one in report.measures}


def test_a_crisis_well_faced_meets_all_its_targets(stage: Stage) -> None:
    well_faced(stage)
    found = stage.play()
    # The first bad post comes at 1:00, the third at 3:00, the alert half a minute later.
    assert measures(found) == {
        "called": ("met", minutes(2.5)),
        "acknowledged": ("met", minutes(2)),
        "guideline": ("met", minutes(2.5)),
        "answered": ("met", minutes(5.5)),
        "resolved": ("met", minutes(8.5)),
    }
    assert found.met and verdict(found) == "All 5 targets met: Anna had it 2m after the alert."
    assert (found.mentions, found.negative, found.alerts) == (5, 4, 1)
    (anna,) = found.people
    assert (anna.name, anna.called_after, anna.tier, anna.did, anna.took) == (
        "anna", minutes(3.5), 1, "took it", minutes(2),
    )  # fmt: skip
    told = [step.text for step in found.steps]
    assert told[0] == "first negative post, by a1 on forum"
    assert "alert: social is told (tier 1), anna by name" in told
    assert any("anna reads playbooks/calm.md, version " in text for text in told)
    assert "anna answers: “We are sorry: it is mended by noon.”" in told
    assert told[-1] == "Anna resolves it: answered “all mended”"
    assert stage.now < NOON + minutes(12.1), "it ends when all is settled"


def test_nobody_does_anything_and_the_leads_are_called(stage: Stage) -> None:
    found = stage.play()
    assert not found.met
    assert [(one.name, one.called_after, one.took) for one in found.people] == [
        ("anna", minutes(3.5), None),
        ("carla", minutes(13.5), None),
    ]
    assert verdict(found) == (
        "1 of 5 targets met: nobody took it, nobody read the guideline, nobody answered it and nobody resolved it."
    )
    assert minutes(33) < stage.now - NOON < minutes(35), "it waits for the longest target, not for ever"


def test_too_late_is_told_with_the_difference(stage: Stage) -> None:
    stage.at(11.5, ack)
    stage.at(12, resolve)
    found = stage.play()
    assert measures(found)["acknowledged"] == ("missed", minutes(8))
    assert verdict(found) == "3 of 5 targets met: it was taken 3m late and nobody read the guideline."


def test_what_is_not_about_us_needs_no_answer(stage: Stage) -> None:
    stage.at(5, lambda desk: desk.act(1, Resolve("Anna", Outcome.NOT_ABOUT_US), "Anna"))
    found = stage.play()
    assert measures(found)["answered"] == (Verdict.UNASKED, None)
    assert measures(found)["acknowledged"] == ("met", minutes(1.5)), "whoever resolves it has taken it"


def test_an_answer_in_the_script_counts_as_ours(stage: Stage) -> None:
    answer = {"at": "8m", "source": "forum", "text": "We look into it", "conversation_id": "p1", "answer": True}
    stage.at(9, lambda desk: desk.act(1, Resolve("Anna", Outcome.NO_ACTION), "Anna"))
    found = stage.play(script(answer))
    assert "acme_help answers, as the script has it" in [step.text for step in found.steps]
    stage.acts.clear()
    assert measures(stage.play(script(answer)))["answered"] == ("met", minutes(4.5))


def test_ended_early_it_tells_what_nobody_can_know_yet(stage: Stage) -> None:
    def interrupt(desk: Desk) -> None:
        raise KeyboardInterrupt

    stage.at(5, ack)
    stage.at(6, interrupt)
    found = stage.play()
    assert found.course.early and not found.met
    assert {name: value for name, (value, _) in measures(found).items()} == {
        "called": "met", "acknowledged": "met", "guideline": "open", "answered": "open", "resolved": "open",
    }  # fmt: skip
    assert "it ended too early to tell about: guideline read" in verdict(found)


def test_where_no_rule_fires_it_tells_which_came_nearest(stage: Stage) -> None:
    found = stage.play(script(bad=2))
    assert not found.met and found.alerts == 0
    assert verdict(found) == (
        "No rule fired: 2 of 3 posts about Acme were negative. "
        "The nearest was thread on “Is it me?” (negative_mentions at least 3 within 1h: 2)."
    )


def test_a_drill_that_is_over_takes_no_more_acts_and_shows_its_figures_again(stage: Stage) -> None:
    well_faced(stage)
    found = stage.play()
    assert stage.store
    desk = Desk(stage.config, stage.store, drill=True, clock=lambda: stage.now)
    with pytest.raises(MonitorError, match="drill --report"):
        ack(desk)
    assert desk.guideline(1, "bruno").title == "Stay calm"
    assert place.read_report(stage.store, stage.now + minutes(99)) == found


# -- hours, mutes ------------------------------------------------------------------------------------------------


def test_hours_are_set_aside_unless_they_are_kept(stage: Stage) -> None:
    assert stage.play().alerts == 1
    stage.now = NOON
    kept = stage.play(setup=Setup("#drill", keep_hours=True))
    assert kept.alerts == 0 and "Nobody was told" in verdict(kept)
    assert "not said yet: the team is not there yet" in [step.text for step in kept.steps][-1]


def test_mutes_hold_back_a_drill_that_keeps_hours(stage: Stage) -> None:
    monday = NOON + timedelta(days=1)
    live = Store(stage.config.store)
    with live.write() as connection:
        mutes.add(connection, mutes.Mute("thread", NOON, NOON + timedelta(days=9), "anna"))
    live.close()
    stage.now = monday
    assert stage.play().alerts == 1
    stage.now = monday + timedelta(hours=1)
    kept = stage.play(setup=Setup("#drill", keep_hours=True))
    assert kept.alerts == 0 and "not said yet: the rule is muted" in [step.text for step in kept.steps]


# -- apart from what is real ---------------------------------------------------------------------------------------


def test_the_live_database_is_not_touched(stage: Stage) -> None:
    live = Store(stage.config.store)
    with live.write() as connection:
        facts.remember(connection, "install", "abc", NOON)
    live.close()
    before = {path.name: path.read_bytes() for path in stage.folder.glob("live.db*")}
    well_faced(stage)
    stage.play()
    after = {path.name: path.read_bytes() for path in stage.folder.glob("live.db*")}
    assert after == before
    assert (stage.folder / "live.drill.db").exists()


def test_a_running_daemon_s_rules_are_played_not_the_broken_ones_of_the_folder(stage: Stage) -> None:
    live = Store(stage.config.store)
    files = {
        "teams.yaml": TEAMS,
        "thread.yaml": RULE.replace("at_least: 3", "at_least: 2"),
        "playbooks/calm.md": PLAYBOOK,
    }
    with live.write() as connection:
        facts.remember(connection, "rules_in_force", files, NOON)
    with hold(stage.config.store):
        assert stage.play(script(bad=2)).alerts == 1
    stage.now = NOON + timedelta(days=1)
    (stage.folder / "rules" / "thread.yaml").write_text("id: thread\n", "utf-8")
    assert stage.play(script(bad=2)).alerts == 1, "nor would a daemon follow broken ones when it starts"
    live.close()


def test_the_last_drill_is_kept_beside_the_new_one(stage: Stage) -> None:
    stage.play()
    assert stage.store
    stage.store.close()
    stage.now = NOON + timedelta(days=1)
    stage.play()
    kept = stage.folder / f"live.drill-{NOON:%Y-%m-%d-%H%M%S}.db"
    assert kept.exists() and stage.store
    with stage.store.read() as connection:
        assert len(mentions.after(connection, 0, 99)) == 5, "nothing of the last drill is in the new one"


# -- in Slack ----------------------------------------------------------------------------------------------------


def in_slack(slack: SlackServer, stage: Stage) -> SlackMessenger:
    slack.now = lambda: stage.now.timestamp()
    return SlackMessenger(TOKEN, install="drill", api_url=slack.url, timeout=5)


def test_every_message_is_marked_and_stands_in_the_drill_channel(stage: Stage, slack: SlackServer) -> None:
    stage.at(16, ack)
    stage.at(20, resolve)
    more = [
        {"at": f"{n}m", "source": "forum", "text": "bad too", "conversation_id": "p1", "author": {"handle": f"b{n}"}}
        for n in (6, 18)
    ]
    stage.play(script(*more), in_slack(slack, stage))
    assert {channel: len(slack.posts(channel)) for channel in ("social", "leads", "alerts")} == {
        "social": 0, "leads": 0, "alerts": 0,
    }  # fmt: skip
    posts = slack.posts("drill")
    assert len(posts) >= 5, "the alert, news, a call, news, the figures"
    assert slack.calls("chat.update") >= 2
    for message in [*posts, *(arguments for method, arguments in slack.requests if method == "chat.update")]:
        blocks = message["blocks"] if isinstance(message["blocks"], list) else json.loads(message["blocks"])
        assert message["text"].startswith("🧪 DRILL · ")
        assert "nothing was published" in block_kit.words({"blocks": blocks})
        assert block_kit.fault_of({**message, "blocks": blocks}) is None
    root, last = posts[0], posts[-1]
    assert root["blocks"][0]["text"]["text"].startswith("🧪 DRILL · ")
    assert "<@U0123456789>" in str(root["blocks"]), "whoever is called must learn of it"
    assert any("<@U0345678901>" in str(post["blocks"]) for post in posts), "the second tier, too"
    assert "escalations --drill resolve 1" in str(posts) or "escalations --drill ack 1" in str(slack.requests)
    assert "The drill “Acme is down” is over." in block_kit.words(last)
    assert "✗ Somebody has it: 12m 30s, within 5m, 7m 30s late, Anna" in block_kit.words(last)


@pytest.mark.parametrize("plain", [False, True], ids=["blocks", "plain"])
@pytest.mark.parametrize("kind", MessageKind)
def test_every_kind_of_message_is_marked(bench: Bench, kind: MessageKind, plain: bool) -> None:
    escalation = bench.alert()
    if kind is not MessageKind.ROOT:
        bench.enqueue(kind, escalation, payload={"text": "News", "notify": ["U0123456789"]})
    method = "chat.update" if kind is MessageKind.UPDATE else "chat.postMessage"
    # The alert goes first; what follows it is refused, or the alert itself.
    faults = [] if kind in (MessageKind.ROOT, MessageKind.UPDATE) else [Fault()]
    bench.slack.script(method, *faults, *([refused("invalid_blocks")] if plain else []))
    bench.run(Delivery(bench.store, bench.messenger(), mark=mark(Setup("#brand-alerts")), calls_people=False))
    sent = [arguments for called, arguments in bench.slack.requests if called in ("chat.postMessage", "chat.update")]
    assert len(sent) == 1 + plain + (kind is not MessageKind.ROOT)
    for message in sent:
        assert message["text"].startswith("🧪 DRILL · ")
        assert "nothing was published" in (str(message["blocks"]) if message.get("blocks") else message["text"])
        assert "U0123456789" not in str(message), "nobody is called by name"
    assert bool(sent[-1].get("blocks")) is not plain


def test_a_plain_message_is_marked_too(stage: Stage, slack: SlackServer) -> None:
    slack.script("chat.postMessage", refused("invalid_blocks"))
    well_faced(stage)
    stage.play(messenger=in_slack(slack, stage))
    plain = slack.posts("drill")[0]
    assert not plain.get("blocks") and plain["text"].startswith("🧪 DRILL · ")
    assert "nothing was published" in plain["text"] and "`brand-monitor escalations --drill show 1`" in plain["text"]


def test_quiet_calls_nobody_but_the_figures_say_who_it_would_have_been(stage: Stage, slack: SlackServer) -> None:
    found = stage.play(messenger=in_slack(slack, stage), setup=Setup("#drill", calls_people=False))
    assert [ping for post in slack.posts("drill") for ping in block_kit.pings(post)] == []
    assert "Nobody is called by name" in str(slack.posts("drill")[0]["blocks"])
    assert [one.name for one in found.people] == ["anna", "carla"]


# -- what is shipped -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", [one.name for one in shipped()])
def test_a_shipped_crisis_alerts_by_the_starter_rules(stage: Stage, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "fresh"
    write_starter(folder)
    config = parse_config((folder / "monitor.yaml").read_text("utf-8"), folder / "monitor.yaml")
    crisis = next(one for one in shipped() if one.name == name)
    found = stage.play(crisis, config=config, model=load_model("bundled", 1, 32))
    assert found.alerts >= 2, "an angry thread and a loud voice"
    assert found.negative >= 20
    assert measures(found)["called"][0] == "met", measures(found)
