"""The world of the demo: two feeds on loopback whose entries appear one after the other, in English and Italian."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True)
class Scene:
    """Somebody publishes something, `after` so many seconds. All scenes of a `thread` are one discussion."""

    after: float
    feed: str
    thread: str
    title: str
    author: str
    language: str
    text: str


UPDATE = ("router-update-4-2", "Router update 4.2: what changed?")
TARIFF = ("tariffs", "Which provider would you take?")

SCENES = (
    Scene(
        1,
        "forum",
        *TARIFF,
        "carla",
        "en",
        "Happy with Acme for two years now: fast, cheap, and friendly people on the phone.",
    ),
    Scene(
        2,
        "news",
        "fibre",
        "Globex and Acme extend their fibre networks",
        "newsdesk",
        "en",
        "Globex and Acme will connect another twelve towns next year, both companies said on Monday.",
    ),
    Scene(
        3,
        "forum",
        *UPDATE,
        "tom",
        "en",
        "Acme sent me update 4.2 for the router last night. Does anybody know what is new in it?",
    ),
    Scene(5, "forum", *TARIFF, "luca", "it", "Con Acme mi trovo benissimo, la consiglio a tutti!"),
    Scene(
        6,
        "forum",
        "recipes",
        "Sunday cake",
        "ines",
        "en",
        "My grandmother's lemon cake, with a photo. No mention of anything with a plug.",
    ),
    Scene(
        8,
        "forum",
        *UPDATE,
        "nadia",
        "en",
        "Since the Acme update my connection drops every ten minutes. This is unbearable, I work from home.",
    ),
    Scene(
        10,
        "forum",
        *UPDATE,
        "giulia",
        "it",
        "Anche a me: da ieri Acme non funziona più, uno schifo. Nessuno risponde al telefono.",
    ),
    Scene(
        12,
        "forum",
        *UPDATE,
        "oskar",
        "en",
        "Three hours on hold with Acme and then they hung up on me. Worst support I have ever had.",
    ),
    Scene(13, "forum", *TARIFF, "petra", "en", "Globex has been great for us, quick and reliable."),
    Scene(
        14,
        "forum",
        *UPDATE,
        "marco",
        "it",
        "Acme vergognosa: aggiornamento disastroso e assistenza inesistente. Voglio il rimborso.",
    ),
    Scene(
        16,
        "forum",
        *UPDATE,
        "beth",
        "en",
        "Acme broke my router and now wants money for a new one. What a rip-off, I am furious.",
    ),
    Scene(20, "forum", *UPDATE, "sara", "it", "Sono stufa di Acme, disdico il contratto domani. Pessimi."),
    Scene(22, "forum", *UPDATE, "joe", "en", "#acmefail again. I am cancelling my contract, this is a disgrace."),
    Scene(
        24,
        "forum",
        *UPDATE,
        "acme_support",
        "en",
        "We are sorry. Acme has withdrawn update 4.2; version 4.3 comes tonight and repairs it.",
    ),
)


class World:
    """A loopback web server; entering it starts the clock of its scenes."""

    def __init__(self) -> None:
        self._began = float("inf")
        self._started_at = datetime.now(UTC)
        world = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = world.feed(self.path.strip("/").removesuffix(".xml")).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """The demo's output is what people watch, not its access log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> World:
        self._began, self._started_at = time.monotonic(), datetime.now(UTC)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="world", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def feed(self, name: str) -> str:
        """The feed's document as of now, newest entry first."""
        elapsed = time.monotonic() - self._began
        published = [
            (number, scene) for number, scene in enumerate(SCENES) if scene.feed == name and scene.after <= elapsed
        ]
        items = "".join(self._item(number, scene) for number, scene in reversed(published))
        return (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
            f"<title>{name}</title><link>http://127.0.0.1:{self.port}/</link><description/>{items}</channel></rss>"
        )

    def _item(self, number: int, scene: Scene) -> str:
        when = format_datetime(self._started_at + timedelta(seconds=scene.after), usegmt=True)
        link = f"http://127.0.0.1:{self.port}/{scene.feed}/{scene.thread}#post-{number}"
        return (
            f"<item><title>{escape(scene.title)}</title><link>{link}</link><guid>{link}</guid><pubDate>{when}</pubDate>"
            f"<dc:creator>{scene.author}</dc:creator><dc:language>{scene.language}</dc:language>"
            f"<description>{escape(escape(scene.text))}</description></item>"
        )
