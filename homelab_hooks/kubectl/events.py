"""Parses the JSON of events about pods."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.text.json_fields import Json
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

_MAX_MESSAGE_CHARS = 300


class PodWarning(NamedTuple):
    """The newest warning about a pod."""

    reason: str
    """Kubernetes' own name, such as FailedMount or Unhealthy"""
    message: str


def parse_pod_warnings(raw: Json) -> dict[str, PodWarning]:
    """Return the newest warning of each pod in a list of events, by the pod's uid."""
    about = [
        each
        for each in raw["items"]
        if each.get("type") == "Warning" and (each.get("involvedObject") or {}).get("kind") == "Pod"
    ]
    return {
        str(each["involvedObject"].get("uid")): PodWarning(
            strip_control_chars(each.get("reason") or "Warning"),
            truncate_text(strip_control_chars(each.get("message") or ""), _MAX_MESSAGE_CHARS),
        )
        for each in sorted(about, key=event_time)
    }


def event_time(event: Json) -> str:
    """Return when an event was last seen, in the API's format; texts of it are in the order of time.

    `series` is set for events of the newer API (events.k8s.io), whose `lastTimestamp` may be null.
    """
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or (event.get("metadata") or {}).get("creationTimestamp")
        or ""
    )
