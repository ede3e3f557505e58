"""Who is in the workspace of `slack_server`, and the app that its tokens belong to."""

from __future__ import annotations

from typing import Any

APP_TOKEN = "xapp-1-A0BRANDMON-1-test"
Answer = dict[str, Any]


class Workspace:
    """`members` and `groups` are Slack's objects by id, `in_group` the ids of a group's members; `private` the names of
    channels that only members see. All of it can be changed at any time."""

    def __init__(self) -> None:
        self.members: dict[str, Answer] = {}
        self.groups: dict[str, Answer] = {}
        self.in_group: dict[str, list[str]] = {}
        self.private: set[str] = set()
        self.app_id, self.app_token = "A0BRANDMON", APP_TOKEN
        #: Where a socket is to be had.
        self.socket_url = ""

    def member(self, id: str, **given: Any) -> None:
        self.members[id] = {"id": id, "deleted": False, "is_bot": False, **given}

    def group(self, id: str, handle: str, **given: Any) -> None:
        self.groups[id] = {"id": id, "handle": handle, "date_delete": 0, "user_count": "1", **given}

    def answer(self, method: str, arguments: Answer) -> Answer | None:
        """None for a method that is not about people."""
        match method:
            case "users.info":
                user = self.members.get(str(arguments.get("user")))
                return {"ok": True, "user": user} if user else {"ok": False, "error": "user_not_found"}
            case "usergroups.list":
                shown = [
                    group
                    for group in self.groups.values()
                    if not group["date_delete"] or arguments.get("include_disabled") == "1"
                ]
                return {"ok": True, "usergroups": shown}
            case "usergroups.users.list":
                found = self.in_group.get(str(arguments.get("usergroup")))
                return {"ok": False, "error": "no_such_subteam"} if found is None else {"ok": True, "users": found}
            case "bots.info":
                return {"ok": True, "bot": {"id": arguments.get("bot"), "app_id": self.app_id}}
        return None

    def open_socket(self, token: str) -> Answer:
        if token.startswith("xoxb-"):
            return {"ok": False, "error": "not_allowed_token_type"}
        if token != self.app_token:
            return {"ok": False, "error": "invalid_auth" if token else "not_authed"}
        return {"ok": True, "url": self.socket_url}
