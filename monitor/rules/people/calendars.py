"""The public holidays of countries and their parts, as the package `holidays` knows them.

It is imported on use: who sets no holidays does not pay for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache


@lru_cache(maxsize=1024)
def holidays_in(region: str, year: int) -> frozenset[date]:
    """The public holidays of a region such as `IT` or `DE-BY`, days off in lieu included. Empty for years that nobody
    knows, such as far ones where the moon decides."""
    import holidays

    country, _, part = region.partition("-")
    with warnings.catch_warnings():
        # For some countries it warns outside the years that it is sure of; there is nothing better to go by.
        warnings.simplefilter("ignore")
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year, expand=False))


@cache
def regions() -> Mapping[str, Sequence[str]]:
    """The parts of each country, both by their codes: `DE` → `BW`, `BY`, …"""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    return {country: tuple(parts) for country, parts in known.items() if len(country) == 2}


@cache
def country_codes() -> Mapping[str, str]:
    """The code of each country by its English name without spaces, and by other codes: `Italy` → `IT`, `UK` → `GB`."""
    from holidays.registry import COUNTRIES

    return {name: code for first, code, *others in COUNTRIES.values() for name in (first, *others)}
