"""Sends the lost push of a commit to CI again, through the forge of its remote."""

from __future__ import annotations

from homelab_hooks.app.forge_setup import resolve_forge_remote
from homelab_hooks.app.session import Session
from homelab_hooks.app.watch_setup import CommitContext
from homelab_hooks.ci.provider import Traits
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.provider import PushedCommit
from homelab_hooks.watch.redelivery_plan import check_redelivery_helps
from homelab_hooks.watch.redelivery_request import RedeliveryOutcome, RedeliveryRequest, redeliver_push
from homelab_hooks.watch.snapshot import CommitSnapshot


def redeliver(
    config: Config, session: Session, about: CommitContext, seen: CommitSnapshot, traits: Traits
) -> RedeliveryOutcome:
    """Send the push event again. Raises CommandError if that cannot help, is refused, or fails.

    Args:
        seen: the pipelines of the commit's push.
    """
    runtime = session.runtime
    commit = about.commit
    check_redelivery_helps(seen, traits, runtime.git_readonly.history.commit_message(commit.sha))
    if not traits.webhook_path:
        raise CommandError(f"{traits.name} receives no webhooks", exit=ExitCode.REFUSED)
    remote = resolve_forge_remote(config, runtime.git_readonly, about.remote())
    forge = runtime.forges.connect_redelivery(config, remote)
    request = RedeliveryRequest(
        repo=remote.repo,
        push=PushedCommit(commit.sha, commit.tag, frozenset(commit.tag_objects)),
        server=runtime.server(config),
        webhook_path=traits.webhook_path,
    )
    return redeliver_push(request, forge, clock=runtime.clock, emit=session.tell)
