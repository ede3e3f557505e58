"""Pages for people: one self-contained HTML file each, without scripts and without anything that is fetched.

Whatever comes from outside is escaped by the template engine; only `https` links lead away, and tell nobody from where.
What stands on a page is decided elsewhere.
"""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.amounts import number
from monitor.slack.text import one_line, safe_link


def render(template: str, **values: Any) -> str:
    """The page that `monitor/pages/TEMPLATE.html` makes of `values`."""
    environment = Environment(
        loader=PackageLoader("monitor", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"line": one_line, "link": _link, "number": number}
    return environment.get_template(f"{template}.html").render(**values)


def _link(url: str | None) -> str | None:
    """The address if it may be clicked; else None."""
    link = safe_link(url)
    return link if link and link.startswith("https://") else None
