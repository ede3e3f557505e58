"""What becomes of a message after each outcome, and which message is next.

Pure: no SQL (store.outbox), no network (slack.client), no clock. The aim is one post for each message: whenever nobody
knows whether a message arrived, Slack is asked before anything is sent again. A message is never dropped.

    ready ──claimed──▶ sending ──▶ sent
      ▲                  ├─ limited, failed ──▶ ready, later
      │                  ├─ refused ──▶ ready in another form or channel, else blocked ──▶ tried again
      └── absent twice ──┴─ unknown ──▶ asked: found ──▶ sent
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.model import Severity
from monitor.outgoing import MessageKind, MessageState, OutboxMessage

#: Slack takes one post a second in a channel,
PACE = timedelta(seconds=1)
#: and some fifty changes of messages a minute in all channels together.
UPDATE_PACE = timedelta(seconds=1.5)
#: which need not be spread evenly: people see at once what they did, ahead of the pace by so much at most.
AHEAD = timedelta(seconds=15)
#: The lane of all updates; that of a post is its channel.
UPDATES = "chat.update"
#: Histories lag behind posts.
FIRST_READ_AFTER = timedelta(seconds=30)
READ_AGAIN_AFTER = timedelta(seconds=60)
COMPLETE_READS = 2
#: A critical message that cannot be looked up is sent again rather than lost.
REPEAT_CRITICAL_AFTER = timedelta(minutes=5)
#: A blocked message is tried again this often, besides at every start and reload: a mended channel gets it by itself.
TRY_BLOCKED_EVERY = timedelta(minutes=10)
#: After trouble a channel rests, so that not every waiting message runs into the same trouble.
REST_AFTER_TROUBLE = timedelta(seconds=5)
LONGEST_BACKOFF = timedelta(seconds=60)
LONGEST_LIMIT = timedelta(hours=1)
#: Slack's clock and its histories are not exact to the second.
FLOOR_MARGIN = timedelta(seconds=120)
#: Until Slack has told its time, ours may be an hour off.
OWN_CLOCK_MARGIN = timedelta(hours=2)

#: Slack's error codes, by what they blame.
BLOCKS_AT_FAULT = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
MESSAGE_AT_FAULT = BLOCKS_AT_FAULT | {"no_text", "invalid_arguments", "invalid_arg_name", "metadata_too_large"}
APP_AT_FAULT = frozenset({
    "account_inactive", "invalid_auth", "missing_scope", "no_permission", "not_allowed_token_type", "not_authed",
    "org_login_required", "ekm_access_denied", "token_expired", "token_revoked",
})  # fmt: skip
MESSAGE_GONE = frozenset({"message_not_found", "thread_not_found", "cannot_reply_to_message"})
NOT_EDITABLE = frozenset({"edit_window_closed", "cant_update_message"})

#: The key of the payload that keeps the channel for which a message in the fallback channel was meant.
MEANT_FOR = "meant_for"
#: The key of an update's payload that names the message it brings up to date, where that is not the root.
OF = "of"
#: The key of an update's payload that says that a person has just done something, and waits to see it.
ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message whose time has come; for a reply or an update `root` is the message that it belongs to: the newest root
    of its escalation, or the call or summary that is brought up to date."""

    message: OutboxMessage
    root: OutboxMessage | None = None

    @property
    def channel(self) -> str:
        """Where it will go: replies and updates follow their root, wherever that went."""
        return self.root.channel if self.root else self.message.channel

    @property
    def lane(self) -> str:
        """With what it shares its pace: posts with those of their channel, updates with all others."""
        return UPDATES if self.message.kind is MessageKind.UPDATE else self.channel

    @property
    def asked(self) -> bool:
        return self.message.kind is MessageKind.UPDATE and bool(self.message.payload.get(ASKED))

    @property
    def order(self) -> tuple[int, int, datetime, int]:
        """The least goes first: what is critical, what a person waits for, the severe, the old."""
        message = self.message
        critical = message.severity is Severity.CRITICAL and message.kind is not MessageKind.UPDATE
        return 0 if critical else 1 if self.asked else 2, -message.severity.rank, message.created_at, message.id


def next_to_send(
    waiting: Iterable[Waiting],
    last_sent: Mapping[str, datetime],
    paused_until: Mapping[str, datetime],
    now: datetime,
) -> Waiting | datetime | None:
    """The message to work on now, else when there will be one, else None because nothing waits.

    `last_sent` and `paused_until` are by lane.
    """
    free: list[Waiting] = []
    later: list[datetime] = []
    for item in waiting:
        at = _free_at(item, last_sent, paused_until, now)
        if at <= now:
            free.append(item)
        else:
            later.append(at)
    if free:
        return min(free, key=lambda item: item.order)
    return min(later, default=None)


def _free_at(
    item: Waiting, last_sent: Mapping[str, datetime], paused_until: Mapping[str, datetime], now: datetime
) -> datetime:
    at = item.message.not_before
    last = last_sent.get(item.lane)
    # A clock that was set back must not silence the lane until it has caught up.
    if last is not None and last <= now + (AHEAD if item.lane == UPDATES else timedelta(0)):
        pace = UPDATE_PACE - (AHEAD if item.asked else timedelta(0)) if item.lane == UPDATES else PACE
        at = max(at, last + pace)
    return max(at, paused_until.get(item.lane, at))


def sent_at(item: Waiting, last: datetime | None, now: datetime) -> datetime:
    """What to note as `last_sent` of its lane, now that it is sent: updates that went ahead of their pace are made up
    for by those that follow."""
    if item.lane != UPDATES or last is None or not now < last + UPDATE_PACE <= now + AHEAD:
        return now
    return last + UPDATE_PACE


def floor(server_time: datetime | None, now: datetime) -> datetime:
    """Before which nothing need be searched for a message that is sent now. `server_time`: Slack's last `Date`."""
    return server_time - FLOOR_MARGIN if server_time else now - OWN_CLOCK_MARGIN


def after_sent(message: OutboxMessage, channel: str, ts: str, now: datetime) -> OutboxMessage:
    """Slack confirmed it, or it was found there: `channel` and `ts` are its name in Slack."""
    return replace(
        message, state=MessageState.SENT, sent_at=now, sent_channel=channel, sent_ts=ts, error="", unknown_at=None
    )


def after_limited(message: OutboxMessage, retry_after: timedelta, error: str, now: datetime) -> OutboxMessage:
    return _ready(message, now + limit(retry_after), error=error)


def limit(retry_after: timedelta) -> timedelta:
    """For how long a channel pauses: what Slack asked for, within reason."""
    return min(max(retry_after, PACE), LONGEST_LIMIT)


def after_failed(message: OutboxMessage, error: str, now: datetime) -> OutboxMessage:
    """It surely did not arrive."""
    return _ready(message, now + _backoff(message), error=error)


def after_refused(message: OutboxMessage, code: str, error: str, now: datetime, fallback: str | None) -> OutboxMessage:
    """Another form or the `fallback` channel if that can help, else blocked.

    Every way out narrows what is left (blocks to plain, update to reply to root, channel to fallback), so that no
    message goes round in circles.
    """
    follows = message.kind in (MessageKind.REPLY, MessageKind.UPDATE)
    if code in BLOCKS_AT_FAULT and not message.plain:
        return _ready(message, now, error=error, plain=True)
    if message.kind is MessageKind.UPDATE and OF in message.payload:
        return _copy_refused(message, code, error, now, fallback)
    if code in MESSAGE_GONE and follows:
        return _ready(message, now, error=error, kind=MessageKind.ROOT)
    if code in NOT_EDITABLE and message.kind is MessageKind.UPDATE:
        return _ready(message, now, error=error, kind=MessageKind.REPLY)
    if fallback and message.channel != fallback and code not in APP_AT_FAULT | MESSAGE_AT_FAULT:
        return _ready(
            message,
            now,
            error=error,
            kind=MessageKind.ROOT if follows else message.kind,
            channel=fallback,
            payload={**message.payload, MEANT_FOR: message.channel},
        )
    return after_impossible(message, error, now)


def _copy_refused(message: OutboxMessage, code: str, error: str, now: datetime, fallback: str | None) -> OutboxMessage:
    """The update of a call, which is a copy, or of a summary, which is all that there is of what is folded into it: one
    that is gone is posted anew. What can only no longer be changed stays as it is."""
    summary, moved = message.escalation_id is None, code not in APP_AT_FAULT | MESSAGE_AT_FAULT | NOT_EDITABLE
    if summary and code in MESSAGE_GONE:
        return _ready(message, now, error=error, kind=MessageKind.SUMMARY)
    if summary and moved and fallback and message.channel != fallback:
        payload = {**message.payload, MEANT_FOR: message.channel}
        return _ready(message, now, error=error, kind=MessageKind.SUMMARY, channel=fallback, payload=payload)
    if code in NOT_EDITABLE or (moved and not summary):
        return replace(message, state=MessageState.SENT, sent_at=now, error=error, unknown_at=None)
    return after_impossible(message, error, now)


def after_impossible(message: OutboxMessage, error: str, now: datetime) -> OutboxMessage:
    """Blocked until a person mends something; next time it goes first where it was meant to go."""
    payload = dict(message.payload)
    channel = payload.pop(MEANT_FOR, message.channel)
    return replace(
        message,
        state=MessageState.BLOCKED,
        channel=channel,
        payload=payload,
        error=error,
        not_before=now + TRY_BLOCKED_EVERY,
        unknown_at=None,
    )


def after_unknown(message: OutboxMessage, error: str, now: datetime) -> OutboxMessage:
    """It may have arrived. An update is simply made again: it changes nothing the second time."""
    if message.kind is MessageKind.UPDATE:
        return after_failed(message, error, now)
    return replace(
        message,
        state=MessageState.UNKNOWN,
        not_before=now + FIRST_READ_AFTER,
        unknown_at=now,
        absent_reads=0,
        error=error,
    )


def after_absent(message: OutboxMessage, now: datetime) -> OutboxMessage:
    """A complete read did not find it; after two of them it has not arrived."""
    if message.absent_reads + 1 >= COMPLETE_READS:
        return _ready(message, now, error="")
    return replace(message, absent_reads=message.absent_reads + 1, not_before=now + READ_AGAIN_AFTER)


def after_unreadable(message: OutboxMessage, error: str, now: datetime) -> OutboxMessage:
    """Slack cannot be asked. `repeated` tells the readers that they may see a critical message twice."""
    since = message.unknown_at or now
    if message.severity is Severity.CRITICAL and now - since >= REPEAT_CRITICAL_AFTER:
        return _ready(message, now, error=error, repeated=True)
    return replace(message, unknown_at=since, not_before=now + READ_AGAIN_AFTER, error=error)


def _ready(
    message: OutboxMessage,
    not_before: datetime,
    *,
    error: str,
    kind: MessageKind | None = None,
    channel: str | None = None,
    payload: Mapping[str, object] | None = None,
    plain: bool = False,
    repeated: bool = False,
) -> OutboxMessage:
    return replace(
        message,
        state=MessageState.READY,
        not_before=not_before,
        error=error,
        kind=kind or message.kind,
        channel=channel or message.channel,
        payload=message.payload if payload is None else payload,
        plain=message.plain or plain,
        repeated=message.repeated or repeated,
        absent_reads=0,
        unknown_at=None,
    )


def _backoff(message: OutboxMessage) -> timedelta:
    """2, 4, 8, … seconds; a fixed row, since one sender has nobody to keep out of step with."""
    return min(timedelta(seconds=2 ** min(message.attempts, 10)), LONGEST_BACKOFF)
