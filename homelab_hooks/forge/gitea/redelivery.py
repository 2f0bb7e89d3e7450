"""Test deliveries of Gitea and Forgejo, which resend the tip of the default branch.

Their API has no list of deliveries and no true redelivery. `POST hooks/ID/tests` without a ref sends a push event of
the default branch's tip, which makes CI build exactly that commit. With `ref=refs/heads/OTHER`, the event names the
other branch and the tip of the default branch, so CI would build the wrong commit (recordings 05-webhook-redelivery and
05b-redelivery-to-woodpecker); therefore no ref is ever passed. The response is 204, also where nothing is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from homelab_hooks.forge.connection import ForgeConnection
from homelab_hooks.forge.provider import PushDelivery, PushedCommit, Webhook
from homelab_hooks.forge.webhook_json import parse_webhooks, quote_repo
from homelab_hooks.polling.outcome import Found, NotFound, Poll
from homelab_hooks.text.json_fields import UnexpectedShape, read_object, read_text

PAGE_SIZE = 50
"""webhooks of one page, the most that Gitea returns"""
MAX_PAGES = 4
"""pages of webhooks that are read"""
TEST_DELIVERY_EFFECTS = (
    "the event names no changed files, so path conditions match every workflow; "
    "its author is the owner of the forge token, and it contains only the last commit"
)
"""how a test delivery differs from the push (recording 05b-redelivery-to-woodpecker)"""


@dataclass(frozen=True, slots=True)
class GiteaRedelivery:
    """Sends test deliveries."""

    connection: ForgeConnection

    def webhooks(self, repo: str, *, within: float) -> Poll[tuple[Webhook, ...]]:
        """Return the webhooks of a repository; only its administrators may read them."""
        found: tuple[Webhook, ...] = ()
        for page in range(1, MAX_PAGES + 1):
            path = f"/repos/{quote_repo(repo)}/hooks?page={page}&limit={PAGE_SIZE}"
            poll = self.connection.get(path, parse_webhooks, f"the webhooks of {repo}", within=within)
            if not isinstance(poll, Found):
                return poll
            found += poll.value
            if len(poll.value) < PAGE_SIZE:
                break
        return Found(found)

    def find_delivery(self, repo: str, hook: Webhook, push: PushedCommit, *, within: float) -> Poll[PushDelivery]:
        """Return the push of the default branch's tip, the only one that can be sent."""
        del hook, push
        path = f"/repos/{quote_repo(repo)}"
        branch = self.connection.get(path, _parse_default_branch, f"the repository {repo}", within=within)
        if not isinstance(branch, Found):
            return branch
        if not branch.value:
            return NotFound("the repository has no default branch")
        tip = self.connection.get(
            f"{path}/branches/{quote(branch.value)}", _parse_tip, f"the branch {branch.value} of {repo}", within=within
        )
        if not isinstance(tip, Found):
            return tip
        return Found(PushDelivery(f"refs/heads/{branch.value}", tip.value, effects=TEST_DELIVERY_EFFECTS))

    def redeliver(self, repo: str, hook: Webhook, delivery: PushDelivery, *, within: float) -> Poll[None]:
        """Send a test delivery, without a ref."""
        del delivery
        path = f"/repos/{quote_repo(repo)}/hooks/{hook.id}/tests"
        return self.connection.post(path, f"the webhooks of {repo}", within=within)


def _parse_default_branch(raw: object) -> str:
    name = read_text(read_object(raw), "default_branch")
    if not name.isprintable():  # JSON can contain half of a surrogate pair, which no URL can
        raise UnexpectedShape("default_branch is not the name of a branch")
    return name


def _parse_tip(raw: object) -> str:
    return read_text(read_object(read_object(raw).get("commit")), "id", required=True)
