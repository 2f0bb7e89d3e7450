"""The real pre-commit and prek, with the hooks of this checkout installed as users install them."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories, make_hermetic_env
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import PROGRAMS
from tests.hooks.background.sandbox import PushSandbox
from tests.waiting import HANG_S

ROOT = Path(__file__).parent.parent.parent
LEFT_OUT = (".git", ".venv", "build", "dist", "tests", "__pycache__", ".*_cache", ".hypothesis", ".coverage*")
TOOLS = ("pre-commit", "prek")


@dataclass(frozen=True)
class Published:
    """This checkout as a repository at a commit, and where the tools keep what they installed from it."""

    repository: Path
    commit: str
    homes: dict[str, str]

    def config(self, *hooks: str) -> str:
        """A `.pre-commit-config.yaml`; a hook is its id, and after a blank its one argument."""
        rows = []
        for hook in hooks:
            name, _, argument = hook.partition(" ")
            rows.append(f"      - id: {name}\n" + (f"        args: ['{argument}']\n" if argument else ""))
        return f"repos:\n  - repo: {self.repository}\n    rev: {self.commit}\n    hooks:\n" + "".join(rows)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Published:
    """Made once, and shared by the processes that run tests side by side."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "published"
    folder.mkdir(exist_ok=True)
    homes = {"PRE_COMMIT_HOME": str(folder / "pre-commit"), "PREK_HOME": str(folder / "prek")}
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            found = Published(folder / "hooks", _commit(folder), homes)
            _install(found, folder)
            (folder / "ready").write_text(found.commit)
    return Published(folder / "hooks", (folder / "ready").read_text(), homes)


def _commit(folder: Path) -> str:
    shutil.copytree(ROOT, folder / "hooks", ignore=shutil.ignore_patterns(*LEFT_OUT))
    place = Clone(folder / "hooks", make_hermetic_env(os.environ, folder / "home"))
    place.git("init", "--quiet")
    place.git("add", "--all")
    place.git("commit", "--quiet", "-m", "publish")
    return place.head


def _install(found: Published, folder: Path) -> None:
    """With the user's own environment: what he set for pip and uv, a mirror perhaps, holds."""
    seal = {
        name: value for name, value in make_hermetic_env(os.environ, folder / "home").items() if name.startswith("GIT_")
    }
    tools = ProcessRunner({**os.environ, **seal, **found.homes})
    place = Clone(folder / "user", make_hermetic_env(os.environ, folder / "home"))
    place.path.mkdir()
    place.git("init", "--quiet")
    place.write(".pre-commit-config.yaml", found.config("homelab-watch"))
    place.git("add", "--all")
    for argv in (["pre-commit", "install-hooks"], ["prek", "prepare-hooks"]):
        done = tools.run([str(PROGRAMS / argv[0]), *argv[1:]], cwd=place.path, timeout=HANG_S)
        assert done.ok, done.out + done.err


@dataclass
class Framework:
    """A clone whose pushes run the hooks of a configuration, under one of the two tools."""

    tool: str
    sandbox: PushSandbox
    published: Published

    def uses(self, *hooks: str) -> None:
        self.sandbox.clone.commit(".pre-commit-config.yaml", self.published.config(*hooks), message="configure")
        done = self.run("install", "--hook-type", "pre-push", "--overwrite")
        assert done.ok, done

    def run(self, *words: str, **environ: str) -> Completed:
        argv = [str(PROGRAMS / self.tool), *words]
        if self.tool == "pre-commit":
            argv = [word for word in argv if word != "--overwrite"]
        return ProcessRunner({**self.sandbox.environ, **environ}).run(argv, cwd=self.sandbox.clone.path, timeout=HANG_S)

    def push(self, *refs: str, to: str = "origin", **environ: str) -> tuple[int, str]:
        """Git's exit code, and all that was said."""
        done = self.sandbox.git("push", to, *(refs or ("HEAD:main",)), **environ)
        return done.code, done.out + done.err


@pytest.fixture(params=TOOLS)
def framework(
    request: pytest.FixtureRequest,
    published: Published,
    seal: dict[str, str],
    woodpecker: WoodpeckerSimulator,
    workshop: ScratchRepositories,
) -> Iterator[Framework]:
    sandbox = PushSandbox(
        seal, workshop.clone("work", branch="topic"), woodpecker, workshop.folder / "notification.json"
    )
    sandbox = replace(sandbox, more=published.homes)
    yield Framework(request.param, sandbox, published)
    sandbox.end_watchers()
