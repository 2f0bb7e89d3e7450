"""Fault modes of the simulated Kubernetes API server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DenyObjects:
    """Requests for objects fail with this status; discovery works."""

    status: int = 403
    reason: str = "Forbidden"
    message: str = 'deployments.apps "web" is forbidden: User "ann" cannot get resource "deployments"'


@dataclass(frozen=True, slots=True)
class RespondWith:
    """All requests get this response, such as a proxy's error page."""

    status: int
    body: str
    content_type: str = "text/html"


@dataclass(frozen=True, slots=True)
class NeverAnswer:
    """Requests are accepted and never answered."""


@dataclass(slots=True)
class FailTimes:
    """The next requests for objects fail with these statuses, in order (0: closed connection); later ones succeed."""

    statuses: list[int]


@dataclass(frozen=True, slots=True)
class FailWatches:
    """Watches end with this response; other requests succeed."""

    status: int = 403
    text: str = ""
    silent: bool = False
    """watches are accepted instead, and send nothing"""


ServerFault = DenyObjects | RespondWith | NeverAnswer | FailTimes | FailWatches | None
