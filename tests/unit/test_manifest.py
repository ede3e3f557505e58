"""The app's manifest asks for what the code needs and no more, and Slack takes it when it is pasted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from monitor.slack import client, health

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "slack-app.yaml"
EVENTS = ["app_home_opened"]


def text(longest: int, pattern: str = "") -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest, **({"pattern": pattern} if pattern else {})}


def record(*needed: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(needed), "properties": properties, "additionalProperties": False}


FLAG = {"type": "boolean"}
NAMES = {"type": "array", "items": text(80), "uniqueItems": True}
#: From https://docs.slack.dev/reference/app-manifest, as far as we use it; unknown keys are refused there as well.
SCHEMA = record(
    "display_information",
    display_information=record(
        "name",
        name=text(35),
        description=text(140),
        long_description={"type": "string", "minLength": 174, "maxLength": 4000},
        background_color=text(7, "^#([0-9a-f]{3}|[0-9a-f]{6})$"),
    ),
    features=record(
        app_home=record(home_tab_enabled=FLAG, messages_tab_enabled=FLAG, messages_tab_read_only_enabled=FLAG),
        bot_user=record("display_name", display_name=text(80, "^[a-z0-9._-]+$"), always_online=FLAG),
        slash_commands={
            "type": "array",
            "maxItems": 50,
            "items": record(
                "command",
                "description",
                command=text(32, "^/[a-z0-9_-]+$"),
                description=text(2000),
                usage_hint=text(1000),
                should_escape=FLAG,
            ),
        },
    ),
    oauth_config=record(scopes=record(bot={**NAMES, "maxItems": 255})),
    settings=record(
        event_subscriptions=record(bot_events={**NAMES, "maxItems": 100}),
        interactivity=record("is_enabled", is_enabled=FLAG),
        org_deploy_enabled=FLAG,
        socket_mode_enabled=FLAG,
        token_rotation_enabled=FLAG,
    ),
)


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load(FILE.read_text("utf-8"))


def test_slack_takes_it(manifest: Any) -> None:
    jsonschema.validate(manifest, SCHEMA)


def test_it_asks_for_the_permissions_that_are_used_and_no_more(manifest: Any) -> None:
    asked = manifest["oauth_config"]["scopes"]["bot"]
    assert sorted(asked) == sorted(health.SCOPES)
    assert set(client.SCOPES) <= set(asked)


def test_clicks_commands_and_the_home_tab_come_over_the_socket(manifest: Any) -> None:
    settings, features = manifest["settings"], manifest["features"]
    assert settings["socket_mode_enabled"] and settings["interactivity"]["is_enabled"]
    assert features["app_home"]["home_tab_enabled"]
    assert [command["command"] for command in features["slash_commands"]] == ["/brand"]
    assert settings["event_subscriptions"]["bot_events"] == EVENTS


def test_the_code_hears_no_event_that_is_not_subscribed_to() -> None:
    parsed = (ROOT / "monitor/slack/requests.py").read_text("utf-8")
    heard = re.findall(r'"(app_[a-z_]+|message\.[a-z]+|reaction_[a-z]+|team_join)"', parsed)
    assert set(heard) == set(EVENTS)
