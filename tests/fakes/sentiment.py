"""A sentiment model for tests about what follows from a judgement: the words of the text say how it feels."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.model import Sentiment

BAD, GOOD = ("bad", "awful", "pessimo"), ("good", "great", "ottimo")


class PlainWords:
    """Negative if a text holds one of `BAD`, positive if one of `GOOD`, else neutral; always sure of it."""

    id = "plain-words"

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        return [self._one(text.lower()) for text in texts]

    def _one(self, text: str) -> Sentiment:
        if any(word in text for word in BAD):
            return Sentiment(0.94, 0.04, 0.02, self.id)
        if any(word in text for word in GOOD):
            return Sentiment(0.02, 0.04, 0.94, self.id)
        return Sentiment(0.05, 0.9, 0.05, self.id)
