"""The names that rules and their tests use of one another and of the configuration, and the kinds of values they are.

Whether a name exists is asked of the `References` that a validator finds in its context.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from monitor.fields import NAME, Matching, Text, did_you_mean, fault
from monitor.yamlfile import shortened


@dataclass(frozen=True, slots=True)
class References:
    """The names that may be used; None where they cannot be known because their own file is broken.

    `rules` maps the names of rule files to the ids of their rules (empty where a file is broken); `members` are those
    whom a tier may call by name, in all teams.
    """

    brands: Collection[str] | None
    teams: Collection[str] | None
    topics: Collection[str] | None
    playbooks: Collection[str]
    rules: Mapping[str, str] = field(default_factory=dict)
    members: Collection[str] | None = None


def references(info: ValidationInfo) -> References:
    assert isinstance(info.context, References)
    return info.context


def _brand(value: str, info: ValidationInfo) -> str:
    """The brand's own spelling."""
    brands = references(info).brands
    if brands is None:
        return value
    for brand in brands:
        if brand.casefold() == value.casefold():
            return brand
    mend = did_you_mean(value, brands)
    if len(brands) == 1 and "did you mean" not in mend:
        mend = f'; write "{shortened(next(iter(brands)))}"'
    raise fault(f'there is no brand "{shortened(value)}" in the configuration{mend}')


def _team(value: str, info: ValidationInfo) -> str:
    return known(value, references(info).teams, "team", "teams.yaml")


def _topic(value: str, info: ValidationInfo) -> str:
    return known(value, references(info).topics, "topic", "topics.yaml")


def _playbook(value: str, info: ValidationInfo) -> str:
    return known(value, references(info).playbooks, "file", "the rules folder")


def _rule_file(value: str, info: ValidationInfo) -> str:
    return known(value, references(info).rules, "rule file", "the rules folder")


def known(value: str, names: Collection[str] | None, kind: str, place: str) -> str:
    """`value`, if it is one of `names`; else raises the fault that says where it is missing."""
    if names is None or value in names:
        return value
    raise fault(f'there is no {kind} "{shortened(value)}" in {place}{did_you_mean(value, names)}')


RuleId = Annotated[
    Text,
    Matching(NAME, "cannot be an id; write small letters, digits and hyphens, for example acme-negative-thread"),
    Field(max_length=64),
]
BrandName = Annotated[Text, AfterValidator(_brand)]
TeamName = Annotated[Text, AfterValidator(_team)]
TopicName = Annotated[Text, AfterValidator(_topic)]
PlaybookPath = Annotated[Text, AfterValidator(_playbook)]
RuleFileName = Annotated[Text, AfterValidator(_rule_file)]
