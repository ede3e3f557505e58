"""What messages say, that they fit Slack's limits, and that a hostile post can do nothing in them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.amounts import number
from monitor.model import PERSON, Author, Condition, FiredRule, Guideline, Outcome, Sentiment, Severity, State
from monitor.slack.buttons import Buttons
from monitor.slack.facts import ENDED
from monitor.slack.messages import Message, render_notice, render_reply, render_root
from monitor.slack.tags import tag
from monitor.slack.text import bars, clean, escape, one_line, safe_link, shorten
from monitor.wording.text import Text, say
from monitor.wording.words import Words
from tests.fakes import block_kit
from tests.fakes.views import ENGLISH, GUIDELINE, ITALIAN, NOW, mention, view


def sent(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}


def words(message: Message) -> str:
    return block_kit.words(sent(message))


# -- what they say -----------------------------------------------------------------------------------------------


def test_a_root_says_what_where_who_how_why_and_what_to_do() -> None:
    said = words(render_root(view(), NOW, ENGLISH))
    for part in (
        "🔴 Critical: Acme", "Router update broke my connection, again", "*Open*", "nobody has taken it yet",
        "@mario", "12,400 followers", "negative, 91% sure", "x.com", "Third outage this month", "*24 mentions*",
        "*17 negative* (71%)", "reach 48,200", "6.5 an hour", "▁", "█", "No answer of ours yet",
        "Angry thread about Acme", "negative mentions: *17* (asked: at least 5 within 60m)",
        "What to do: An angry thread", "• Read the whole thread before you answer.", "version 1a2b3c4d", "owner care",
        "review by 1 Dec 2026", "`brand-monitor escalations ack 12`",
    ):  # fmt: skip
        assert part in said, part


def test_the_notification_is_one_good_line() -> None:
    assert render_root(view(), NOW, ENGLISH).text == (
        "🔴 Critical: Acme – “Router update broke my connection, again”, 24 mentions, 71% negative"
    )
    assert render_reply(view(), view().mentions, ENGLISH, said=["Tier 2."]).text == (
        "🔴 Acme: Tier 2. 2 new mentions, 2 negative – “Router update broke my connection, again”"
    )


@pytest.mark.parametrize(
    "state, fields, expected",
    [
        (State.PENDING, {}, ("⏳ Pending · critical", "nobody has been told")),
        (State.HELD, {"held_until": NOW}, ("🌙 Held · critical", "*Held* until")),
        (State.OPEN, {"tier": 2, "assignee": "Bruno"}, ("🔴 Critical", "tier 2", "nobody has it now, *Bruno* had it")),
        (
            State.ACKNOWLEDGED,
            {"acknowledged_by": "anna", "acknowledged_at": NOW, "assignee": "Bruno"},
            ("👀 Acknowledged · critical", "*Bruno* has it, given by anna, <!date^", "escalations resolve 12"),
        ),
        (State.SNOOZED, {"snoozed_until": NOW}, ("💤 Snoozed · critical", "until <!date^")),
        (
            State.RESOLVED,
            {"resolved_by": "anna", "resolved_at": NOW, "outcome": Outcome.ANSWERED, "note": "All <good>"},
            ("✅ Resolved: Acme", "by anna", ": answered", "“All &lt;good&gt;”"),
        ),
        (State.DROPPED, {}, ("⚪ Dropped: Acme",)),
    ],
    ids=str,
)
def test_states_look_different(state: State, fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    said = words(render_root(view(state, **fields), NOW, ENGLISH))
    for part in expected:
        assert part in said, part


def test_what_is_settled_is_short() -> None:
    said = words(render_root(view(State.RESOLVED), NOW, ENGLISH))
    assert "Third outage" not in said and "What to do" not in said and "ack 12" not in said


def test_our_own_answers_are_shown() -> None:
    talk = view().discussion
    assert talk
    answered = replace(talk, answers=2, answered_at=NOW)
    assert "2 answers of ours, the last <!date^" in words(render_root(view(discussion=answered), NOW, ENGLISH))
    reply = render_reply(view(), [mention("We are on it", answer=True), mention("At last")], ENGLISH)
    assert "1 new mention, 1 negative, 1 new answer of ours" not in words(reply)
    assert "our answer" in words(reply) and "1 new answer of ours" in words(reply)


def test_a_guideline_past_its_review_says_so() -> None:
    late = view(guideline=replace(GUIDELINE, review_by="2026-11-13"))
    assert "⚠️ review by 13 Nov 2026 – overdue" in words(render_root(late, NOW, ENGLISH))
    assert "review by 13 Nov 2026 – overdue" in words(render_root(late, NOW, ENGLISH, where=WHERE))
    for where in (None, WHERE):
        assert "overdue" not in words(render_root(view(), NOW, ENGLISH, where=where))


def test_a_brand_wide_escalation_has_no_discussion() -> None:
    said = words(render_root(view(discussion=None, counts={"mentions": 40, "negative": 12}), NOW, ENGLISH))
    assert "Talk about Acme" in said and "40 mentions · 12 negative" in said and "mentionss" not in said
    bare = view(discussion=None, mentions=(), guideline=None, rules=())
    assert block_kit.fault_of(sent(render_root(bare, NOW, ENGLISH))) is None


def test_a_reply_shows_the_latest_of_many() -> None:
    many = [mention(f"Post number {n}") for n in range(8)]
    said = words(render_reply(view(), many, ENGLISH, new=30))
    assert "30 new mentions, the latest 5" in said and "Post number 7" in said and "Post number 2" not in said


def test_a_reply_without_news_tells_how_things_stand() -> None:
    assert "*Open*" in words(render_reply(view(), [], ENGLISH))


def test_a_long_post_is_quoted_where_it_names_the_brand() -> None:
    post = mention("blah " * 200 + "acme broke it", snippet="so acme broke it")
    assert "…so acme broke it" in words(render_root(view(mentions=(post,)), NOW, ENGLISH))


def test_only_ids_from_the_configuration_are_called() -> None:
    message = render_root(view(), NOW, ENGLISH, notify=("S0CARE", "U0ANNA", "!channel", "<!here>"))
    assert block_kit.pings(sent(message)) == ["<!subteam", "<@U"]


def test_notices_are_plain_sentences() -> None:
    assert (
        words(render_notice(["rules/a.yaml:3: <bad>"], ENGLISH))
        == "rules/a.yaml:3: &lt;bad&gt;\nrules/a.yaml:3: &lt;bad&gt;"
    )


# -- buttons -----------------------------------------------------------------------------------------------------

WHERE = Buttons("9f86d081884c7d65", 7)


def test_the_buttons_carry_the_escalation_the_message_and_what_was_seen() -> None:
    two = (mention("Down again", id=101), mention("We are on it", id=102, answer=True), mention("Awful", id=103))
    pressed = block_kit.buttons(sent(render_root(view(mentions=two), NOW, ENGLISH, where=WHERE)))
    assert pressed == {
        "Acknowledge": "ack:12:7:9f86d081884c7d65",
        "Read the guideline": "guideline:12:7:9f86d081884c7d65",
        "Not negative": "not_negative:12:7:9f86d081884c7d65:101,103",
        "Resolve…": "resolve:12:7:9f86d081884c7d65",
        "Assign…": "assign:12:7:9f86d081884c7d65",
        "Snooze…": "snooze:12:7:9f86d081884c7d65",
        "Hand over…": "hand_over:12:7:9f86d081884c7d65",
        "Not about us": "not_about_us:12:7:9f86d081884c7d65:101,103",
    }
    assert [tag(value) is not None for value in pressed.values()] == [True] * 8


@pytest.mark.parametrize(
    "state, primary", [(State.OPEN, "Acknowledge"), (State.SNOOZED, "Acknowledge"), (State.ACKNOWLEDGED, "Resolve…")]
)
def test_one_button_stands_out_the_next_step(state: State, primary: str) -> None:
    message = render_root(view(state), NOW, ENGLISH, where=WHERE)
    elements = next(block["elements"] for block in message.blocks if block["type"] == "actions")
    assert [element["text"]["text"] for element in elements if element.get("style") == "primary"] == [primary]
    assert elements[0].get("style") == "primary", "on a phone the first one is seen"
    assert ("Acknowledge" in block_kit.buttons(sent(message))) is (state is not State.ACKNOWLEDGED)


@pytest.mark.parametrize("state", ENDED)
def test_what_has_ended_has_no_buttons(state: State) -> None:
    assert block_kit.buttons(sent(render_root(view(state), NOW, ENGLISH, where=WHERE))) == {}


def test_either_buttons_or_a_command_say_what_to_do() -> None:
    without, with_them = (words(render_root(view(), NOW, ENGLISH, where=where)) for where in (None, WHERE))
    assert "escalations ack 12" in without and "Acknowledge" not in without
    assert "escalations ack 12" not in with_them and "Escalation e12" in with_them


def test_without_a_guideline_there_is_none_to_read() -> None:
    pressed = block_kit.buttons(sent(render_root(view(guideline=None), NOW, ENGLISH, where=WHERE)))
    assert "Read the guideline" not in pressed and len(pressed) == 7


# -- in another language -----------------------------------------------------------------------------------------


def spoken(text: Text) -> dict[str, Any]:
    return text.to_json()


REASONS = (
    Condition("negative_mentions", "at least 5 within 1h", "12,500", True, {
        "asked": spoken(say("at least {least} within {time}", least=5, time=timedelta(hours=1))),
        "found": spoken(Text("{count}", {"count": 12_500})),
    }),
    Condition("spike", "kept by an older version", "as it was", True),
)  # fmt: skip


def test_a_message_speaks_the_language_of_its_readers() -> None:
    rule = FiredRule("r", "Acme is down", Severity.CRITICAL, REASONS, NOW)
    said = words(render_root(view(rules=(rule,), read_by=("anna",)), NOW, ITALIAN, where=WHERE))
    for part in (
        "🔴 Critica: Acme", "*Aperta* da: <!date^", "|14 nov, 12:49 CET>", "nessuno se ne occupa ancora",
        "*24 menzioni*",         "*17 negative* (71%)", "copertura 48.200", "6,5 all’ora",
        "Ancora nessuna nostra risposta", "12.400 follower",
        "negativa, certezza 91%", "*Perché:* Acme is down", "menzioni negative: *12.500* (soglia: almeno 5 in 1 ora)",
        "aumento improvviso: *as it was* (soglia: kept by an older version)", "Che cosa fare: An angry thread",
        "Letta da anna", "Prendi in carico", "Leggi la linea guida",
        "Segnalazione e12",
    ):  # fmt: skip
        assert part in said, part
    assert "24 menzioni, 71% negative" in render_root(view(), NOW, ITALIAN).text


def test_texts_that_were_kept_are_said_with_harmless_values() -> None:
    lead = say("{who} has handed it over, {at}", who="<!channel> *anna*", at=NOW)
    message = render_root(view(), NOW, ENGLISH, lead=[lead, "An <old> one."])
    said = words(message)
    assert "*&lt;!channel&gt; anna has handed it over, <!date^" in said and "An &lt;old&gt; one.*" in said
    assert block_kit.pings(sent(message)) == []
    reply = render_reply(view(), [], ITALIAN, said=[say("until {at}", at=NOW)])
    assert "until 14 nov, 13:00" in reply.text and "<!date" not in reply.text, "a notification shows no token"


def test_who_has_it_who_read_and_when_we_answered() -> None:
    talk = view().discussion
    assert talk
    shown = view(
        State.ACKNOWLEDGED, acknowledged_by="anna", acknowledged_at=NOW, assignee="Bruno", team="legal",
        opened_at=NOW, answered_at=NOW + timedelta(minutes=18), read_by=tuple("abcdefgh"),
        discussion=replace(talk, answers=1, answered_at=NOW + timedelta(minutes=18)),
    )  # fmt: skip
    said = words(render_root(shown, NOW, ENGLISH))
    for part in (
        "*Bruno* has it", "handed over to team *legal*", "*Answered* 18 minutes after the alert", "1 answer of ours",
        "Read by a, b, c, d, e, f and 2 more",
    ):  # fmt: skip
        assert part in said, part
    early = view(opened_at=NOW, discussion=replace(talk, answers=1, answered_at=NOW - timedelta(hours=1)))
    assert "none since <!date^" in words(render_root(early, NOW, ENGLISH))


def test_what_is_waited_for_anew_is_open_from_then_on() -> None:
    """Flared up again, handed over: a message that says it has been open since the morning would blame the wrong."""
    talk, again = view().discussion, NOW + timedelta(hours=2)
    assert talk
    talk = replace(talk, answers=1, answered_at=NOW + timedelta(hours=1))
    shown = words(render_root(view(opened_at=NOW, waiting_since=again, discussion=talk), NOW, ENGLISH))
    assert f"*Open* since <!date^{int(again.timestamp())}" in shown
    assert f"none since <!date^{int(again.timestamp())}" in shown
    answered = view(
        opened_at=NOW, waiting_since=again, answered_at=again + timedelta(minutes=8),
        discussion=replace(talk, answers=2, answered_at=again + timedelta(minutes=8)),
    )  # fmt: skip
    assert "*Answered* 8 minutes after the alert" in words(render_root(answered, NOW, ENGLISH))


def test_why_a_further_team_is_told_stands_in_its_notification_until_somebody_has_it() -> None:
    lead = [say("{who} has handed it over to team {team}.", who="anna", team="legal"), "Its thread is in #social."]
    waiting = render_root(view(), NOW, ENGLISH, lead=lead)
    assert waiting.text.startswith("🔴 Critical: Acme – anna has handed it over to team legal. – “Router")
    assert "*anna has handed it over to team legal. Its thread is in #social.*" in words(waiting)
    taken = view(State.ACKNOWLEDGED, acknowledged_by="lena", acknowledged_at=NOW, assignee="lena")
    shown = render_root(taken, NOW, ENGLISH, lead=lead)
    assert "handed it over" not in shown.text
    assert "*anna has handed" not in words(shown)
    assert "anna has handed it over to team legal. Its thread is in #social." in words(shown), "in small print"


def test_what_a_person_corrected_is_no_judgement_of_the_model() -> None:
    mention = view().mentions[0]
    corrected = replace(mention, sentiment=Sentiment(0.0, 1.0, 0.0, PERSON))
    said = words(render_root(replace(view(), mentions=(corrected,)), NOW, ENGLISH))
    assert "corrected: neutral" in said and "neutral 100%" not in said


def test_how_bad_it_is_stands_above_what_is_said_and_what_to_do_below() -> None:
    said = words(render_root(view(), NOW, ENGLISH, where=WHERE))
    places = [said.index(part) for part in ("nobody has taken", "24 mentions", "Third outage", "*Why:*", "What to do")]
    assert places == sorted(places)


# -- whatever stands in a post -----------------------------------------------------------------------------------

EVIL = "<!channel> <@U123> <!subteam^S1> & <https://evil.example|x> `*_~ \u202e\u200b\x1b[31m\x00\ud800"
TEXTS = st.one_of(
    st.just(EVIL), st.just('"' * 9000), st.just("&" * 9000), st.just("🙈\n" * 3000), st.text(max_size=50), st.just("")
)
URLS = st.one_of(st.none(), TEXTS, st.just("https://x.example/" + "é<!channel>|" * 900))


@settings(max_examples=60, deadline=None)
@given(
    text=TEXTS, title=TEXTS, name=TEXTS, url=URLS, state=st.sampled_from(State), many=st.integers(0, 12),
    spoken=st.sampled_from((ENGLISH, ITALIAN)), pressed=st.booleans(),
)  # fmt: skip
def test_every_message_is_accepted_and_pings_nobody(
    text: str, title: str, name: str, url: str | None, state: State, many: int, spoken: Words, pressed: bool
) -> None:
    author = Author(handle=name, name=name, followers=1)
    post = mention(text, url=url, title=title, source=name, author=author, snippet=text)
    reason = Condition("negative_mentions", text, title, True)
    rule = FiredRule("r", title, Severity.HIGH, (reason,) * many, NOW)
    talk = view().discussion
    assert talk
    shown = view(
        state, brand=name, note=text, assignee=name, acknowledged_by=name, resolved_by=name,
        rules=(rule,) * 3, mentions=(post,) * many, discussion=replace(talk, title=title, url=url, source=name),
        read_by=(name,) * many, team=name,
        guideline=Guideline(name, title, text, owner=name, approved_by=name, review_by=name, version="1"),
    )  # fmt: skip
    for message in (
        render_root(shown, NOW, spoken, notes=["Note"], where=WHERE if pressed else None),
        render_root(
            shown, NOW, spoken, lead=[text, say("{who} has it", who=text)], notes=[say("{a}", a=name)], where=WHERE
        ),
        render_reply(shown, [post] * many, spoken, said=[text, say("{who} has it", who=name)], notes=["Note"]),
        render_notice([text or "Something", *[say("{a}", a=title)] * many], spoken),
    ):
        assert block_kit.fault_of(sent(message)) is None
        assert block_kit.pings(sent(message)) == []
        assert "\n" not in message.text and len(message.text) <= 300
        raw = json.dumps(sent(message), ensure_ascii=False)
        assert not any(character in raw for character in "\u202e\u200b\x1b\x00\ud800")
        raw.encode()
    alive = state not in ENDED
    assert (
        len(block_kit.buttons(sent(render_root(shown, NOW, spoken, where=WHERE))))
        == (8 - (state is State.ACKNOWLEDGED)) * alive
    )


@pytest.mark.parametrize(
    "given, cleaned",
    [
        ("a\u202eb\u2066c\u200bd\ufeffe", "abcde"),
        ("a\x1b[31mb\x07\x00", "a[31mb"),
        (" one \r\n\n\n two\u2028three ", "one\ntwo\nthree"),
        ("z" + "\u0301" * 50, "z" + "\u0301" * 4),
        ("tab\there", "tab here"),
        ("perché 日本 🙂", "perché 日本 🙂"),
    ],
    ids=["direction and zero-width", "terminal escapes", "line ends", "stacked accents", "tabs", "ordinary text"],
)
def test_clean(given: str, cleaned: str) -> None:
    assert clean(given) == cleaned


@pytest.mark.parametrize(
    "url, safe",
    [
        ("https://x.example/a?b=c&d=%20#e", "https://x.example/a?b=c&d=%20#e"),
        ('HTTPS://X.example/a b|c<d>"e', "https://X.example/a%20b%7Cc%3Cd%3E%22e"),
        ("https://x.example/perché", "https://x.example/perch%C3%A9"),
        ("https://аpple.example/", "https://xn--pple-43d.example/"),
        ("https://x.example:8443/", "https://x.example:8443/"),
        ("javascript:alert(1)", None),
        ("//x.example/a", None),
        ("https://", None),
        ("https://bank.example@evil.example/", None),
        ("https://x.example:port/", None),
        ("https://[::1", None),
        ("slack://channel?id=C1", None),
        ("https://x.example/" + "a" * 900, None),
        ("", None),
        (None, None),
    ],
    ids=str,
)
def test_only_ordinary_web_addresses_become_links(url: str | None, safe: str | None) -> None:
    assert safe_link(url) == safe


def test_escaping_and_shortening_keep_within_the_limit() -> None:
    assert escape("a<b>&c", 99) == "a&lt;b&gt;&amp;c"
    assert escape("<<<<", 10) == "&lt;&lt;…", "no entity is cut"
    assert shorten("one two three four", 18) == "one two three four"
    assert shorten("one two three four", 15) == "one two three…"
    assert shorten("a" * 20, 5) == "aaaa…"
    assert one_line("a\n  b", 9) == "a b"


def test_figures_for_people() -> None:
    assert bars((0, 1, 7)) == "▁▂█"
    assert bars(()) == bars((0, 0)) == ""
    assert (number(1, "reply", "replies"), number(2000, "reply", "replies")) == ("1 reply", "2,000 replies")
