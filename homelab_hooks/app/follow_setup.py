"""Builds the chain of links that follows a push from the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from homelab_hooks.app import deploy_setup, watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.app.target_runs import CiTargetPipelines
from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.provider import Provider, find_skip_marker
from homelab_hooks.ci.providers import default_traits
from homelab_hooks.config.resolve import Config
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.chain import run_chain
from homelab_hooks.follow.ci import CiLink
from homelab_hooks.follow.deploy import DeployLink
from homelab_hooks.follow.link import Link
from homelab_hooks.git.history import Commit
from homelab_hooks.land.request import Landed, PushQueue
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import access
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.state import WatchScope


class FollowUp:
    """What follows a push to the target: watch CI, then wait for the configured rollouts.

    Args:
        given: the command's options by name; the resume command repeats them.
        watching: check that CI can be watched, and watch it.
        deploying: wait for the configured rollouts.

    Raises:
        CommandError: (usage) a workload is malformed: before the push, because afterwards it is too late.
    """

    def __init__(
        self, config: Config, session: Session, given: Mapping[str, Any], *, watching: bool, deploying: bool
    ) -> None:
        self._config = config
        self._session = session
        self._given = given
        self._ci: Provider | None = None
        self._repo: Repo | None = None
        self.watching = watching
        self.targets = config.deploy if deploying else ()
        self._workloads = deploy_setup.parse_targets(self.targets)

    @property
    def is_needed(self) -> bool:
        """Return whether the chain has any link."""
        return self.watching or bool(self.targets)

    @property
    def description(self) -> str:
        """Return what follows the push, in a few words, for the dry run."""
        config = self._config
        where = f"watch CI at {config.server.origin}" if config.server else "watch CI"
        rollouts = f"wait for the rollout of {', '.join(self.targets)}"
        return ", then ".join([*([where] if self.watching else []), *([rollouts] if self.targets else [])])

    def resume_command(self, sha: str) -> str:
        """Return the command that follows a commit that has landed; empty if the chain has no link."""
        if self.watching:
            return watch_setup.watch_resume_command(self._given, sha, deploy=self.targets, events=("push",))
        return deploy_setup.deploy_resume_command(self._given, self.targets, sha) if self.targets else ""

    def require_access(self) -> None:
        """Check that CI can be watched: the server responds, accepts the token, and has the repository.

        Raises:
            CommandError: one of these checks fails.
        """
        config, runtime = self._config, self._session.runtime
        about = watch_setup.resolve_context(config, runtime, "HEAD")
        self._ci = runtime.ci_provider(config)
        dial = f" ({config.dial})" if config.dial else ""
        where = f"{runtime.server(config)}{dial}"
        self._repo = access.check_ci_access(self._ci, about.names, clock=runtime.clock, where=where).repo

    def push_queue(self) -> PushQueue | None:
        """Return how the landing behaves while pipelines of the target run; None if CI is not watched."""
        if not self.watching:
            return None
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
    def skip_marker_finder(self) -> Callable[[str], str] | None:
        """Return a function that returns what in a commit message makes CI skip the commit; None without a watch."""
        return partial(find_skip_marker, traits=default_traits()) if self.watching else None

    def _connected(self) -> tuple[Provider, Repo]:
        """Return what the preflight has found; it runs before everything that asks."""
        if self._ci is None or self._repo is None:
            self.require_access()
        assert self._ci is not None and self._repo is not None  # noqa: S101, PT018 - the check above has set both
        return self._ci, self._repo

    def run(self, landed: Landed) -> Verdict:
        """Follow the commit through every link."""
        session = self._session
        return run_chain(
            self.links(landed),
            without_links=Verdict(exit=ExitCode.OK, sha=landed.sha),
            emit=session.tell,
            clock=session.runtime.clock,
            on_resume_command=session.set_resume_command,
        )

    def links(self, landed: Landed) -> list[Link]:
        """Return the links, in order."""
        session, links = self._session, list[Link]()
        if self.watching:
            links.append(
                CiLink(
                    build=lambda: self._build_watch(landed),
                    resume_command=self.resume_command(landed.sha),
                    clock=session.runtime.clock,
                    emit=session.tell,
                )
            )
        if self.targets:
            resume = deploy_setup.deploy_resume_command(self._given, self.targets, landed.sha)
            links.append(DeployLink(wait=lambda: self._wait_for_rollouts(landed), resume_command=resume))
        return links

    def _build_watch(self, landed: Landed) -> tuple[WatchRequest, WatchDependencies]:
        config, runtime = self._config, self._session.runtime

        def remote() -> str:
            return landed.remote

        names = watch_setup.repo_names(config, runtime.git_readonly, remote)
        about = watch_setup.CommitContext(Commit(landed.sha), remote, names)
        scope = WatchScope(sha=landed.sha, events=frozenset({"push"}), branch=landed.branch)
        request = watch_setup.build_watch_request(config, runtime, about, scope)
        ci = self._ci or runtime.waiting_ci_provider(config)
        return request, watch_setup.watch_dependencies(runtime, about, ci, listen=True)

    def _wait_for_rollouts(self, landed: Landed) -> Verdict:
        request = deploy_setup.build_deploy_request(self._config, self._workloads, landed.sha)
        kubectl = self._session.runtime.kubectl()
        return deploy_setup.run_wait(
            request, self._session, remote=landed.remote, target=landed.branch, kubectl=kubectl
        )
