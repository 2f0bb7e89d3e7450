"""Builds the chain of links that follows a push from the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from homelab_hooks.app import command_trust, options
from homelab_hooks.app.session import Session
from homelab_hooks.config.link_spec import PUSH_EVENT, LinkKind, LinkSpec
from homelab_hooks.config.resolve import Config
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.choice import FollowChoice, choose_links
from homelab_hooks.land.landed import Landed
from homelab_hooks.verdict import Verdict

if TYPE_CHECKING:  # a landing that nothing follows needs none of them; a third of its imports
    from homelab_hooks.app.forge_setup import ForgeConnector
    from homelab_hooks.ci.model import Repo
    from homelab_hooks.ci.provider import Provider
    from homelab_hooks.follow.link import Link
    from homelab_hooks.land.request import PushQueue
    from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
    from homelab_hooks.watch.state import WatchScope


class FollowScope(NamedTuple):
    """What a command follows, and for how long."""

    watching: bool = True
    """False: nothing is followed"""
    deploying: bool = True
    """False: neither rollouts nor live answers are waited for"""
    until: float | None = None
    """when the call ends, in seconds of the clock; what is undecided then is 124; None: at no set time"""


class FollowUp:
    """What follows a push to the target: the links of the chain, by default CI and then each configured rollout.

    Args:
        given: the command's options by name; the resume command repeats them.

    Raises:
        CommandError: (usage) a link can never begin: before the push, because afterwards it is too late; or (refused)
            a live URL from a tracked file is not approved.
    """

    def __init__(self, config: Config, session: Session, given: Mapping[str, Any], scope: FollowScope) -> None:
        self._config = config
        self._until = scope.until
        self._session = session
        self._given = given
        self._ci: Provider | None = None
        self._repo: Repo | None = None
        _parse_targets(config.deploy)  # also if they are not followed: a malformed one is a mistake
        choice = FollowChoice(
            follow=config.follow,
            deploy=config.deploy,
            deploy_given=config.source("deploy").startswith("option"),
            watching=scope.watching,
            deploying=scope.deploying,
        )
        self.specs = choose_links(choice)
        self._check_links()
        command_trust.require_trusted_links(self.specs, config, session)

    def _check_links(self) -> None:
        if not self.specs:
            return
        from homelab_hooks.app.link_setup import check_links

        needs_remotes = any(spec.remote for spec in self.specs)
        remotes = self._session.runtime.git_readonly.remotes.remote_names() if needs_remotes else ()
        check_links(self.specs, remotes)

    @property
    def is_needed(self) -> bool:
        """Return whether the chain has any link."""
        return bool(self.specs)

    @property
    def watching(self) -> bool:
        """Return whether CI is watched: then it must be reachable before anything is changed."""
        return any(spec.kind is LinkKind.CI for spec in self.specs)

    @property
    def description(self) -> str:
        """Return what follows the push, in a few words, for the dry run."""
        server = self._config.server
        ci = f"watch CI at {server.origin}" if server else "watch CI"
        return ", then ".join(ci if spec.name == "ci" else _DESCRIPTIONS[spec.kind](spec) for spec in self.specs)

    def resume_command(self, sha: str) -> str:
        """Return the command that follows a commit that has landed; empty if the chain has no link."""
        return options.follow_command(self._given, sha) if self.specs else ""

    def require_access(self) -> None:
        """Check that CI can be watched: the server responds, accepts the token, and has the repository.

        Raises:
            CommandError: one of these checks fails.
        """
        from homelab_hooks.app import watch_setup
        from homelab_hooks.watch import access

        config, runtime = self._config, self._session.runtime
        about = watch_setup.resolve_context(config, runtime, "HEAD")
        first = next(spec for spec in self.specs if spec.kind is LinkKind.CI)
        names = (first.repo,) if first.repo else about.names
        self._ci = runtime.ci_provider(config)
        dial = f" ({config.dial})" if config.dial else ""
        report = access.AccessReport(f"{runtime.server(config)}{dial}", self._session.tell)
        self._repo = access.check_ci_access(self._ci, names, clock=runtime.clock, report=report).repo

    def push_queue(self) -> PushQueue | None:
        """Return how the landing behaves while pipelines of the target run; None if those are not watched."""
        if not self._watches_target:
            return None
        from homelab_hooks.app.target_runs import CiTargetPipelines
        from homelab_hooks.land.request import PushQueue

        config, runtime = self._config, self._session.runtime
        wall = None if "GIT_COMMITTER_DATE" in runtime.environ else runtime.clock.wall
        runs = CiTargetPipelines(self._connected, runtime.git_readonly, wall=wall)
        return PushQueue(
            runs=runs,
            open_stream=runs.open_stream,
            when_busy=config.when_busy,
            timeout_s=config.timeout,
            appear_s=config.appear_timeout,
            unreachable_s=config.unreachable_timeout,
        )

    @property
    def _watches_target(self) -> bool:
        """Return whether a link waits for the push pipeline of the target in the repository itself."""
        own = (spec for spec in self.specs if spec.kind is LinkKind.CI and not spec.repo)
        return any(spec.event in {"", PUSH_EVENT} for spec in own)

    @property
    def skip_marker_finder(self) -> Callable[[str], str] | None:
        """Return a function that returns what in a commit message makes CI skip the commit; None without a watch."""
        if not self._watches_target:
            return None
        from homelab_hooks.ci.provider import find_skip_marker
        from homelab_hooks.ci.providers import default_traits

        return partial(find_skip_marker, traits=default_traits())

    def _connected(self) -> tuple[Provider, Repo]:
        """Return what the preflight has found; it runs before everything that asks."""
        if self._ci is None or self._repo is None:
            self.require_access()
        assert self._ci is not None and self._repo is not None  # noqa: S101, PT018 - the check above has set both
        return self._ci, self._repo

    def run(self, landed: Landed) -> Verdict:
        """Follow the commit through every link, and save the receipt."""
        from homelab_hooks.app.receipt_setup import save_receipt
        from homelab_hooks.follow.chain import run_chain

        session = self._session
        verdict = run_chain(
            self.links(landed),
            without_links=Verdict(exit=ExitCode.OK, sha=landed.sha),
            emit=session.tell,
            clock=session.runtime.clock,
            on_resume_command=session.set_resume_command,
        )
        save_receipt(verdict, landed.sha, self._config, session)
        return verdict

    def links(self, landed: Landed) -> list[Link]:
        """Return the links, in order."""
        from homelab_hooks.app.link_setup import ChainContext, build_link

        context = ChainContext(
            config=self._config,
            limited_config=self._limited_config,
            session=self._session,
            landed=landed,
            resume_command=self.resume_command(landed.sha),
            build_watch=lambda spec: self._build_watch(spec, landed),
            connect_forges=cache(self._connect_forges),
        )
        return [build_link(spec, context) for spec in self.specs]

    def _limited_config(self) -> Config:
        """Return the settings with the timeouts of a link that begins now."""
        if self._until is None:
            return self._config
        return self._config.cut_to(self._until - self._session.runtime.clock.now())

    def _connect_forges(self) -> ForgeConnector:
        from homelab_hooks.app.forge_setup import ForgeConnector

        return ForgeConnector(self._session.runtime)

    def _build_watch(self, spec: LinkSpec, landed: Landed) -> tuple[WatchRequest, WatchDependencies]:
        from homelab_hooks.app import watch_setup
        from homelab_hooks.git.history import Commit

        config, runtime = self._limited_config(), self._session.runtime

        def remote() -> str:
            return landed.remote

        names = (spec.repo,) if spec.repo else watch_setup.repo_names(config, runtime.git_readonly, remote)
        about = watch_setup.CommitContext(Commit(landed.sha), remote, names)
        scope = self._build_scope(spec, landed)
        request = watch_setup.build_watch_request(config, runtime, about, scope)
        ci = self._ci or runtime.waiting_ci_provider(config)
        return request, watch_setup.watch_dependencies(runtime, about, ci, listen=True)

    def _build_scope(self, spec: LinkSpec, landed: Landed) -> WatchScope:
        """Return which pipelines decide: those of the target branch for a push; for others, variables may name it."""
        from homelab_hooks.ci.providers import default_traits
        from homelab_hooks.watch.state import WatchScope

        event = spec.event or PUSH_EVENT
        if event == PUSH_EVENT:
            return WatchScope(sha=landed.sha, events=frozenset({event}), branch=landed.branch)
        is_started = event in default_traits().started_events
        tags = self._session.runtime.git_readonly.history.tag_names_at(landed.sha) if is_started else ()
        names = frozenset({landed.sha, *tags}) if is_started else frozenset[str]()
        return WatchScope(sha=landed.sha, events=frozenset({event}), names=names)


def _parse_targets(texts: tuple[str, ...]) -> None:
    """Raise CommandError for a malformed workload."""
    if texts:
        from homelab_hooks.app.deploy_setup import parse_targets

        parse_targets(texts)


_DESCRIPTIONS: dict[LinkKind, Callable[[LinkSpec], str]] = {
    LinkKind.CI: lambda spec: f"watch {spec.name}",
    LinkKind.MIRROR: lambda spec: f"wait for the mirror {spec.remote}",
    LinkKind.ACTIONS: lambda spec: f"watch Actions of {spec.remote or 'the remote'}",
    LinkKind.STATUS: lambda spec: f"wait for the status {spec.context} at {spec.remote}",
    LinkKind.DEPLOY: lambda spec: f"wait for the rollout of {spec.workload}",
    LinkKind.LIVE: lambda spec: f"wait for {spec.name.removeprefix('live:')}",
    LinkKind.RUN: lambda spec: f"run `{spec.command}`",
}
"""what each link does, for the dry run"""
