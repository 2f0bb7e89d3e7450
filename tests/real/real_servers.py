"""A real Woodpecker with our own git server and forge; everything runs on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from homelab_hooks.simulators.git_http import GitServer
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories, make_hermetic_env
from tests.real.ci import Account, Binaries, Ci
from tests.real.forge import FULL_NAME, PERSON, REMOTE_ID, Forge


class RealServers:
    """Runs while its `with` lasts, and leaves nothing behind.

    Attributes:
        environ: for the product: a sealed home, the server's address and a token.
        forge: what tells Woodpecker of pushes, and is told of statuses.
        git: the git server that clones push to.
        repo: the repository's id in Woodpecker.
    """

    def __init__(self, binaries: Binaries, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as begun:
            self._build(begun)
            self._open = begun.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def clone(self, name: str) -> Clone:
        """A clone whose pushes reach Woodpecker, on a new branch of its own name."""
        return self.workshop.clone(name, at=f"{self.git.url}/{FULL_NAME}.git", branch=name)

    def _build(self, begun: ExitStack) -> None:
        environ = person(self._folder / "home")
        self.workshop = ScratchRepositories(self._folder, environ)
        self.git = begun.enter_context(GitServer(self._folder / "srv", environ))
        self.forge = begun.enter_context(Forge(self.workshop.bare_path, environ))
        self.git.plan.on_push = self.forge.pushed
        account = Account(remote_id=PERSON["id"], login=PERSON["login"])
        self.ci = begun.enter_context(
            Ci(self._binaries, path=environ["PATH"], forge=self.forge.url, account=account)
        )  # fmt: skip
        self.repo = self.ci.activate(REMOTE_ID)
        self.environ = {**environ, **access(self.ci)}


def person(home: Path) -> dict[str, str]:
    """The environment of a developer with the product on PATH; two of their branches never share a commit."""
    environ = make_hermetic_env({"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}, home)
    return {name: value for name, value in environ.items() if name not in {"GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"}}


def access(ci: Ci) -> Mapping[str, str]:
    """What tells the product where CI is."""
    return {"WOODPECKER_SERVER": ci.url, "WOODPECKER_TOKEN": ci.token}
