"""The demo environment: real git over HTTP, load balancer, Vault, and kubectl, and simulated CI and cluster."""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Self, TypeVar

from homelab_hooks.errors import CommandError
from homelab_hooks.simulators.balancer import LoadBalancer
from homelab_hooks.simulators.git_http import GitServer, PushedRef
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, ScriptedRollout
from homelab_hooks.simulators.kubernetes.server import KubernetesSimulator
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories, make_hermetic_env
from homelab_hooks.simulators.vault import VaultDevServer
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.simulators.woodpecker.store import Permission, SimulatedRepo, SimulatedUser
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.text.humanize import IMAGE_SHA_DIGITS, short_sha
from homelab_hooks.text.json_fields import Json

T = TypeVar("T")
REPO = "acme/app"
MIRROR_REPO = "acme-gh/app"
"""the same repository at the forge that mirrors it; Woodpecker knows both"""
TARGET = "shop/web"
CI_CONFIG = "steps:\n  test:\n    commands: [make test]\n"
VERIFY_COMMAND = 'echo "12 tests passed"'


class DemoEnvironment:
    """All services that a landing needs, in a temporary directory that is deleted on exit.

    Args:
        environ: the environment of the user; only PATH, TERM, NO_COLOR, COLUMNS, and LANG are used.
        script: the pipeline that CI runs for the landed commit.
        rollout: the rollout that follows; None: no workload is configured.

    Attributes:
        token: the CI token in Vault; valid unless a scenario changes it.
        my_clone: the clone with the topic branch.
        path: the search path of the commands.
        choose_run: returns the pipeline of a commit on main, and the rollout that follows it; None: there is none.
        after_push: called after each push to main.
        after_branch_push: called after each push to another branch.
    """

    def __init__(self, environ: Mapping[str, str], script: PipelineTimeline, rollout: ScriptedRollout | None) -> None:
        self._given = environ
        self._rollout = rollout
        self.choose_run: Callable[[str], tuple[PipelineTimeline, ScriptedRollout | None]] = lambda _: (script, rollout)
        self._open = ExitStack()
        self.clock = SystemClock()
        self.token = secrets.token_hex(20)
        self.after_push: Callable[[PushedRef], None] = _do_nothing
        self.after_branch_push: Callable[[PushedRef], None] = _do_nothing

    def __enter__(self) -> Self:
        try:
            self._build()
        except OSError as error:
            self._open.close()
            hint = "the demo needs the loopback interface 127.0.0.1; to enable it: ip link set lo up"
            raise CommandError(f"could not start the demo servers ({type(error).__name__})", hint=hint) from error
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _build(self) -> None:
        folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="homelab-demo-")))
        self.path = f"{Path(sys.executable).parent}:{self._given.get('PATH', '/usr/bin:/bin')}"
        environ = make_hermetic_env({"PATH": self.path}, folder / "home")
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE", "TERM"):
            environ.pop(name)
        self.repositories = ScratchRepositories(folder, environ)
        self.git = self._open.enter_context(GitServer(folder / "srv", environ))
        self.git.plan.on_push = self._pushed
        permissions = {REPO: Permission.PUSH, MIRROR_REPO: Permission.PUSH}
        user = SimulatedUser(id=1, login="ann", token=self.token, permissions=permissions)
        repositories = (SimulatedRepo(id=8, full_name=REPO), SimulatedRepo(id=9, full_name=MIRROR_REPO))
        self.ci = WoodpeckerSimulator(self.clock, repositories=repositories, users=[user])
        self._open.enter_context(self.ci)
        self.balancer = self._open.enter_context(LoadBalancer(self.ci.url, path=self.path))
        self.vault = self._open.enter_context(VaultDevServer())
        self.vault.write("ci/global", {"woodpecker_api_token": self.token})
        old = short_sha(self.repositories.server_commit(), IMAGE_SHA_DIGITS)
        self.deployment = DeploymentScript(SampleApp(), now=self.clock.now, old=old)
        cluster = self._open.enter_context(KubernetesSimulator(self._objects, now=self.clock.now))
        self.environ = {
            **environ,
            "TERM": self._given.get("TERM", "dumb"),
            "KUBECONFIG": str(cluster.kubeconfig(folder / "kubeconfig")),
            "VAULT_TOKEN": self.vault.create_token(),
            **{name: self._given[name] for name in ("NO_COLOR", "COLUMNS", "LANG") if name in self._given},
        }
        self.my_clone = self._feature_branch()

    def _objects(self, elapsed: float) -> Sequence[Json]:
        """Return the objects in the cluster; a scenario may replace the deployment."""
        return self.deployment.at(elapsed)

    def _feature_branch(self) -> Clone:
        clone = self.repositories.clone("app", at=f"{self.git.url}/{REPO}.git", branch="feature")
        settings = {
            "homelab.ciServer": self.balancer.url,
            "homelab.ciDial": self.balancer.dial,
            "homelab.ciCaFile": str(self.balancer.ca_file),
            "homelab.vaultAddr": self.vault.url,
            "homelab.verify": VERIFY_COMMAND,
            "homelab.settle": "1s",
        }
        for key, value in settings.items():
            clone.git("config", key, value)
        if self._rollout:
            clone.git("config", "--add", "homelab.deploy", TARGET)
        clone.commit(".woodpecker.yaml", CI_CONFIG, message="configure CI")
        clone.commit("greeting", "hello, world\n", message="greet the world")
        return clone

    def open(self, part: AbstractContextManager[T]) -> T:
        """Enter a context that is left when the environment is, and return its value."""
        return self._open.enter_context(part)

    def push_as_colleague(self, name: str, text: str) -> str:
        """Push a commit to main from another clone, and return its SHA."""
        if not (self.repositories.folder / "colleague").exists():
            self.repositories.clone("colleague")
        clone = Clone(self.repositories.folder / "colleague", self.repositories.environ)
        clone.git("pull", "--quiet", "--ff-only")
        sha = clone.commit(name, text, message=f"colleague's {name}")
        clone.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        return sha

    def land(self, *options: str) -> int:
        """Run `git-land` in this terminal and return its exit code, which `git land` would replace after a signal."""
        return ProcessRunner(self.environ).run_interactive(
            ["git-land", *options], cwd=self.my_clone.path, has_result=True
        )

    def shell(self, program: str) -> int:
        """Run a shell in the clone, in this terminal, and return its exit code."""
        return ProcessRunner({**self.environ, "PS1": "demo$ "}).run_interactive([program], cwd=self.my_clone.path)

    def _pushed(self, update: PushedRef) -> None:
        """Act as the forge's webhook: start the pipeline, and the rollout that follows it."""
        if update.ref != "refs/heads/main":
            self.after_branch_push(update)
            return
        self.start_pipeline(update.new)
        self.after_push(update)

    def start_pipeline(self, sha: str) -> None:
        """Start the pipeline of a commit on main, and the rollout that follows it."""
        script, rollout = self.choose_run(sha)
        self.ci.push(REPO, "main", sha, script, after=0.3, message="greet the world")
        if rollout:
            self.deployment.deploy(sha, rollout)


def _do_nothing(update: PushedRef) -> None:
    """Do nothing after a push."""
    del update
