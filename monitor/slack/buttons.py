"""The buttons below a message about an escalation: what can be done with it next, as long as it is alive."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.model import ENDED, EscalationView, State
from monitor.slack.blocks import Block
from monitor.slack.elements import actions, button, overflow
from monitor.slack.tags import Deed, Tag
from monitor.wording.words import Words

#: The `action_id` of the menu; each of its choices is a deed of its own.
MORE = "more"


@dataclass(frozen=True, slots=True)
class Buttons:
    """What the buttons of a message carry: the installation, and the id of the message in the outbox."""

    install: str
    outbox_id: int


def buttons(view: EscalationView, where: Buttons | None, words: Words) -> list[Block]:
    """One block of them; none where there is nobody to receive a click, or nothing left to do."""
    escalation = view.escalation
    if where is None or escalation.state in ENDED:
        return []
    seen = tuple(mention.id for mention in view.mentions if not mention.answer)

    def tag(deed: Deed, mention_ids: tuple[int, ...] = ()) -> Tag:
        return Tag(deed, escalation.id, where.outbox_id, where.install, mention_ids)

    taken = escalation.state is State.ACKNOWLEDGED
    resolve = button(words.say("Resolve…"), tag(Deed.RESOLVE), primary=taken)
    pressed = [resolve] if taken else [button(words.say("Acknowledge"), tag(Deed.ACKNOWLEDGE), primary=True)]
    if view.guideline:
        pressed.append(button(words.say("Read the guideline"), tag(Deed.GUIDELINE)))
    pressed.append(button(words.say("Not negative"), tag(Deed.NOT_NEGATIVE, seen)))
    pressed += [] if taken else [resolve]
    more = overflow(
        MORE,
        (
            (words.say("Assign…"), tag(Deed.ASSIGN)),
            (words.say("Snooze…"), tag(Deed.SNOOZE)),
            (words.say("Hand over…"), tag(Deed.HAND_OVER)),
            (words.say("Not about us"), tag(Deed.NOT_ABOUT_US, seen)),
        ),
    )
    return [actions(*pressed, more)]
