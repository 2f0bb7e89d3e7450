"""The post-push stage of a landing: CI is checked before it, watched after it, and the rollouts are waited for."""

from __future__ import annotations

from argparse import Namespace

from homelab_hooks.app.session import Session
from homelab_hooks.ci.woodpecker.client import WoodpeckerClient
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow import deploy_setup, stages, watch_setup
from homelab_hooks.follow.stages import StageCommand
from homelab_hooks.git.history import Commit
from homelab_hooks.land.request import Landed
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import access, run as watch_run
from homelab_hooks.watch.state import WatchScope


class FollowUp:
    """What follows a landing, as the settings say.

    Args:
        given: the options of the command, for the one that takes it up again.
        watching: CI is to be checked and watched.
        deploying: the configured rollouts are to be waited for.
    """

    def __init__(self, config: Config, session: Session, given: Namespace, *, watching: bool, deploying: bool) -> None:
        self._config = config
        self._session = session
        self._given = given
        self._ci: WoodpeckerClient | None = None
        self.watching = watching
        self.targets = config.deploy if deploying else ()

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do after the push."""
        return self.watching or bool(self.targets)

    @property
    def description(self) -> str:
        """What is done after the push, in a few words."""
        config = self._config
        where = f"watch CI at {config.server.origin}" if config.server else "watch CI"
        rollouts = f"wait for the rollout of {', '.join(self.targets)}"
        return ", then ".join([*([where] if self.watching else []), *([rollouts] if self.targets else [])])

    def resume_command(self, sha: str) -> str:
        """The command that does the rest for a commit that is landed; empty where there is nothing to do."""
        if self.watching:
            return watch_setup.watch_resume_command(self._given, sha, deploy=self.targets, events=("push",))
        return deploy_setup.deploy_resume_command(self._given, self.targets, sha) if self.targets else ""

    def require_access(self) -> None:
        """Whether CI could be watched: its server answers, takes the token and knows the repository.

        Raises CommandError with what stands in the way.
        """
        config, world = self._config, self._session.world
        deploy_setup.parse_targets(self.targets)
        about = watch_setup.resolve_context(config, world, "HEAD")
        self._ci = world.ci_client(config)
        dial = f" by the dial {config.dial}" if config.dial else ""
        access.check_ci_access(self._ci, about.names, clock=world.clock, where=f"{world.server(config)}{dial}")

    def run(self, landed: Landed) -> Verdict:
        """Watch, then wait for the rollouts."""
        links = []
        if self.watching:
            links.append(StageCommand(Stage.WATCH, lambda: self._watch(landed), self.resume_command(landed.sha)))
        if self.targets:
            again = deploy_setup.deploy_resume_command(self._given, self.targets, landed.sha)
            links.append(StageCommand(Stage.DEPLOY, lambda: self._deploy(landed), again))
        return stages.run_stages(links, self._session, Verdict(exit=ExitCode.OK, sha=landed.sha))

    def _watch(self, landed: Landed) -> Verdict:
        config, world = self._config, self._session.world

        def remote() -> str:
            return landed.remote

        about = watch_setup.CommitContext(
            Commit(landed.sha), remote, watch_setup.repo_names(config, world.git_readonly, remote)
        )
        decides = WatchScope(sha=landed.sha, events=frozenset({"push"}), branch=landed.branch)
        asked = watch_setup.build_watch_request(config, world, about, decides)
        sources = watch_setup.watch_dependencies(
            world, about, self._ci or watch_setup.waiting_ci_client(config, world), world.stream_listener(config)
        )
        return watch_run.run_watch(asked, sources, clock=world.clock, emit=self._session.tell)

    def _deploy(self, landed: Landed) -> Verdict:
        request = deploy_setup.build_deploy_request(self._config, deploy_setup.parse_targets(self.targets), landed.sha)
        kubectl = self._session.world.kubectl()
        return deploy_setup.run_wait(
            request, self._session, remote=landed.remote, target=landed.branch, kubectl=kubectl
        )
