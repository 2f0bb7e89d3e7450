"""Redelivery of GitHub, which sends the original event of a push again.

From "REST API endpoints for repository webhooks" in GitHub's public documentation
(docs.github.com/en/rest/repos/webhooks), not seen on a real server: `GET hooks`, `GET hooks/ID/deliveries` (newest
first), `GET hooks/ID/deliveries/DELIVERY` with the payload, and `POST hooks/ID/deliveries/DELIVERY/attempts` (202).
Deliveries are kept for three days.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from homelab_hooks.forge.connection import ForgeConnection
from homelab_hooks.forge.provider import PushDelivery, PushedCommit, Webhook
from homelab_hooks.forge.webhook_json import parse_webhooks, quote_repo
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable
from homelab_hooks.text.json_fields import read_list, read_number, read_object, read_text

PAGE_SIZE = 100
"""rows of one page, the most that GitHub returns"""
MAX_READ_DELIVERIES = 30
"""push deliveries whose payload is read, the newest first"""
GITHUB_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
"""the version of the API that is documented"""
_GUID = re.compile(r"[0-9A-Za-z-]{1,64}")


class DeliveryRow(NamedTuple):
    """A row of the list of deliveries, which does not tell the commit."""

    id: int
    guid: str
    """the same for each attempt"""
    event: str


@dataclass(frozen=True, slots=True)
class GitHubRedelivery:
    """Redelivers events."""

    connection: ForgeConnection

    def webhooks(self, repo: str, *, within: float) -> Poll[tuple[Webhook, ...]]:
        """Return the webhooks of a repository; only its administrators may read them."""
        path = f"/repos/{quote_repo(repo)}/hooks?per_page={PAGE_SIZE}"
        return self.connection.get(path, parse_webhooks, f"the webhooks of {repo}", within=within)

    def find_delivery(self, repo: str, hook: Webhook, push: PushedCommit, *, within: float) -> Poll[PushDelivery]:
        """Return the original delivery of a push; NotFound if it is not among the newest ones."""
        base = f"/repos/{quote_repo(repo)}/hooks/{hook.id}/deliveries"
        subject = f"the deliveries of a webhook of {repo}"
        listed = self.connection.get(f"{base}?per_page={PAGE_SIZE}", parse_deliveries, subject, within=within)
        if not isinstance(listed, Found):
            return listed
        for row in select_push_deliveries(listed.value):
            poll = self.connection.get(f"{base}/{row.id}", parse_delivery, subject, within=within)
            if isinstance(poll, Denied) or (isinstance(poll, Unavailable) and poll.kind is not FailureKind.BODY):
                return poll
            if isinstance(poll, Found) and push.is_sent_by(poll.value):
                return poll
        return NotFound(f"GitHub has no delivery of the push of {push.sha[:10]}, among the newest of three days")

    def redeliver(self, repo: str, hook: Webhook, delivery: PushDelivery, *, within: float) -> Poll[None]:
        """Send a delivery again."""
        path = f"/repos/{quote_repo(repo)}/hooks/{hook.id}/deliveries/{delivery.key}/attempts"
        return self.connection.post(path, f"the deliveries of a webhook of {repo}", within=within)


def select_push_deliveries(rows: tuple[DeliveryRow, ...]) -> tuple[DeliveryRow, ...]:
    """Return the newest push deliveries, one for each event: attempts share a GUID."""
    by_guid: dict[str, DeliveryRow] = {}
    for row in rows:
        if row.event == "push":
            by_guid.setdefault(row.guid or str(row.id), row)
    return tuple(by_guid.values())[:MAX_READ_DELIVERIES]


def parse_deliveries(raw: object) -> tuple[DeliveryRow, ...]:
    """Read the list of deliveries."""
    return read_list(raw, _parse_row)


def parse_delivery(raw: object) -> PushDelivery:
    """Read a delivery with its payload; a push that deletes a branch has zeros in place of the commit."""
    json = read_object(raw)
    payload = read_object(read_object(json.get("request")).get("payload"))
    return PushDelivery(
        ref=read_text(payload, "ref", required=True),
        sha=read_text(payload, "after", required=True),
        key=read_number(json, "id", required=True),
    )


def _parse_row(raw: object) -> DeliveryRow:
    json = read_object(raw)
    guid = read_text(json, "guid")
    return DeliveryRow(
        read_number(json, "id", required=True), guid if _GUID.fullmatch(guid) else "", read_text(json, "event")
    )
