"""An answer of a server, or why there was none."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from homelab_hooks.polling.outcome import FailureKind


class HttpRequest(NamedTuple):
    """What a server is asked: `path` is the whole of it, from the first slash."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = {}


class HttpResponse(NamedTuple):
    """An answer; header names in lower case, `duration_s` in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration_s: float

    @property
    def is_html(self) -> bool:
        """Whether it is a web page."""
        return "html" in self.headers.get("content-type", "").lower()


class RequestFailed(NamedTuple):
    """No answer, or none that could be used."""

    kind: FailureKind
    reason: str
    bad_certificate: bool = False
    """the certificate does not verify; nothing was sent"""


def read_bounded_body(chunks: Iterable[bytes], encoding: str, max_bytes: int) -> bytes | RequestFailed:
    """A body of at most `max_bytes` bytes, unpacked; more is no reply, however small it was packed."""
    parts, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            return RequestFailed(FailureKind.BODY, f"the answer is longer than {max_bytes} bytes")
        parts.append(chunk)
    body = b"".join(parts)
    if encoding.lower() not in ("gzip", "x-gzip"):
        return body
    packed = zlib.decompressobj(wbits=31)
    try:
        unpacked = packed.decompress(body, max_bytes + 1)
    except zlib.error:
        return RequestFailed(FailureKind.BODY, "the answer's compression is broken")
    if len(unpacked) > max_bytes:
        return RequestFailed(FailureKind.BODY, f"the answer is longer than {max_bytes} bytes")
    return unpacked if packed.eof else RequestFailed(FailureKind.BODY, "the compressed answer broke off")
