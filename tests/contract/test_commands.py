"""What people ask for with `/brand`, answered from a real database after a real day: what they read, in their language
and time, and that nothing in a post can do anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.commands import Answer, Reader
from monitor.errors import MonitorError
from monitor.rules.readership import readership
from monitor.slack.guidelines import render_guidelines
from monitor.slack.tags import Deed, Tag, tag
from monitor.store import escalations, mutes
from monitor.wording.catalogs import words
from tests.fakes.block_kit import fault_of_answer, fault_of_view, pings
from tests.fakes.slack_view import dump, tags_of
from tests.fakes.working_day import GUIDELINE, PLAYBOOK, Day, anna, working_day

LENA = anna(slack_id="U0345678901", name="lena", teams=("legal",))
ASKED = (
    "", "help", "status", "open", "open mine", "open legal", "open nobody", "search awful", "search", "search xyzzy",
    "why m5", "why d1", "why e1", "why 1", "why e99", "why", "why https://forum.example/t/2", "why <!channel>",
    "mute", "mute <!here>", "report", "report 30d", "report soon", "guidelines", "<!channel> <@U0123456789>", "statsu",
)  # fmt: skip


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Only read."""
    with working_day(tmp_path_factory.mktemp("day")) as made:
        yield made


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Day]:
    """To be changed."""
    with working_day(tmp_path) as made:
        yield made


def told(day: Day, text: str, reader: Reader | None = None) -> str:
    return dump(day.commands.answer(text, reader or anna(), day.now).blocks)


def done(day: Day, text: str, reader: Reader | None = None) -> str:
    assert day.commands.changes(text)
    with day.app.store.write() as connection:
        return dump(day.commands.apply(connection, text, reader or anna(), day.now).blocks)


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("text", ASKED)
def test_slack_takes_every_answer_and_nobody_is_pinged(day: Day, text: str, language: str) -> None:
    answer = day.commands.answer(text, anna(language), day.now)
    assert fault_of_answer(answer) is None
    assert pings({"text": answer.text, "blocks": list(answer.blocks)}) == []
    assert "<http" not in answer.text
    assert "\u202e" not in json.dumps(answer.blocks, ensure_ascii=False)


@pytest.mark.parametrize("text", ASKED)
def test_nothing_is_said_in_english_to_an_italian(day: Day, text: str) -> None:
    english, italian = told(day, text), told(day, text, anna("it"))
    same = set(english.splitlines()) & set(italian.splitlines())
    ours = [line for line in same if not line.startswith(("> ", "*🔴", "`/brand why ", "🔴 e", "🟠👀", "*When a"))]
    assert ours == []


# -- open --------------------------------------------------------------------------------------------------------


def test_what_is_open_with_who_has_it_and_a_link_to_its_message(day: Day) -> None:
    assert told(day, "open") == (
        "# Open, for all teams\n"
        "🔴 e2 *Router on fire <!everyone>*"
        " <https://slack.com/app_redirect?channel=C0123456789&message_ts=1774864800.000002> · Acme\n"
        "open since 12:00, nobody has taken it yet · legal · 1 mention, 1 negative · A loud voice against Acme"
        " · the discussion <https://forum.example/t/2>\n"
        "🟠👀 e1 *acme is bad*"
        " <https://slack.com/app_redirect?channel=C0123456789&message_ts=1774864800.000001> · Acme\n"
        "yours since 12:10 · answered: 12:00 · social · 5 mentions, 5 negative · Negative discussion about Acme\n"
        "  (2 in all, 1 that nobody has taken)"
    )
    assert "anna has it since 12:10" in told(day, "open", LENA)


@pytest.mark.parametrize(
    ("text", "shown"), [("open mine", {"e1"}), ("open legal", {"e2"}), ("open SOCIAL", {"e1"}), ("aperte mie", {"e1"})]
)
def test_only_mine_or_only_those_of_a_team(day: Day, text: str, shown: set[str]) -> None:
    found = told(day, text)
    assert {name for name in ("e1", "e2", "e3") if f" {name} " in found} == shown


def test_a_team_that_is_none(day: Day) -> None:
    assert told(day, "open legall") == "There is no team legall. Did you mean `/brand open legal`?"


def test_the_address_of_the_workspace_is_used_where_it_is_known(day: Day) -> None:
    day.commands.workspace = "https://acme.slack.com/"
    try:
        assert "<https://acme.slack.com/archives/C0123456789/p1774864800000001>" in told(day, "open")
    finally:
        day.commands.workspace = None


def test_a_thousand_open_ones_make_one_answer(own: Day) -> None:
    with own.app.store.write() as connection:
        for number in range(1000):
            connection.execute(
                "INSERT INTO escalations (brand, scope, rule_id, severity, state, created_at, changed_at, opened_at)"
                " SELECT 'Acme', 'brand', ?, 'high', 'open', created_at, changed_at, opened_at FROM escalations"
                " WHERE id = 2",
                [f"r{number}"],
            )
    answer = own.commands.answer("open", anna(), own.now)
    assert fault_of_answer(answer) is None
    assert "1,002 in all" in dump(answer.blocks)
    assert dump(answer.blocks).splitlines()[1].startswith("🔴 e2 "), "the most severe first"
    view = own.commands.home(anna(teams=()), own.now)
    assert fault_of_view(view) is None


# -- why and search ----------------------------------------------------------------------------------------------


def test_why_is_answered_in_the_readers_time(day: Day) -> None:
    found = told(day, "why e1")
    assert "*Escalation e1* · Acme · Negative discussion about Acme: acme is bad" in found
    assert "• thread alerted at 12:00: escalation e1 (acknowledged, anna has it)." in found


def test_why_is_answered_in_the_readers_language(day: Day) -> None:
    found = told(day, "why e1", anna("it"))
    assert "*Segnalazione e1* · Acme · " in found
    assert "• thread ha avvisato alle 12:00: segnalazione e1 (presa in carico, se ne occupa anna)." in found
    assert "inglese" not in found
    assert "• loud non ha avvisato: alle " in told(day, "why m5", anna("it"))


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("https://acme.slack.com/archives/C0123456789/p1774864800000002", "e2"),
        ("https://acme.slack.com/archives/C0123456789/p1774999999000000?thread_ts=1774864800.000001&cid=C0", "e1"),
        ("https://slack.com/app_redirect?channel=C0123456789&message_ts=1774864800.000001", "e1"),
        ("<https://forum.example/t/2|the post>", "m6"),
        ("https://forum.example/t/2/", "m6"),
    ],
)
def test_why_about_a_link(day: Day, link: str, name: str) -> None:
    assert told(day, f"why {link}").startswith(f"# Why {name}?")


@pytest.mark.parametrize("link", ["https://forum.example/t/9", "https://forum.example/t/9/"])
def test_why_about_a_page_whose_posts_have_addresses_on_it(own: Day, link: str) -> None:
    own.say("acme is bad", url="https://forum.example/t/9#post-2")
    with own.app.store.read() as connection:
        last = connection.execute("SELECT max(id) FROM mentions").fetchone()[0]
    assert told(own, f"why {link}").startswith(f"# Why m{last}?")
    assert told(own, "why https://forum.example/t").startswith("Neither")


def test_a_link_that_nobody_knows(day: Day) -> None:
    said = "Neither a message of ours nor a post that was stored has this link."
    for link in ("https://acme.slack.com/archives/C0999999999/p1774864800000002", "https://x.example", "http://[::"):
        assert told(day, f"why {link}") == said


def test_a_number_may_be_several_things(day: Day) -> None:
    assert told(day, "why 1").startswith("1 may be any of these:\n`/brand why m1`")


def test_what_was_said_is_quoted_with_where_and_how_it_was_judged(day: Day) -> None:
    found = told(day, "search awful").splitlines()
    assert found[1] == ("*🔴 @star* · negative, 94% sure · 12:00 · forum <https://forum.example/t/2> · Acme · m6, d2")
    assert found[2] == "> Router on fire <!everyone> acme is awful"


# -- status and report -------------------------------------------------------------------------------------------


def test_how_the_monitoring_stands(day: Day) -> None:
    found = told(day, "status")
    for line in (
        "📡 *Sources:* 1 of 2 read in the last hour",
        "🕳️ *Gaps:* 1 in the last 7 days: Forum 07:00 – 10:00",
        "🚨 *Escalations:* 1 acknowledged, 1 open, 1 resolved",
        "📜 *Rules:* 2 rules, 2 of them live, in force since 12:00",
        "🔇 *Mutes:* loud until 15:00 (jana)",
        f"📖 *Guidelines:* {GUIDELINE} has not been read by anna, bruno",
        "• source Blog (feed:https://g.example/x) has not been read since the beginning: 503 <!here>",
    ):
        assert line in found.splitlines()


def test_a_report_that_a_manager_can_pass_on(day: Day) -> None:
    found = told(day, "report")
    for line in (
        "*Acme*: 9 mentions, 9 negative (100%), in 3 discussions (3 of them new), 1 answer of ours",
        "3 alerts (before: 0), by severity: critical 1, high 2",
        "How they ended: 1 not negative, 2 still open",
        "*Taken by somebody*: 2 of 3, median 24 minutes, worst 39 minutes",
        "*Resolved*: 1 of 3, after 39 minutes",
        "*thread*: 2 alerts, 0 of 1 resolved was right (0%)",
        "*Forum*: 1 gap, 3 hours in all (2% of the time)",
    ):
        assert line in found.splitlines()


# -- mute --------------------------------------------------------------------------------------------------------


def test_a_member_of_its_team_silences_a_rule_and_that_is_on_record(own: Day) -> None:
    said = done(own, "mute thread for 4h because works on the line")
    assert said.startswith("*thread* posts nothing until 16:45.")
    with own.app.store.read() as connection:
        assert mutes.muted_until(connection, "thread", own.now) == own.now + timedelta(hours=4)
        [logged] = [one for one in escalations.events_after(connection, 0) if one["what"] == "muted"]
    assert logged["who"] == "anna (Slack U0123456789)"
    assert logged["why"] == "thread for 4h: works on the line"
    assert "*thread* until 16:45, by anna: “works on the line”" in told(own, "mute")
    assert done(own, "unmute thread") == "*thread* may post again; what was held back is told now."
    assert done(own, "unmute thread") == "*thread* was not muted."


def test_others_may_not(own: Day) -> None:
    said = done(own, "mute thread for 4h because x", LENA)
    assert said == "Only the teams that thread calls (social) and its owner may mute it."
    assert done(own, "unmute loud") == "Only the teams that loud calls (legal) and its owner may mute it."
    with own.app.store.read() as connection:
        assert [mute.rule_id for mute in mutes.in_force(connection, own.now)] == ["loud"]


@pytest.mark.parametrize(("owner", "may"), [("bruno", True), ("U0234567890", True), ("Bruno B.", False)])
def test_its_owner_may_by_id_or_as_a_team_calls_them(own: Day, owner: str, may: bool) -> None:
    """What people call themselves in Slack proves nothing."""
    rules = own.commands.rules
    own.commands.rules = replace(rules, rules=tuple(replace(rule, owner=owner) for rule in rules.rules))
    said = done(own, "unmute loud", anna(slack_id="U0234567890", name="Bruno B.", teams=()))
    assert said.startswith("*loud* may post again") is may


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mute thred for 4h because x", "There is no rule thred. Did you mean `thread`?"),
        ("mute thread for 4h", "Say why, for whoever wonders at the silence."),
        ("mute thread for 400d because x", "Say for how long: 30m, 4h, 2d, at most 90 days."),
        ("mute thread for 4 moons because x", "Say for how long: 30m, 4h, 2d, at most 90 days."),
        ("mute thread for 0h because x", "Say for how long: 30m, 4h, 2d, at most 90 days."),
    ],
)
def test_what_is_wrong_with_a_mute_is_said_and_nothing_changes(own: Day, text: str, said: str) -> None:
    assert done(own, text).startswith(said)
    with own.app.store.read() as connection:
        assert [mute.rule_id for mute in mutes.in_force(connection, own.now)] == ["loud"]


def test_what_only_asks_changes_nothing(day: Day) -> None:
    for text in ("", "mute", "mute thread", "unmute", "open", "status", "<!channel>"):
        assert not day.commands.changes(text)


# -- guidelines --------------------------------------------------------------------------------------------------


def test_who_has_read_a_guideline(own: Day) -> None:
    answer: Answer = own.commands.answer("guidelines", anna(), own.now)
    found = dump(answer.blocks)
    assert f"*When a thread turns angry* ({GUIDELINE})" in found
    assert "⚠️ review by 31 Jan 2026 – overdue" in found
    assert "⏳ not yet read by anna, bruno" in found
    [carried] = tags_of(answer.blocks)
    button = tag(carried)
    assert button is not None and button.deed is Deed.READ_GUIDELINE
    form = own.commands.guideline(button, anna(), own.now)
    assert fault_of_view(form) is None
    shown = dump(form["blocks"])
    assert "2. Answer once <!here>." in shown and "version" in shown
    assert form["private_metadata"] == carried
    with own.app.store.write() as connection:
        own.commands.read(connection, button, anna(), own.now)
        own.commands.read(connection, button, anna(), own.now)
    found = told(own, "guidelines")
    assert "✅ read by anna (12:45)" in found
    assert "⏳ not yet read by bruno" in found
    assert "submit" not in own.commands.guideline(button, anna(), own.now)
    with own.app.store.read() as connection:
        read = [one for one in escalations.events_after(connection, 0) if one["what"] == "read the guideline"]
    assert [one["who"] for one in read] == ["anna (Slack U0123456789)"]
    assert json.loads(read[0]["data"]) == {"path": GUIDELINE, "version": button.version}


def test_search_tells_what_people_said_from_what_the_model_says(own: Day) -> None:
    with own.app.store.write() as connection:
        connection.execute("UPDATE mentions SET negative = 0, neutral = 1, positive = 0, score = 0, confidence = 1,"
                           " label = 'neutral', model = 'person' WHERE id = 6")  # fmt: skip
    found = told(own, "search Router")
    assert "⚪ @star* · corrected: neutral · 12:00" in found and "100% sure" not in found


def test_where_no_team_names_anybody_those_who_read_it_are_all(own: Day) -> None:
    one = readership(own.app.rules, [], own.now.date())[0]
    one = replace(one, read={}, unread=(), others=("mario",))
    answer = render_guidelines([one], own.now, words(), "9f86d081")
    assert "read by mario" in dump(answer.blocks) and "also" not in dump(answer.blocks)


def test_a_guideline_that_has_changed_since(own: Day) -> None:
    old = Tag(Deed.READ_GUIDELINE, 0, 0, "9f86d081", version="deadbeef")
    with pytest.raises(MonitorError, match="changed since"):
        own.commands.guideline(old, anna(), own.now)
    with own.app.store.write() as connection:
        own.commands.read(connection, old, anna(), own.now)
    assert "not yet read by anna, bruno" in told(own, "guidelines")


def test_a_new_version_must_be_read_again(own: Day) -> None:
    button = tag(tags_of(own.commands.answer("guidelines", anna(), own.now).blocks)[0])
    assert button is not None
    with own.app.store.write() as connection:
        own.commands.read(connection, button, anna(), own.now)
    (own.folder / "rules" / GUIDELINE).write_text(f"{PLAYBOOK}3. Then wait.\n", "utf-8")
    own.app.reload()
    own.commands.rules = own.app.rules
    assert "not yet read by anna, bruno" in told(own, "guidelines")


# -- App Home ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("reader", [anna(), LENA, anna(teams=()), anna(slack_id="U0", name="<!channel>")])
def test_slack_takes_every_home(day: Day, reader: Reader, language: str) -> None:
    view = day.commands.home(anna(language, slack_id=reader.slack_id, name=reader.name, teams=reader.teams), day.now)
    assert view["type"] == "home"
    assert fault_of_view(view) is None
    assert pings({"blocks": view["blocks"]}) == []


def test_home_shows_what_is_theirs_first(day: Day) -> None:
    found = dump(day.commands.home(anna(), day.now)["blocks"]).splitlines()
    assert found[0] == "# What you have"
    assert found[1].startswith("🟠👀 e1 *acme is bad*")
    assert found[2].startswith("yours since 12:10 · answered: 12:00 · social")
    assert found[3] == "  [Resolve…]"
    assert found[4:7] == [
        "# Open for social",
        "Nothing else is open.",
        "  (1 more is open for other teams.)",
    ]
    assert "*social*: anna until 6 Apr, 09:00 · then bruno · there until 18:00" in found
    assert "*legal*: lena" in found
    assert "*When a thread turns angry* · for thread" in found


def test_home_of_the_other_team_can_act_on_what_is_theirs(day: Day) -> None:
    view = day.commands.home(LENA, day.now)
    found = dump(view["blocks"])
    assert "# Open for legal\n🔴 e2 " in found
    assert "[Acknowledge] [Resolve…]" in found
    assert "angry" not in found, "no rule that names it calls her team"
    deeds = [one.deed for text in tags_of(view["blocks"]) if (one := tag(text))]
    assert deeds == [Deed.ACKNOWLEDGE, Deed.RESOLVE]


def test_home_of_somebody_in_no_team_shows_everything(day: Day) -> None:
    found = dump(day.commands.home(anna(slack_id="U0777777777", name="mario", teams=()), day.now)["blocks"])
    assert "# Open, for all teams" in found
    assert " e1 " in found and " e2 " in found


def test_an_empty_home_says_that_somebody_watches(own: Day) -> None:
    with own.app.store.write() as connection:
        connection.execute("UPDATE escalations SET state = 'resolved'")
        connection.execute("DELETE FROM cursors WHERE name = 'Blog'")
        connection.execute("UPDATE outbox SET state = 'sent'")
    found = dump(own.commands.home(LENA, own.now)["blocks"]).splitlines()
    assert found[:2] == ["# Open for legal", "Nothing is open."]
    assert "  (🟢 1 of 1 source was read in the last hour.)" in found
