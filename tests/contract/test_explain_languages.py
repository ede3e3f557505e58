"""What followed when a rule fired, as an Italian reads it in Slack: what a real database and a real clock lead to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.escalation.events import Resolve
from monitor.explain import Answer, answer, find
from monitor.model import Author, Outcome, Post
from monitor.rules.explaining.spoken import Spoken
from monitor.store import mutes
from monitor.wording.catalogs import words
from tests.fakes.world import THREAD, World, angry

ITALIAN = words("it")
STAR = Author(id="star", followers=500_000)


def asked(world: World, name: str = "d1", only: str | None = "thread") -> Answer:
    world.app.note_rules()
    with world.app.store.read() as connection:
        [found] = find(connection, name[0], int(name[1:]))
        return answer(connection, found, world.app.rules, ["Globex"], Spoken(world.now), only=only)


def said(world: World, rule: str = "thread") -> str:
    [explained] = asked(world, only=rule).explanations
    return ITALIAN.text(explained.sentence)


def told(world: World) -> None:
    world.wait(seconds=31)
    world.told()


def muted(world: World, **length: float) -> None:
    with world.app.store.write() as connection:
        mutes.add(connection, mutes.Mute("thread", world.now, world.now + timedelta(**length), "jana", "lavori"))


def test_it_alerted(world: World) -> None:
    angry(world)
    assert said(world) == (
        "thread è scattata alle 10:00 e aspetta altre menzioni (30 secondi) prima di avvisare: segnalazione e1."
    )
    world.wait(seconds=31)
    assert said(world).endswith("segnalazione e1 (aperta). Il suo messaggio non è ancora arrivato in #social.")
    world.told()
    assert said(world) == "thread ha avvisato alle 10:00: segnalazione e1 (aperta)."
    world.wait(minutes=20)
    angry(world)
    assert said(world) == (
        "thread ha avvisato alle 10:00: segnalazione e1 (aperta). È scattata di nuovo alle 10:20, quando la"
        " segnalazione era ancora in corso: le novità vanno nel suo thread, non in un secondo messaggio."
    )


def test_its_message_did_not_arrive_as_one_of_its_own(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    with world.app.store.write() as connection:
        connection.execute("UPDATE outbox SET state = 'blocked', error = 'is_archived'")
    assert said(world).endswith("(aperta). Il suo messaggio non si è potuto inviare in #social: is_archived.")


def test_a_summary_stands_for_its_message(world: World) -> None:
    for number in range(12):
        for _ in range(3):
            world.say("acme is bad", after=timedelta(), conversation_id=f"t{number}")
    world.wait(seconds=31)
    world.deliver()
    assert said(world).endswith(
        "Un solo messaggio in #social vale per le molte segnalazioni arrivate insieme, compresa questa."
    )


def test_it_is_muted(world: World) -> None:
    muted(world, days=4, hours=8)
    angry(world)
    world.wait(seconds=31)
    assert said(world) == (
        "thread avrebbe avvisato alle 10:00, ma è silenziata fino a venerdì alle 18:00 da jana (lavori); fino ad allora"
        " la segnalazione e1 resta in attesa."
    )
    world.wait(days=4, hours=9)
    world.told()
    assert said(world) == (
        "thread è scattata lunedì alle 10:00 e ha avvisato alle 19:00 (fino ad allora era silenziata): segnalazione e1"
        " (aperta)."
    )


def test_its_team_is_not_there(tmp_path: Path) -> None:
    hours = 'social: {channel: "#social", zone: Europe/Rome, hours: {open: {tue-fri: "09:00-18:00"}}}\n'
    world = World(tmp_path, teams=hours, thread=THREAD)
    angry(world)
    world.wait(seconds=31)
    assert said(world) == (
        "thread avrebbe avvisato alle 10:00, ma il suo team social non c’è fino a martedì alle 07:00; fino ad allora la"
        " segnalazione e1 resta in attesa."
    )
    world.wait(days=1)
    world.told()
    assert "(fino ad allora il suo team non c’era): segnalazione e1 (aperta)" in said(world)
    world.app.close()


def test_it_joined_what_another_rule_had_made(world: World) -> None:
    world.say("acme is awful", author=STAR)
    told(world)
    angry(world, 2)
    assert said(world) == (
        "thread è scattata alle 10:00 e si è unita alla segnalazione e1 (aperta), creata da loud: un solo messaggio per"
        " discussione."
    )


def test_it_is_muted_while_another_rule_speaks(world: World) -> None:
    muted(world, hours=3)
    angry(world, 2)
    world.say("acme is awful", author=STAR)
    told(world)
    assert said(world) == (
        "thread è scattata alle 10:00, ma è silenziata fino alle 13:00 da jana (lavori); la segnalazione e1 (aperta) è"
        " stata creata da loud."
    )


def test_it_opened_again_what_was_resolved_soon_ago(world: World) -> None:
    angry(world)
    told(world)
    world.act(Resolve("ann", Outcome.ANSWERED))
    world.say("acme is great now, thank you")
    assert said(world) == (
        "thread risulta scattata alle 10:00 per una menzione non negativa, che da sola non apre nulla: la segnalazione"
        " e1 era stata chiusa alle 10:00; la prossima negativa la riapre. Prima di allora ha avvisato alle 10:00:"
        " segnalazione e1 (chiusa: risposta data)."
    )
    world.wait(hours=1, minutes=10)
    angry(world)
    world.told()
    assert said(world) == (
        "thread è scattata alle 11:10 e ha riaperto la segnalazione e1: era stata chiusa alle 10:00, meno di 6 ore"
        " prima (aperta)."
    )


def test_it_was_dropped(world: World) -> None:
    angry(world)
    post = {"source": "forum", "native_id": "p1", "published_at": world.now, "conversation_id": "t1"}
    world.app.take([Post(**post, text="acme is great", author=Author(id="1"))])  # type: ignore[arg-type]
    world.wait(seconds=31)
    assert said(world).endswith(
        " Ne basta un’altra prima delle 11:00. Con le regole e le menzioni di allora è scattata alle 10:00, ma nessuno"
        " è stato avvisato: finita la prima attesa (30 secondi), la condizione non era più soddisfatta (la segnalazione"
        " e1 è stata scartata)."
    )


def test_a_rule_in_test_has_recorded_it(tmp_path: Path) -> None:
    world = World(tmp_path, thread=THREAD.replace("status: live", "status: test"))
    angry(world)
    assert said(world) == (
        "thread avrebbe avvisato alle 10:00, come registrato alle 10:00, ma è in prova: nessuno viene avvisato"
        " (rules/thread.yaml:4)."
    )
    world.app.close()


def notes(world: World, name: str) -> str:
    return " ".join(map(ITALIAN.text, asked(world, name, None).notes))


def test_what_holds_for_all_rules(world: World) -> None:
    angry(world)
    world.say("acme is sorry", author=Author(id="9", handle="acme_help"))
    assert notes(world, "m4") == "m4 è una nostra risposta: ciò che dicono i nostri account non conta mai."
    with world.app.store.write() as connection:
        connection.execute("UPDATE mentions SET dismissed = 1 WHERE id = 1")
    assert notes(world, "m1") == "Qualcuno ha detto che m1 non riguarda Acme: non conta da nessuna parte."
    for file in ("thread.yaml", "tests/thread.yaml"):
        (world.folder / "rules" / file).unlink()
    world.app.reload()
    assert notes(world, "d1") == (
        "thread è scattata alle 10:00 sulla segnalazione e1, e ora questa regola non esiste più."
    )
    with world.app.store.write() as connection:
        connection.execute("DELETE FROM posts")
    assert notes(world, "d1").startswith("Di d1 non è più conservata nessuna menzione (eliminata, o modificata")


def test_words_that_have_changed_since(world: World) -> None:
    topics = world.folder / "rules" / "topics.yaml"
    topics.write_text("legal: {en: [lawyer]}\n", "utf-8")
    world.app.reload()
    world.say("acme is bad, my lawyer smells smoke", language="en")
    world.say("acme is bad, smoke", language="en")
    topics.write_text("safety: {en: [smoke]}\n", "utf-8")
    world.app.reload()
    changed = "Le parole di topics.yaml sono cambiate da quando {} è stata registrata: ora troverebbero safety, {}."
    assert notes(world, "m1").startswith(changed.format("m1", "allora avevano trovato legal"))
    assert notes(world, "m2").startswith(changed.format("m2", "allora non avevano trovato nulla"))
