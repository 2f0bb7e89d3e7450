"""A clone from which everything can be done, with a canary in every place where a secret is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from homelab_hooks.simulators.forge.server import ForgeSimulator
from homelab_hooks.simulators.forge.store import (
    ALL_SCOPES,
    ForgeStore,
    ForgeUser,
    RepoRight,
    SimulatedForgeRepo,
    SimulatedWebhook,
)
from homelab_hooks.simulators.git_http import GitServer
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, ScriptedRollout
from homelab_hooks.simulators.kubernetes.server import KubernetesSimulator
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator, make_default_users
from homelab_hooks.simulators.woodpecker.store import Permission, SimulatedRepo, SimulatedUser
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import PROGRAMS, CommandResult, Shell
from tests.security.canaries import CI, FORGE, HELPER, HOOK, KUBE, URL, VAULT, files_with, found_in, variables_with
from tests.security.program_spies import ProgramSpies
from tests.security.recording_servers import RecordingServer, vault
from tests.support.terminal_reading import read_to_end
from tests.waiting import HANG_S

FORGE_TOKENS = ("HOMELAB_FORGE_TOKEN", "FORGEJO_TOKEN", "GITEA_TOKEN", "GH_TOKEN", "GITHUB_TOKEN")
TOKENS = ("WOODPECKER_TOKEN", "WP_TOKEN", "VAULT_TOKEN", *FORGE_TOKENS)
_REMOTE = {(f"GIT_CONFIG_KEY_{number}", URL.core) for number in range(9)}
"""how git gets the password of a remote that is not an argument"""
FAST = ScriptedRollout(image_after=0.0, lag=0.05, pod_takes=0.05)


@dataclass
class CanarySandbox:
    """A clone, the servers it talks to, and the files that are searched for secrets afterwards."""

    folder: Path
    clone: Clone
    workshop: ScratchRepositories
    woodpecker: WoodpeckerSimulator
    git: GitServer
    vault: RecordingServer
    elsewhere: RecordingServer
    stage: DeploymentScript
    spies: ProgramSpies
    shell: Shell
    known: set[tuple[str, str]] = field(default_factory=set)
    """the files in which a canary was put"""
    servers: ExitStack = field(default_factory=ExitStack)
    """ended with the sandbox"""

    @property
    def url(self) -> str:
        """The remote's, with its password."""
        return self.git.url.replace("://", f"://ann:{URL.in_url}@") + "/acme/app.git"

    def configure(self, key: str, value: str) -> None:
        self.clone.git("config", key, value)

    def pipeline(self, script: PipelineTimeline, *, branch: str = "main") -> None:
        """Of the commit that is checked out."""
        self.woodpecker.push("acme/app", branch, self.clone.head, script, after=-60.0)

    def open_forge(self, token: str) -> ForgeSimulator:
        """A forge for alice's token, whose webhook's URL holds a canary."""
        hook = SimulatedWebhook(23, f"{self.woodpecker.url}/api/hook?access_token={HOOK.in_url}")
        rights = {"alice": RepoRight.ADMIN}
        repo = SimulatedForgeRepo("acme/app", rights, {"main": self.clone.head}, hooks=[hook])
        users = [ForgeUser("alice", tokens={token: ALL_SCOPES})]
        return self.servers.enter_context(ForgeSimulator(ForgeStore(users, [repo])))

    def files(self) -> set[tuple[str, str]]:
        """All files that give a canary away."""
        return files_with(self.folder, beside=(self.folder / "spies", self.folder / "kept"))

    def run(self, *argv: str, **environ: str) -> CommandResult:
        """Run with these variables too."""
        return Shell(self.shell.environ, self.shell.directory, {**self.shell.more, **environ})(*argv)

    def on_terminal(self, *argv: str) -> CommandResult:
        """Run with a terminal as standard error and input."""
        ours, theirs = os.openpty()
        env = {**self.shell.environ, **self.shell.more, "TERM": "xterm"}
        child = subprocess.Popen(
            [str(PROGRAMS / argv[0]), *argv[1:]], cwd=self.shell.directory, env=env, stdin=theirs,
            stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        err = read_to_end(ours)
        os.close(ours)
        out = child.communicate(timeout=HANG_S)[0]
        return CommandResult(child.returncode, out.decode(), err.decode("utf-8", "replace"))

    def interrupted(self, number: signal.Signals, *argv: str, at: bytes) -> CommandResult:
        """Run, and send a signal once its standard error says `at`."""
        with self.shell.start(*argv) as child:
            assert child.stderr is not None
            told = b""
            for line in child.stderr:
                told += line
                if at in line:
                    break
            child.send_signal(number)
            out, err = child.communicate(timeout=HANG_S)
        return CommandResult(child.returncode, out.decode(), (told + err).decode())

    def gave_away(self, *ended: CommandResult) -> list[str]:
        """Every place where a canary is that should not be."""
        found = [f"output: {core}" for one in ended for core in found_in(f"{one.out}\0{one.err}".encode())]
        found += [f"file {name}: {core}" for name, core in sorted(self.files() - self.known)]
        for start in self.spies.starts():
            told = " ".join(word.decode("utf-8", "replace") for word in start.words)
            found += [f"argv of {told}: {core}" for core in found_in(b"\0".join(start.words))]
            found += [f"{name} of {told}: {core}" for name, core in variables_with(start.environ) - _REMOTE]
        found += [f"request elsewhere: {core}" for one in self.elsewhere.heard for core in found_in(one)]
        return sorted(set(found))


def _people() -> list[SimulatedUser]:
    """Alice has CI's canary; a second token of hers is git's helper's."""
    _, *others = make_default_users("acme/app")
    rights = {"acme/app": Permission.ADMIN}
    hers = [
        SimulatedUser(id=n, login="alice", token=t, admin=True, permissions=rights)
        for n, t in ((1, CI.value), (9, HELPER.value))
    ]
    return [*hers, *others]


@contextmanager
def placed(folder: Path, workshop: ScratchRepositories, seal: dict[str, str]) -> Iterator[CanarySandbox]:
    """The place; everything in it ends with it."""
    clock = SystemClock()
    stage = DeploymentScript(SampleApp(), now=clock.now)
    with ExitStack() as stack:
        enter = stack.enter_context
        woodpecker = enter(
            WoodpeckerSimulator(
                clock, users=_people(), repositories=[SimulatedRepo(id=8, full_name="acme/app")], speed=50
            )
        )
        git, cluster = (
            enter(GitServer(workshop.folder / "srv", seal)),
            enter(KubernetesSimulator(stage.at, now=clock.now)),
        )
        keeps, elsewhere = enter(RecordingServer(vault(VAULT.value, CI.value))), enter(RecordingServer())
        git.plan.credentials = f"ann:{URL.value}"
        clone = workshop.clone("ann", branch="topic")
        clone.commit("a")
        spies = ProgramSpies(folder / "spies", f"{PROGRAMS}:{seal['PATH']}")
        (folder / "tmp").mkdir()
        settings = {
            "PATH": spies.path,
            "TMPDIR": str(folder / "tmp"),
            "WOODPECKER_SERVER": woodpecker.url,
            "WOODPECKER_TOKEN": CI.value,
            "WP_TOKEN": CI.value,
            "VAULT_TOKEN": VAULT.value,
            "VAULT_ADDR": keeps.url,
            **dict.fromkeys(FORGE_TOKENS, FORGE.value),
            "HOMELAB_CI_REPO": "acme/app",
            "HOMELAB_SETTLE": "0.1s",
            "KUBECONFIG": str(_kubeconfig(cluster, folder / "kubeconfig")),
        }
        sandbox = CanarySandbox(
            folder, clone, workshop, woodpecker, git, keeps, elsewhere, stage, spies, Shell(seal, clone.path, settings),
            servers=stack,
        )  # fmt: skip
        clone.git("remote", "set-url", "origin", sandbox.url)
        sandbox.known = sandbox.files()
        assert {core for _, core in sandbox.known} == {URL.core, KUBE.core}
        yield sandbox


def _kubeconfig(cluster: KubernetesSimulator, path: Path) -> Path:
    config = json.loads(cluster.kubeconfig(path).read_text())
    config["users"][0]["user"] = {"token": KUBE.value}
    path.write_text(json.dumps(config))
    return path
