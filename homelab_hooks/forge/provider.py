"""The interface of a forge: a protocol for each of its services, and plain data.

To add a forge, write a folder next to `gitea/` that implements the protocols, add a kind to `config/remote_forge.py`,
and a row to `forge/forges.py`. Nothing else knows which forge is used.

Every method takes `within`, the seconds that the answer may take, from its caller, and returns a `Poll`: an expected
failure is a value, never an exception.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple, Protocol

from homelab_hooks.polling.outcome import Poll

REQUEST_TIMEOUT_S = 15.0
"""seconds for a request"""


class Webhook(NamedTuple):
    """A webhook of a repository, without the query of its URL, which holds a token of the receiver."""

    id: int
    host: str
    port: int
    path: str
    is_active: bool = True
    sends_pushes: bool = True
    branch_filter: str = ""
    """pushes to other branches are not sent; a glob, empty: all"""


class PushedCommit(NamedTuple):
    """A push that CI was not notified about."""

    sha: str
    ref: str = ""
    """the full ref; empty: a branch that is not known"""
    tag_objects: frozenset[str] = frozenset()
    """the annotated tags that lead to the commit: the event of such a tag names the tag object"""

    def is_sent_by(self, delivery: PushDelivery) -> bool:
        """Return whether a delivery is about this push."""
        is_ref = delivery.ref == self.ref if self.ref else delivery.ref.startswith("refs/heads/")
        return delivery.sha in self.tag_objects | {self.sha} and is_ref


class PushDelivery(NamedTuple):
    """The push event that the forge can send to a webhook."""

    ref: str
    """the full ref that the event names"""
    sha: str
    key: Hashable = None
    """the forge's own ID of the delivery; None: a test delivery"""
    effects: str = ""
    """how it differs from the original event, in words; empty: it is the original"""


class Redelivery(Protocol):
    """Sends a push event to a webhook again."""

    def webhooks(self, repo: str, *, within: float) -> Poll[tuple[Webhook, ...]]:
        """Return the webhooks of a repository, OWNER/NAME."""

    def find_delivery(self, repo: str, hook: Webhook, push: PushedCommit, *, within: float) -> Poll[PushDelivery]:
        """Return what the forge can send; it may be about another push. NotFound if it can send nothing."""

    def redeliver(self, repo: str, hook: Webhook, delivery: PushDelivery, *, within: float) -> Poll[None]:
        """Send it. The request is sent once only: after a lost response, the event may have been sent."""
