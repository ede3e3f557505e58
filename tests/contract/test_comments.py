"""An article that names the brand and the comments on it, which do not: one discussion, read from two feeds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.app import Sources
from monitor.model import State
from monitor.sources.parser import Parser
from monitor.store import discussions, follows
from tests.contract.conftest import FeedMaker
from tests.fakes.feed_server import FeedServer, Page, item, rss
from tests.fakes.world import World


def test_comments_belong_to_the_article(world: World, server: FeedServer, feed: FeedMaker, parser: Parser) -> None:
    comments = server.url("/comments.xml")
    link = "http://blog.example/acme-raises-prices"
    article = item("1", title="Acme raises its prices", link=link, wfw__commentRss=comments)
    aside = item("2", title="Sunday cake", link="http://blog.example/cake", wfw__commentRss=server.url("/cake.xml"))
    server.put("/feed.xml", Page(rss(article, aside)))
    server.put("/comments.xml", Page(rss(*(item(f"c{n}", description="That is bad!", link=link) for n in range(3)))))

    world.app.take(feed("/feed.xml").poll({}, world.now).posts)
    with world.app.store.read() as connection:
        (follow,) = follows.follows(connection, world.now)
    assert follow.url == comments, "only the comments on what names the brand are read"

    network = replace(world.app.config.network, allow_hosts=("127.0.0.1",))
    source = Sources(replace(world.app.config, network=network), parser).follow(follow)
    world.now += timedelta(minutes=1)
    world.app.take(source.poll({}, world.now).posts)
    world.wait(seconds=31)
    with world.app.store.read() as connection:
        talk = discussions.by_id(connection, 1)
        assert follows.follows(connection, world.now) == (follow,)
    assert talk is not None and (talk.mentions, talk.negative, talk.title) == (4, 3, "Acme raises its prices")
    assert world.states() == [State.OPEN]
