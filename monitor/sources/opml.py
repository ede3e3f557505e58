"""OPML, the lists of feeds that feed readers export. Pure: a text in, feeds out. It reads no file and asks no feed."""

from __future__ import annotations

from xml.parsers import expat

from monitor.errors import ConfigError, Problem


def parse_opml(text: str | bytes, file: str = "") -> tuple[tuple[str, str], ...]:
    """Title and URL of each feed, in order, each URL once; outlines may be nested. ConfigError where it is ill-formed
    or defines entities, which no list of feeds needs and which blow up (billion laughs) or read files."""
    found: dict[str, str] = {}
    root: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        root[:] = root or [tag]
        named = {name.lower(): value.strip() for name, value in attributes.items()}
        if tag.lower() == "outline" and (url := named.get("xmlurl")):
            found.setdefault(url, named.get("title") or named.get("text") or "")

    def refuse(*_: object) -> None:
        raise ConfigError([_problem(file, parser, "an OPML file must not define entities; take the DOCTYPE out")])

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        why = f"is no well-formed OPML: {expat.ErrorString(error.code)}; export it again from the feed reader"
        raise ConfigError([_problem(file, parser, why)]) from error
    if [tag.lower() for tag in root] != ["opml"]:
        raise ConfigError([Problem(file, 0, 0, "", "is no OPML: it should begin with <opml>")])
    return tuple((title, url) for url, title in found.items())


def _problem(file: str, parser: expat.XMLParserType, message: str) -> Problem:
    return Problem(file, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1, "", message)
