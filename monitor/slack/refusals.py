"""Slack's error codes in plain words: what happened, and what to click or write to mend it.

Codes as documented at https://docs.slack.dev/reference/methods/chat.postMessage and .../chat.update.
"""

from __future__ import annotations

_REINSTALL = (
    "open https://api.slack.com/apps, choose the app, then OAuth & Permissions and Reinstall to Workspace, "
    "and store the Bot User OAuth Token as SLACK_BOT_TOKEN; then restart brand-monitor."
)
_SCOPE = (
    "The Slack app may not do this: open https://api.slack.com/apps, choose the app, then OAuth & Permissions, "
    "add {scope} to its Bot Token Scopes and press Reinstall to Workspace."
)
_CHANNEL = "or name another channel in monitor.yaml at `slack.channel`, or in rules/teams.yaml."
_RULES = (
    "Only some people may post in {channel}: in Slack, click on the channel's name, then Settings and Posting "
    "permissions, and allow the app; " + _CHANNEL
)
_TOKEN = "Slack does not accept the bot token: " + _REINSTALL
_CONTENT = "Slack cannot show this message as it was made. It is tried as plain text; if that fails too, report it."
_GONE = "The message is no longer in {channel}: somebody deleted it. A new one is posted."
_FIXED = "Slack no longer lets the message in {channel} be changed. The news go into its thread."

_WORDS = {
    "invalid_auth": _TOKEN,
    "not_authed": "No bot token was sent to Slack: " + _REINSTALL,
    "token_revoked": "The bot token was revoked: " + _REINSTALL,
    "token_expired": "The bot token has expired: " + _REINSTALL,
    "account_inactive": "The app was removed from the workspace: " + _REINSTALL,
    "not_allowed_token_type": "SLACK_BOT_TOKEN must hold the token that begins with xoxb-: " + _REINSTALL,
    "missing_scope": _SCOPE,
    "no_permission": _SCOPE,
    "channel_not_found": (
        "Slack knows no channel {channel}, or it is private and the app is not in it. Check how it is written; in a "
        "private channel type `/invite` and the app's name; " + _CHANNEL
    ),
    "not_in_channel": (
        "The Slack app is not in {channel}: in Slack, open it and type `/invite` and the app's name; " + _CHANNEL
    ),
    "is_archived": (
        "{channel} is archived: in Slack, open it, click on its name, then Settings and Unarchive channel; " + _CHANNEL
    ),
    "restricted_action": _RULES,
    "restricted_action_read_only_channel": _RULES,
    "restricted_action_non_threadable_channel": _RULES,
    "restricted_action_thread_only_channel": _RULES,
    "ekm_access_denied": "The workspace's administrators have suspended posting: ask them.",
    "org_login_required": "The workspace is being moved to an Enterprise organisation: wait, then try again.",
    "invalid_blocks": _CONTENT,
    "invalid_blocks_format": _CONTENT,
    "invalid_arguments": _CONTENT,
    "msg_blocks_too_long": _CONTENT,
    "msg_too_long": _CONTENT,
    "message_not_found": _GONE,
    "thread_not_found": _GONE,
    "cannot_reply_to_message": _GONE,
    "edit_window_closed": _FIXED,
    "cant_update_message": _FIXED,
}


def in_words(code: str, *, channel: str = "", scope: str = "") -> str:
    """A sentence or two for a refusal, with its code for those who look it up."""
    if code.startswith("http_"):
        status = code.removeprefix("http_")
        return f"What answered is not Slack, or refuses us (HTTP {status}): check `slack.api_url` and any proxy."
    words = _WORDS.get(code, "Slack refused the message for {channel}. Its code is explained on docs.slack.dev.")
    return f"{words.format(channel=channel or 'the channel', scope=scope or 'the permission')} ({code})"


_APP = "open https://api.slack.com/apps, choose the app, then Basic Information and App-Level Tokens, "
_STORE = "and store it as SLACK_APP_TOKEN; then restart brand-monitor."
_NEW = f"{_APP}generate a token with the scope connections:write, {_STORE}"
_APP_WORDS = {
    "invalid_auth": f"Slack does not accept the app token: {_NEW}",
    "not_authed": f"No app token was sent to Slack: {_NEW}",
    "token_revoked": f"The app token was revoked: {_NEW}",
    "token_expired": f"The app token has expired: {_NEW}",
    "account_inactive": f"The app was removed from the workspace: install it again; then {_NEW}",
    "not_allowed_token_type": f"SLACK_APP_TOKEN must hold the token that begins with xapp-: {_NEW}",
    "missing_scope": f"The app token may not open a socket: {_NEW}",
    "no_permission": f"The app token may not open a socket: {_NEW}",
    "link_disabled": (
        "Socket Mode is switched off: open https://api.slack.com/apps, choose the app, then Socket Mode, and enable it."
    ),
    "too_many_connections": (
        "Another program is connected with this app token, and Slack tells each click to one of them alone: end it, or "
        "give it an app of its own."
    ),
}


def of_app_token(code: str) -> str:
    """Why Slack opens no socket, or what is wrong with the one that it opened."""
    if code.startswith("http_"):
        return in_words(code)
    words = _APP_WORDS.get(code, "Slack opens no socket. Its code is explained on docs.slack.dev.")
    return f"{words} ({code})"
