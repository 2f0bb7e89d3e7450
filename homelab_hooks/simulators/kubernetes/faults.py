"""What can be wrong with the stand-in for a cluster's API server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DenyObjects:
    """Every object is answered with this status; discovery goes on."""

    status: int = 403
    reason: str = "Forbidden"
    message: str = 'deployments.apps "web" is forbidden: User "nobody" cannot get resource "deployments"'


@dataclass(frozen=True, slots=True)
class RespondWith:
    """Everything is answered with this body: a proxy's page, garbage."""

    status: int
    body: str
    content_type: str = "text/html"


@dataclass(frozen=True, slots=True)
class NeverAnswer:
    """Connections are accepted and never answered."""


@dataclass(slots=True)
class FailTimes:
    """The next questions for objects get these statuses, one each (0: the connection is closed); then all is well."""

    statuses: list[int]


@dataclass(frozen=True, slots=True)
class FailWatches:
    """Watches are answered with this text and ended; all else is well."""

    status: int = 403
    text: str = ""
    silent: bool = False
    """they are accepted instead, and nothing ever comes"""


ServerFault = DenyObjects | RespondWith | NeverAnswer | FailTimes | FailWatches | None
