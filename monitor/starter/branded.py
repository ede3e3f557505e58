"""The starter written for a brand of one's own: its name for that of the example, in texts, ids and file names. Pure.

A name is taken if monitor.yaml takes it. What nobody can know of a brand (its site, its accounts) becomes a comment.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from monitor.config import parse_config
from monitor.errors import ConfigError, Problem
from monitor.rules.writing.newrule import quoted
from monitor.textform import fold

#: With the longest end of a starter rule's id, "-negative-thread", an id still has room.
_LONGEST_SLUG = 40
#: For a name in which no letter is a Latin one.
_SLUG = "brand"
_COMMENTS_AT = 36


def branded(files: Mapping[str, bytes], brand: str) -> dict[str, bytes]:
    """The starter's files (path → content) for `brand`; raises `ConfigError` where monitor.yaml cannot take it."""
    name = _plain(brand)
    slug = slug_of(name)
    written: dict[str, bytes] = {}
    for path, content in files.items():
        if path == "monitor.yaml":
            text = _configuration(content.decode(), name, slug)
            _refuse(text)
            written[path] = text.encode()
        elif path.endswith(".yaml"):
            written[path.replace("/acme-", f"/{slug}-")] = _rule(content.decode(), name, slug).encode()
        else:
            written[path] = content
    return written


def slug_of(name: str) -> str:
    """ "Müller & Söhne" → "muller-sohne": what ids and file names begin with."""
    words = re.findall("[a-z0-9]+", fold(re.sub("['’]", "", name)))
    slug = "-".join(words)
    if len(slug) > _LONGEST_SLUG:
        slug = slug[: _LONGEST_SLUG + 1].rpartition("-")[0] or slug[:_LONGEST_SLUG]
    return slug or _SLUG


def _plain(brand: str) -> str:
    """The name with single spaces; what no file can hold or find is refused."""
    name = " ".join(brand.split())
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise _refused("the name holds a character that cannot be read; type it anew")
    if not re.search(r"[^\W_]", name):
        raise _refused("a name needs a letter or a digit, or no post can be found by it; write it as people do")
    if "*" in name:
        raise _refused("in monitor.yaml a * ends a prefix; write the name without it")
    return name


def _refuse(configuration: str) -> None:
    try:
        parse_config(configuration, Path("monitor.yaml"))
    except ConfigError as error:
        # The name is a term, too: what is wrong with it need be told only once.
        said = dict.fromkeys(problem.message for problem in error.problems)
        raise ConfigError([Problem("--brand", 0, 0, "", message) for message in said]) from error


def _refused(what: str) -> ConfigError:
    return ConfigError([Problem("--brand", 0, 0, "", what)])


def _rule(text: str, name: str, slug: str) -> str:
    def named(found: re.Match[str]) -> str:
        line = f"{found[1]}{slug}-{found[2]}"
        return f"{line:<{_COMMENTS_AT - 1}} #" if found[3] else line

    # The name comes last: it may itself look like what is replaced.
    text = re.sub(r"(id: |rules: \[)acme-(\S+)( +#)?", named, text)
    return text.replace("[acme]", f"[{quoted(name)}]").replace("brand: acme,", f"brand: {quoted(name)},")


def _configuration(text: str, name: str, slug: str) -> str:
    term = name.lower()
    account = slug.replace("-", "_")
    lines = {
        "- name:": f"  - name: {quoted(name)} # the rules name it, too",
        "terms:": f"    terms: [{quoted(term)}] # add others: whole words in any case; router* finds routers",
        "domains:": f"    # domains: [{slug}.example] # a link to your site is a mention",
        "exclude:": f"    # exclude: [{json.dumps(f'{term} of perfection', ensure_ascii=False)}]"
        " # a name inside one of these phrases is no mention",
        "own_accounts:": f'    # own_accounts: {{"*": [{account}_help]}}'
        ' # your own posts are answers and never alert; "*" is every source',
        "# handles:": f"    # handles: {{forum: [{account}_help]}} # account names that stand for the brand",
    }  # fmt: skip
    if len(term) == 1:
        # monitor.yaml takes no name of one letter without it.
        lines["# context:"] = (
            "    context: {any_of: [internet, router]}"
            " # put in words of your trade: only near one of them is so short a name found"
        )
    for key, line in lines.items():
        value, _, comment = line.rpartition(" # ")
        # The name may hold what is special in a replacement.
        new = f"{value:<41} # {comment}".replace("\\", r"\\")
        text = re.sub(rf"^ +{re.escape(key)}.*$", new, text, count=1, flags=re.MULTILINE)
    tag = re.sub(r"[\W_]", "", term)
    for old, new in (
        ("Much of the web offers a feed where none is shown (Acme stands for your name):",
         "Much of the web offers a feed where none is shown:"),
        ("%22Acme%22", f"%22{quote(name, safe='')}%22"),
        ("tags/acme.rss", f"tags/{quote(tag)}.rss"),
        ("tagnames=acme&", f"tagnames={slug}&"),
    ):  # fmt: skip
        text = text.replace(old, new)
    return text
