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
