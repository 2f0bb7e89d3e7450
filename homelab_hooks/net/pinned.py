"""Connects to a pinned address, and limits every read and write by the deadline of the request."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import httpcore

from homelab_hooks.net.certificate import CertificateFault, find_certificate_fault


class TlsError(NamedTuple):
    """Why TLS failed."""

    text: str
    """OpenSSL's name of the reason, such as WRONG_VERSION_NUMBER; for a certificate, what is wrong with it"""
    certificate_fault: CertificateFault | None = None


def find_tls_error(error: Exception) -> TlsError | None:
    """Return the TLS error among the causes of an error; None if there is none."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TlsError(cause.verify_message, find_certificate_fault(cause))
        if isinstance(cause, ssl.SSLError):
            return TlsError(cause.reason or "UNKNOWN")
        cause = cause.__cause__ or cause.__context__
    return None


class MonotonicClock(Protocol):
    """A clock for durations."""

    def now(self) -> float:
        """Return monotonic seconds."""


class RequestClock(MonotonicClock, Protocol):
    """A clock for durations that also has the time of day."""

    def wall(self) -> float:
        """Return the time of day in unix seconds."""


class Deadline:
    """The time at which the current request must have ended."""

    def __init__(self, clock: MonotonicClock) -> None:
        self._clock = clock
        self._end = float("inf")

    def set(self, end: float) -> None:
        """Set the end of the current request, in seconds of the clock."""
        self._end = end

    def remaining(self, timeout: float | None) -> float:
        """Return the seconds left, at most `timeout`. Raises httpcore.ReadTimeout if no time is left."""
        left = self._end - self._clock.now()
        if left <= 0:
            raise httpcore.ReadTimeout("response timed out")
        return left if timeout is None else min(timeout, left)


class Opening:
    """The first bytes that a server sends for a request: they show which protocol it uses."""

    def __init__(self) -> None:
        self.received = b""

    def clear(self) -> None:
        """Forget the bytes of the last request."""
        self.received = b""

    def add(self, data: bytes) -> None:
        """Keep the data if it is the first of the response."""
        if len(self.received) < OPENING_BYTES:
            self.received += data[:OPENING_BYTES]


OPENING_BYTES = 16
"""bytes of a response that are kept"""


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose reads and writes end with the request, even if a response arrives byte by byte."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline, opening: Opening) -> None:
        self._stream, self._deadline, self._opening = stream, deadline, opening

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read for as long as httpcore asks, but not past the deadline."""
        data = self._stream.read(max_bytes, self._deadline.remaining(timeout))
        self._opening.add(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write for as long as httpcore asks, but not past the deadline."""
        self._stream.write(buffer, self._deadline.remaining(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Start TLS on the connection."""
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.remaining(timeout))
        return DeadlineStream(stream, self._deadline, self._opening)

    def get_extra_info(self, info: str) -> object:
        """Return what httpcore asks about the connection."""
        return self._stream.get_extra_info(info)


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to the pinned address for the pinned (host, port), as curl's --resolve does.

    Args:
        resolve: returns the addresses of a host that is not pinned, by name, port, and seconds; raises OSError.
        opening: is given the first bytes of each response.
    """

    def __init__(
        self,
        pinned: Mapping[tuple[str, int], tuple[str, int]],
        deadline: Deadline,
        resolve: Callable[[str, int, float], Sequence[str]],
        opening: Opening,
    ) -> None:
        self._pinned, self._deadline, self._resolve, self._opening = pinned, deadline, resolve, opening
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the pinned address of the host, or to the first address from DNS that accepts a connection."""
        failed: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError("no address found in DNS")
        for address, real_port in self._addresses(host, port, self._deadline.remaining(timeout)):
            try:
                stream = self._real.connect_tcp(
                    address, real_port, self._deadline.remaining(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return DeadlineStream(stream, self._deadline, self._opening)
        raise failed

    def _addresses(self, host: str, port: int, timeout: float) -> list[tuple[str, int]]:
        if pinned := self._pinned.get((host, port)):
            return [pinned]
        try:
            return [(address, port) for address in self._resolve(host, port, timeout)]
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
