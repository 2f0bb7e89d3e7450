"""Builds the links of a chain from their names: what each one asks, and within which timeouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from homelab_hooks.app import deploy_setup, watch_setup
from homelab_hooks.app.live_setup import build_live_source, require_query
from homelab_hooks.app.session import Session
from homelab_hooks.config.link_spec import LinkKind, LinkSpec
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.follow.ci import CiLink
from homelab_hooks.follow.deploy import DeployLink
from homelab_hooks.follow.link import Link
from homelab_hooks.follow.live import LiveLimits, LiveWait, decide_live, start_live
from homelab_hooks.follow.mirror import MirrorLimits, MirrorState, MirrorTip, decide_mirror, start_mirror
from homelab_hooks.follow.mirror_source import GitMirrorSource
from homelab_hooks.follow.polled import PolledLink, PollSource, WaitState
from homelab_hooks.follow.run_command import RunCommandLink
from homelab_hooks.git.containment import Containment
from homelab_hooks.git.history import GitContainment
from homelab_hooks.land.landed import Landed
from homelab_hooks.net.live import LiveAnswer
from homelab_hooks.polling.outcome import Decision, Poll
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest

if TYPE_CHECKING:
    from homelab_hooks.app.forge_setup import ForgeConnector

S = TypeVar("S", bound=WaitState)
V = TypeVar("V")
BuildWatch = Callable[[LinkSpec], tuple[WatchRequest, WatchDependencies]]


class ChainContext(NamedTuple):
    """What the links of one chain share."""

    config: Config
    limited_config: Callable[[], Config]
    """returns the settings with the timeouts of a link that begins now"""
    session: Session
    landed: Landed
    resume_command: str
    build_watch: BuildWatch
    """returns the watch of a `ci` link and what it reads"""
    connect_forges: Callable[[], ForgeConnector]
    """returns the one connector of the chain, so that no variable's token reaches two origins"""


def check_links(specs: tuple[LinkSpec, ...], remotes: tuple[str, ...]) -> None:
    """Raise CommandError (usage) for a link that can never begin; after the push it would be too late."""
    for spec in specs:
        if spec.kind is LinkKind.DEPLOY:
            deploy_setup.parse_targets((spec.workload,))
        require_query(spec.live, spec.name)
        if spec.event:
            watch_setup.require_known_event(spec.event, where=spec.name)
        if spec.remote and spec.remote not in remotes:
            known = f"; there are: {', '.join(remotes)}" if remotes else ""
            hint = f"run git remote add {spec.remote} URL, or name another remote{known}"
            raise CommandError(f"{spec.name}: there is no remote {spec.remote}", hint=hint)


def build_link(spec: LinkSpec, context: ChainContext) -> Link:
    """Return the link; it asks nothing until it is run."""
    runtime, emit, resume = context.session.runtime, context.session.tell, context.resume_command
    match spec.kind:
        case LinkKind.CI:
            return CiLink(
                build=lambda: context.build_watch(spec),
                resume_command=resume,
                clock=runtime.clock,
                emit=emit,
                name=spec.name,
            )
        case LinkKind.DEPLOY:
            return DeployLink(name=spec.name, wait=lambda: _wait_for_rollout(spec, context), resume_command=resume)
        case LinkKind.MIRROR:
            return _poll(spec, context, lambda: _start_mirror(spec, context), decide_mirror)
        case LinkKind.LIVE:
            return _poll(spec, context, lambda: _start_live(spec, context), decide_live)
        case LinkKind.RUN:
            return RunCommandLink(
                name=spec.name,
                command=spec.command,
                sha=context.landed.sha,
                runner=runtime.user_command_runner,
                directory=runtime.git_readonly.location.top_level() or runtime.directory,
                timeout=lambda: context.limited_config().timeout,
                resume_command=resume,
                clock=runtime.clock,
                emit=emit,
            )
        case LinkKind.ACTIONS | LinkKind.STATUS:
            from homelab_hooks.app.forge_links import build_forge_link

            return build_forge_link(spec, context)


def _poll(
    spec: LinkSpec,
    context: ChainContext,
    start: Callable[[], tuple[PollSource[V], S]],
    decide: Callable[[S, Poll[V], float], Decision[S]],
) -> PolledLink[S, V]:
    return PolledLink(
        kind=spec.kind,
        name=spec.name,
        start=start,
        decide=decide,
        resume_command=context.resume_command,
        clock=context.session.runtime.clock,
        emit=context.session.tell,
    )


def _wait_for_rollout(spec: LinkSpec, context: ChainContext) -> Verdict:
    landed, session, config = context.landed, context.session, context.limited_config()
    workloads = deploy_setup.parse_targets((spec.workload,))
    request = deploy_setup.build_deploy_request(config, workloads, landed.sha)
    kubectl = session.runtime.kubectl()
    origin = deploy_setup.CommitOrigin(landed.remote, landed.branch)
    return deploy_setup.run_wait(request, session, config, origin=origin, kubectl=kubectl)


def _start_mirror(spec: LinkSpec, context: ChainContext) -> tuple[PollSource[MirrorTip], MirrorState]:
    config, runtime, landed = context.limited_config(), context.session.runtime, context.landed
    git = runtime.git_readonly
    contains = GitContainment(git.history, now=runtime.clock.now, remote=spec.remote, branch=landed.branch)
    source = GitMirrorSource(git, spec.remote, landed.branch, sha=landed.sha, contains=contains)
    limits = MirrorLimits(config.timeout, config.appear_timeout, config.unreachable_timeout)
    return source, start_mirror(landed.sha, spec.remote, landed.branch, limits, runtime.clock.now())


def _start_live(spec: LinkSpec, context: ChainContext) -> tuple[PollSource[LiveAnswer], LiveWait]:
    config, runtime, landed = context.limited_config(), context.session.runtime, context.landed
    assert spec.live is not None  # noqa: S101 - the parser sets it for this kind
    contains = GitContainment(
        runtime.git_readonly.history, now=runtime.clock.now, remote=landed.remote, branch=landed.branch
    )

    def compare(name: str) -> Containment:
        return contains(newer=name, ours=landed.sha)

    source = build_live_source(spec.live, landed.sha, config, runtime, compare)
    url, _, _ = spec.name.removeprefix("live:").partition("#")
    limits = LiveLimits(config.rollout_timeout, config.settle, is_slice=config.is_slice)
    return source, start_live(landed.sha, limits, url=url, now=runtime.clock.now())
