"""Decompresses an answer piece by piece within a limit: a bomb ends when it passes it. gzip and deflate, one layer.

The bytes decide, not the header alone: servers call plain text gzip, gzip plain text, and raw deflate streams deflate.
"""

from __future__ import annotations

import zlib

GZIP = b"\x1f\x8b"
#: How documents begin that nothing compressed: tags, JSON, byte order marks.
PLAIN = (b"<", b"{", b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")
#: gzip members of one answer; a feed has one, logs that are rotated some.
MOST_MEMBERS = 100


class TooLarge(Exception):
    """The answer passes the limit."""


class Unpacker:
    """Takes pieces by `feed`, which raises TooLarge; then `body` holds what came, `whole` says whether all of it did.

    `coding` is the Content-Encoding; `limit` in bytes holds for what comes in and for what comes out.
    """

    def __init__(self, coding: str, limit: int) -> None:
        self.body = bytearray()
        self._coding = coding.strip().lower()
        self._limit = limit
        self._taken = 0
        self._held = b""
        self._started = False
        self._decoder: zlib._Decompress | None = None
        self._members = 0
        self._broken = False

    @property
    def whole(self) -> bool:
        return not self._broken and (self._decoder is None or self._decoder.eof)

    @property
    def unreadable(self) -> bool:
        """Whether the body is left as it came in a coding that nobody asked for."""
        known = self._coding in ("", "identity", "gzip", "x-gzip", "deflate")
        return not known and self._decoder is None and not self.body.lstrip().startswith(PLAIN)

    def feed(self, piece: bytes) -> None:
        self._taken += len(piece)
        if self._taken > self._limit:
            raise TooLarge
        data, self._held = self._held + piece, b""
        if not self._started:
            if len(data) < 2:
                self._held = data
                return
            self._decoder, self._started = self._choose(data), True
        if self._decoder is None:
            self._add(data)
        elif not self._broken:
            self._inflate(data)

    def finish(self) -> None:
        """No more pieces come."""
        if not self._started:
            self._add(self._held)

    def _inflate(self, data: bytes) -> None:
        assert self._decoder is not None
        while data:
            if self._decoder.eof:
                if len(data) < 2:
                    self._held = data
                    return
                if not data.startswith(GZIP):
                    return
                self._decoder = self._member()
            try:
                self._add(self._decoder.decompress(data, self._limit + 1 - len(self.body)))
            except zlib.error:
                self._broken = True
                return
            data = self._decoder.unused_data

    def _add(self, data: bytes) -> None:
        self.body += data
        if len(self.body) > self._limit:
            raise TooLarge

    def _choose(self, start: bytes) -> zlib._Decompress | None:
        if start.startswith(GZIP):
            return self._member()
        if self._coding != "deflate" or start.lstrip().startswith((*PLAIN, b"\xef\xbb")):
            return None
        zlib_header = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
        return zlib.decompressobj(zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)

    def _member(self) -> zlib._Decompress:
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise TooLarge
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
