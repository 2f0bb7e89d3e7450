"""Builds what a landing on a protected target needs from the settings: its forge, and the watch of its pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homelab_hooks.config.pull_requests import ProtectedTarget
from homelab_hooks.config.resolve import Config

if TYPE_CHECKING:
    from homelab_hooks.app.runtime import Runtime
    from homelab_hooks.app.session import Session
    from homelab_hooks.land.proposal import ForgeRepository, ProposalParts
    from homelab_hooks.verdict import Verdict

PULL_REQUEST_EVENT = "pull_request"


def build_proposals(config: Config, session: Session, *, watching: bool) -> ProposalParts | None:
    """Return how pull requests are merged; None unless `--protected merge` is set.

    Args:
        config: the settings.
        session: for the forge, CI, and events.
        watching: whether our own CI's pull request pipelines are waited for.
    """
    if config.protected is not ProtectedTarget.MERGE:
        return None
    from homelab_hooks.land.proposal import ProposalParts

    return ProposalParts(
        connect=lambda remote: connect_proposals(config, session.runtime, remote),
        watch=(lambda sha: _watch_pull_request(config, session, sha)) if watching else None,
        merge_style=config.merge_style,
        timeout_s=config.timeout,
        appear_s=config.appear_timeout,
        unreachable_s=config.unreachable_timeout,
    )


def connect_proposals(config: Config, runtime: Runtime, remote: str) -> ForgeRepository:
    """Return the pull requests of a remote. Raises CommandError if its forge, its kind, or its token is missing."""
    from homelab_hooks.app.forge_setup import resolve_forge_remote
    from homelab_hooks.land.proposal import ForgeRepository

    found = resolve_forge_remote(config, runtime.git_readonly, remote)
    return ForgeRepository(runtime.forges.connect_pull_requests(config, found), found.repo)


def _watch_pull_request(config: Config, session: Session, sha: str) -> Verdict:
    """Wait for the pull request pipelines of exactly this commit."""
    from homelab_hooks.app import watch_setup
    from homelab_hooks.config.schema import Superseded
    from homelab_hooks.watch.run import run_watch
    from homelab_hooks.watch.state import WatchScope

    runtime = session.runtime
    about = watch_setup.resolve_context(config, runtime, sha)
    scope = WatchScope(sha=sha, events=frozenset({PULL_REQUEST_EVENT}))
    request = watch_setup.build_watch_request(config, runtime, about, scope)
    request = request._replace(scope=request.scope._replace(superseded=Superseded.FAIL))
    dependencies = watch_setup.watch_dependencies(runtime, about, runtime.waiting_ci_provider(config), listen=True)
    return run_watch(request, dependencies, clock=runtime.clock, emit=session.tell)
