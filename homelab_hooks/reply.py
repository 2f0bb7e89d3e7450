"""An answer of a server, or why there was none."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from homelab_hooks.looks import Fault


class Call(NamedTuple):
    """What a server is asked: `path` is the whole of it, from the first slash."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Reply(NamedTuple):
    """An answer; header names in lower case, `took` in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    took: float

    @property
    def html(self) -> bool:
        """Whether it is a web page."""
        return "html" in self.headers.get("content-type", "").lower()


class NoReply(NamedTuple):
    """No answer, or none that could be used."""

    fault: Fault
    reason: str
    untrusted: bool = False
    """the certificate does not verify; nothing was sent"""


def bounded(chunks: Iterable[bytes], encoding: str, limit: int) -> bytes | NoReply:
    """A body of at most `limit` bytes, unpacked; more is no reply, however small it was packed."""
    parts, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            return NoReply(Fault.BODY, f"the answer is longer than {limit} bytes")
        parts.append(chunk)
    body = b"".join(parts)
    if encoding.lower() not in ("gzip", "x-gzip"):
        return body
    packed = zlib.decompressobj(wbits=31)
    try:
        unpacked = packed.decompress(body, limit + 1)
    except zlib.error:
        return NoReply(Fault.BODY, "the answer's compression is broken")
    if len(unpacked) > limit:
        return NoReply(Fault.BODY, f"the answer is longer than {limit} bytes")
    return unpacked if packed.eof else NoReply(Fault.BODY, "the compressed answer broke off")
