"""Which conversation a post belongs to, what to call it, and how it moves. It reads no store and matches no texts.

Syndicated copies of an article carry different links to one page; `canonical_url` folds those that surely are one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from monitor.model import Post

#: Longer links are no keys: browsers cut them, and only a hostile or broken page makes them.
MAX_URL = 4096
#: Characters of a discussion's title.
MAX_TITLE = 100
#: Stretches that `trend` counts in.
TREND_BUCKETS = 12
PACE_OVER = timedelta(hours=6)

#: Parameters that say where a reader came from, never which page it is; `amp` and `outputtype` choose a form of it.
# fmt: off
TRACKING = frozenset({
    "_ga", "_gl", "_hsenc", "_hsmi", "amp", "at_campaign", "at_medium", "cmpid", "dclid", "fb_action_ids",
    "fb_source", "fbclid", "gbraid", "gclid", "gclsrc", "guccounter", "guce_referrer", "guce_referrer_sig", "igsh",
    "igshid", "mc_cid", "mc_eid", "mkt_tok", "msclkid", "ns_campaign", "ns_mchannel", "ocid", "outputtype",
    "ref_src", "ref_url", "spm", "twclid", "ttclid", "vero_conv", "vero_id", "wbraid", "wt_mc", "wt_zmc", "yclid",
})
# fmt: on
SAME_SITE = frozenset({"www", "m", "mobile", "amp"})

_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")


def canonical_url(url: str) -> str | None:
    """One spelling for all links to a page, or None where it is no http or https link. Never raises.

    It names the page and is not for opening: the scheme is always https, and `m.`, `www.` and `amp` forms are folded.
    """
    if len(url) > MAX_URL:
        return None
    try:
        # Lone surrogates cannot be encoded; NFKC tricks in the host, bad ports and IPv6 addresses raise ValueError.
        parts = urlsplit(url.strip().encode("utf-8", "replace").decode())
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or host is None:
        return None
    if port not in (None, 80, 443):
        host += f":{port}"
    query = urlencode(sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _tracks(pair[0])))
    canonical = f"https://{host}{_path(parts.path)}" + (f"?{query}" if query else "")
    return canonical if len(canonical) <= MAX_URL else None


def _host(name: str) -> str | None:
    """The registered form: ASCII, without the label of a form for readers on the way (www, m, amp)."""
    if not name.isascii():
        name = name.encode("idna").decode("ascii").lower()
    # After the encoding, which makes a dot of characters that look like one.
    name = name.rstrip(".")
    if not _HOST.fullmatch(name):
        return None
    if ":" in name:
        return f"[{name}]"
    labels = name.split(".")
    return ".".join(label for n, label in enumerate(labels) if n >= len(labels) - 2 or label not in SAME_SITE)


def _path(path: str) -> str:
    path = quote(re.sub(r"%(?![0-9a-fA-F]{2})", "%25", path), safe="/%:@!$&'()*+,;=~")
    path = _ESCAPE.sub(lambda found: _unescaped(found[1]), path).rstrip("/")
    while path.endswith("/amp") and path != "/amp":
        path = path.removesuffix("/amp").rstrip("/")
    return path or "/"


def _unescaped(code: str) -> str:
    """A needlessly escaped character as itself; any other escape in upper case (RFC 3986, 6.2.2)."""
    character = chr(int(code, 16))
    return character if character in _UNRESERVED else f"%{code.upper()}"


def _tracks(parameter: str) -> bool:
    name = parameter.lower()
    return name in TRACKING or name.startswith("utm_")


def discussion_key(post: Post) -> str:
    """The key of the conversation: `url:…` where it is a page, else `source:id`. Equal keys are one discussion.

    A comment names the link of its article as its conversation, so that both have the key of the article.
    """
    if conversation := (post.conversation_id or "").strip():
        page = canonical_url(conversation)
        return f"url:{page}" if page else f"{post.source}:{conversation}"
    page = canonical_url(post.url) if post.url else None
    return f"url:{page}" if page else f"{post.source}:{post.native_id}"


def discussion_title(post: Post) -> str:
    """The title of the post, or how its text begins, on one line of at most `MAX_TITLE` characters."""
    for text in (post.title, post.text, post.url):
        if words := " ".join((text or "")[: 10 * MAX_TITLE].split()):
            return words if len(words) <= MAX_TITLE else _cut(words)
    return f"A post on {post.source}"


def _cut(words: str) -> str:
    """Cut at a space where one is near enough: some languages have none, and some words are endless."""
    space = words.rfind(" ", MAX_TITLE // 2, MAX_TITLE)
    return words[: space if space > 0 else MAX_TITLE - 1] + "…"


def pace(times: Sequence[datetime]) -> float:
    """Mentions an hour over the discussion's last six hours, or as long as it lasted, but at least one hour."""
    if not times:
        return 0.0
    last = max(times)
    stretch = min(max(last - min(times), timedelta(hours=1)), PACE_OVER)
    return sum(time >= last - stretch for time in times) / (stretch / timedelta(hours=1))


def trend(times: Sequence[datetime]) -> tuple[int, ...]:
    """How many of `times` fall in each of twelve equal stretches from the first to the last; () without any."""
    if not times:
        return ()
    counts = [0] * TREND_BUCKETS
    first, length = min(times), max(times) - min(times)
    for time in times:
        counts[min((time - first) * TREND_BUCKETS // length, TREND_BUCKETS - 1) if length else -1] += 1
    return tuple(counts)
