"""A program, not a test: `git land` in a clone that ends itself by SIGKILL at a named point.

Arguments: the clone, the verification command, the strategy, and the point as STAGE:PROGRESS, or the beginning of a
line told. Its process group and its process id are left in files beside the clone.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from homelab_hooks.config.schema import Strategy
from homelab_hooks.events import Event, Log, StageChanged
from homelab_hooks.git.gitpython import GitPythonRunner
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import run as land_run
from homelab_hooks.land.request import LandingDependencies, LandRequest, VerifyCommand
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.process_runner import ProcessRunner


def main(clone: str, verify: str, strategy: str, point: str) -> int:
    """Land, or die trying."""
    environ = dict(os.environ)
    git = Repository(GitPythonRunner(environ, Path(clone), inherited=environ, interactive=False))
    processes = ProcessRunner(environ)

    def tell(event: Event) -> None:
        reached = (isinstance(event, StageChanged) and f"{event.stage}:{event.progress}" == point) or (
            isinstance(event, Log) and event.text.startswith(point)
        )
        if reached:
            os.killpg(0, signal.SIGKILL)

    (Path(clone).parent / "group").write_text(str(os.getpgrp()))
    (Path(clone).parent / "leader").write_text(str(os.getpid()))
    parts = LandingDependencies(
        git=git, commands=processes, hooks=processes, clock=SystemClock(), tell=tell, jitter=lambda: 0.0,
        follow_up=None,
    )  # fmt: skip
    return land_run.land_branch(
        LandRequest(verify=VerifyCommand(verify, "told"), strategy=Strategy(strategy)), parts
    ).exit


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
