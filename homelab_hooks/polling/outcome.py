"""The results of a poll, and of a decision about one."""

from __future__ import annotations

from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

from homelab_hooks.events import Event
from homelab_hooks.exit_codes import ExitCode

T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S")


class FailureKind(Enum):
    """Why there was no usable response."""

    CONNECTION = auto()
    """refused, reset, no DNS, no route"""
    TIMEOUT = auto()
    """no complete response within the time"""
    STATUS = auto()
    """5xx, 429, or another status without a result"""
    BODY = auto()
    """empty, incomplete, too long, not JSON, or JSON of another shape"""
    FOREIGN = auto()
    """a response of another server: a login page, a redirect, a proxy, a forge"""


class Found(NamedTuple, Generic[T_co]):
    """A usable response."""

    value: T_co


class NotFound(NamedTuple):
    """A usable response: there is nothing yet."""

    reason: str = ""
    hint: str = ""
    """what to do if waiting does not help, if known"""


class Unavailable(NamedTuple):
    """No usable response; a retry may help."""

    reason: str
    kind: FailureKind = FailureKind.CONNECTION
    retry_after: float | None = None
    """seconds that the server asked to wait"""
    hint: str = ""
    """what may help, if known"""
    answered_before: bool = False
    """another request of the same wait had a usable response"""
    never_recognized: bool = False
    """no response of this wait, not even a usable one, showed that its server is the right one"""
    is_repeat: bool = False
    """nothing has been requested since this result, because the server asked to wait"""


class Denied(NamedTuple):
    """A refusal."""

    reason: str
    hint: str = ""
    exit: ExitCode = ExitCode.DENIED
    final: bool = False
    """a retry cannot help, whatever worked before (a certificate that does not verify)"""
    worked_before: bool = False
    """the same token had worked for the same repository in this wait"""
    slow: bool = False
    """the refusal was so slow that a locked database may be the cause"""


Poll = Found[T_co] | NotFound | Unavailable | Denied


class Decision(NamedTuple, Generic[S]):
    """The next state, the events to emit, and the seconds until the next decision (None: settled)."""

    state: S
    events: tuple[Event, ...] = ()
    delay: float | None = None
    request_at: float = 0.0
    """when the next request may be sent, in seconds of the clock; a decision before then is about the same poll"""
