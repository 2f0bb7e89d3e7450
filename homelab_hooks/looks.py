"""What one look at another system can come to, and what a decision makes of it."""

from __future__ import annotations

from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

from homelab_hooks.events import Event
from homelab_hooks.exits import Exit

T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S")


class Fault(Enum):
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


class Seen(NamedTuple, Generic[T_co]):
    """Answered."""

    value: T_co


class Absent(NamedTuple):
    """Answered: there is nothing yet."""

    reason: str = ""


class Missed(NamedTuple):
    """No usable answer; asking again may help."""

    reason: str
    fault: Fault = Fault.CONNECTION
    retry_after: float | None = None
    """seconds the server asked us to wait"""
    hint: str = ""
    """what may help, where that is known"""


class Denied(NamedTuple):
    """Answered "no"."""

    reason: str
    hint: str = ""
    exit: Exit = Exit.DENIED
    final: bool = False
    """true where asking again cannot help whatever was seen before (a certificate that does not verify)"""
    slow: bool = False
    """true for a refusal that took so long that a locked database may be behind it"""


Look = Seen[T_co] | Absent | Missed | Denied


class Turn(NamedTuple, Generic[S]):
    """What a decision came to: the state from now on, what to tell, and how long to wait (None: settled)."""

    state: S
    events: tuple[Event, ...] = ()
    wait: float | None = None
