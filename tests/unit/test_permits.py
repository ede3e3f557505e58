"""Who may act from Slack, and what those are told who may not."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.rules.people.rota import Team
from monitor.slack.permits import Kind, Known, asked_groups, known, refusal
from monitor.wording.words import Words

OURS = {"T0OURS", "E0OURS"}
SOCIAL = Team("social", "#social", "S0SOCIAL", {"anna": "U0ANNA"})
LEGAL = Team("legal", "#legal", "S0LEGAL")
ALL = Team("all", "#all")


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ({}, Kind.MEMBER),
        ({"team_id": "T0OURS"}, Kind.MEMBER),
        ({"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0OURS", "teams": []}}, Kind.MEMBER),
        ({"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0", "teams": ["T0OURS"]}}, Kind.MEMBER),
        ({"team_id": "T0OTHER"}, Kind.STRANGER),
        ({"team_id": "T0OURS", "is_stranger": True}, Kind.STRANGER),
        ({"is_restricted": True}, Kind.GUEST),
        ({"is_ultra_restricted": True}, Kind.GUEST),
        ({"is_bot": True}, Kind.BOT),
        ({"id": "USLACKBOT"}, Kind.BOT),
        ({"deleted": True, "is_restricted": True}, Kind.DELETED),
    ],
)
def test_what_somebody_is(user: dict[str, Any], kind: Kind) -> None:
    assert known({"id": "U1", **user}, OURS).kind is kind


def test_the_name_is_that_which_people_chose_made_harmless() -> None:
    assert known({"id": "U1", "profile": {"display_name": "An\u202ena\n", "real_name": "Anna B."}}, OURS).name == "Anna"
    assert known({"id": "U1", "profile": {"display_name": "", "real_name": "Anna B."}}, OURS).name == "Anna B."
    assert known({"id": "U1", "name": "anna", "profile": None}, OURS).name == "anna"
    assert known({"id": "U1"}, OURS).name == "U1"


def why_not(who: Known, *teams: Team, **groups: set[str]) -> str:
    found = refusal(who, teams, groups)
    return Words().text(found) if found else ""


def test_where_every_told_team_has_a_group_only_their_people_may() -> None:
    stranger, grouped, named = Known("U0X", "x"), Known("U0G", "g"), Known("U0ANNA", "anna")
    groups = {"S0SOCIAL": {"U0G"}, "S0LEGAL": set[str]()}
    assert asked_groups([SOCIAL, LEGAL]) == ("S0SOCIAL", "S0LEGAL")
    assert why_not(stranger, SOCIAL, LEGAL, **groups).startswith("Only members of the teams social, legal can")
    assert why_not(stranger, SOCIAL, **groups).startswith("Only members of the team social can")
    assert why_not(grouped, SOCIAL, LEGAL, **groups) == "" == why_not(named, LEGAL, SOCIAL, **groups)


def test_where_one_of_them_has_none_every_member_may_but_no_guest() -> None:
    assert asked_groups([SOCIAL, ALL]) == asked_groups([]) == ()
    assert why_not(Known("U0X", "x"), SOCIAL, ALL) == "" == why_not(Known("U0X", "x"))
    for kind in (Kind.GUEST, Kind.BOT, Kind.DELETED, Kind.STRANGER):
        assert why_not(Known("U0ANNA", "anna", kind), SOCIAL, ALL)
