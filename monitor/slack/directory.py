"""Who is who in Slack: members, and the members of user groups. One question, one request; nothing is kept here."""

from __future__ import annotations

from slack_sdk import WebClient

from monitor.errors import DeliveryRefused
from monitor.slack.api import SlackApi
from monitor.slack.permits import Kind, Known, known

#: Slack does not tell who they are: they belong to another workspace, or are seen by none of ours.
_UNSEEN = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


#: Somebody waits for what follows from the answer.
_PATIENCE = 5


class Directory(SlackApi):
    """Raises only `DeliveryError`s."""

    _ours: frozenset[str] | None = None
    _address: str | None = None

    def __init__(self, token: str, *, api_url: str = WebClient.BASE_URL) -> None:
        super().__init__(token, api_url=api_url, timeout=_PATIENCE)

    def person(self, id: str) -> Known:
        try:
            answer = self._call(self._client.users_info, user=id, include_locale=True)
        except DeliveryRefused as error:
            if error.code in _UNSEEN:
                return Known(id, id, Kind.STRANGER)
            raise
        user = answer.get("user")
        return known({**user, "id": id} if isinstance(user, dict) else {"id": id}, self._workspaces())

    def members(self, group: str) -> frozenset[str]:
        """The ids of the members of a user group."""
        answer = self._call(self._client.usergroups_users_list, usergroup=group)
        return frozenset(str(id) for id in answer.get("users") or ())

    def address(self) -> str | None:
        """Of our workspace: "https://acme.slack.com/"."""
        self._workspaces()
        return self._address

    def _workspaces(self) -> frozenset[str]:
        """The ids of the workspace that the app belongs to, and of its organisation."""
        if self._ours is None:
            answer = self._call(self._client.auth_test)
            self._address = str(answer.get("url") or "") or None
            self._ours = frozenset(str(id) for key in ("team_id", "enterprise_id") if (id := answer.get(key)))
        return self._ours
