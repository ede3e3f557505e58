"""A critical message does not wait for thousands of posts that are still taken in, nor for what else is posted."""

from __future__ import annotations

from datetime import timedelta

from monitor.daemon import Daemon
from monitor.ingest import BATCH
from monitor.model import Author, Post, Severity
from monitor.outgoing import MessageKind, MessageState
from monitor.store.outbox import Outbox
from tests.fakes.bench import Bench
from tests.fakes.storm import escalate_many
from tests.fakes.world import World


def test_it_leaves_while_thousands_of_posts_are_taken_in(world: World) -> None:
    """Its wait of half a minute is over long before the last post is stored."""
    daemon = Daemon(world.app)
    posts = [
        Post("forum", f"p{number}", "acme is bad", world.now, conversation_id=f"t{number}",
             author=Author(id=f"{number}", followers=200_000 if number == 100 else 5))
        for number in range(6 * BATCH)
    ]  # fmt: skip
    sent: list[int] = []

    def between_batches() -> None:
        world.now += timedelta(seconds=20)
        daemon._between_batches()
        while daemon._deliver_now.is_set():
            daemon._deliver_now.clear()
            while (wake := world.app.delivery.step(world.now)) is not None and wake <= world.now:
                pass
        with world.app.store.read() as connection:
            sent.append(Outbox(connection).counts().get(MessageState.SENT, 0))

    world.app.take(posts, None, between_batches)
    assert sent == [0, 1, 1, 1, 1, 1]


def test_it_overtakes_what_waits_for_its_turn(bench: Bench) -> None:
    escalate_many(bench, 9)
    delivery = bench.delivery()
    for _ in range(4):
        bench.now = delivery.step(bench.now) or bench.now
    escalate_many(bench, 1, Severity.CRITICAL)
    came = bench.now
    bench.run(delivery, minutes=0.5)
    (critical,) = [m for m in bench.messages() if m.kind is MessageKind.ROOT and m.severity is Severity.CRITICAL]
    assert critical.sent_at is not None and critical.sent_at - came <= timedelta(seconds=1)
    assert [m.sent_at for m in bench.messages() if m.sent_at and m.sent_at > critical.sent_at]
