"""What one look at another system can come to, and what a decision makes of it."""

from __future__ import annotations

from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

from homelab_hooks.events import Event
from homelab_hooks.exit_codes import ExitCode

T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S")


class FailureKind(Enum):
    """Why there was no usable answer."""

    CONNECTION = auto()
    """refused, reset, no DNS, no route"""
    TIMEOUT = auto()
    """nothing within the time, or an answer that dripped past it"""
    STATUS = auto()
    """5xx, 429, or any other status that answers nothing"""
    BODY = auto()
    """empty, truncated, too long, not JSON or JSON of another shape"""
    WEB_PAGE = auto()
    """HTML, or a redirect to another place: perhaps no API at all"""


class Found(NamedTuple, Generic[T_co]):
    """Answered."""

    value: T_co


class NotFound(NamedTuple):
    """Answered: there is nothing yet."""

    reason: str = ""


class Unavailable(NamedTuple):
    """No usable answer; asking again may help."""

    reason: str
    kind: FailureKind = FailureKind.CONNECTION
    retry_after: float | None = None
    """seconds the server asked us to wait"""
    hint: str = ""
    """what may help, where that is known"""


class Denied(NamedTuple):
    """Answered "no"."""

    reason: str
    hint: str = ""
    exit: ExitCode = ExitCode.DENIED
    final: bool = False
    """true where asking again cannot help whatever was seen before (a certificate that does not verify)"""
    slow: bool = False
    """true for a refusal that took so long that a locked database may be behind it"""


Poll = Found[T_co] | NotFound | Unavailable | Denied


class Decision(NamedTuple, Generic[S]):
    """What a decision came to: the state from now on, what to tell, and how long to wait (None: settled)."""

    state: S
    events: tuple[Event, ...] = ()
    delay: float | None = None
