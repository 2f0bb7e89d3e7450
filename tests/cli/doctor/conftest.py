"""A place from which a landing would work, so that one thing at a time can be broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript
from homelab_hooks.simulators.kubernetes.server import KubernetesSimulator
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import CommandResult, Shell


@dataclass
class DoctorSandbox:
    """Ann's clone on a branch with something to land, its CI and its cluster."""

    clone: Clone
    woodpecker: WoodpeckerSimulator
    cluster: KubernetesSimulator
    workshop: ScratchRepositories
    shell: Shell

    def set(self, key: str, *values: str) -> None:
        """Git config of the repository."""
        for value in values:
            self.clone.git("config", "--add", key, value)

    def program(self, name: str, script: str) -> None:
        """A program that stands before the real one."""
        folder = self.workshop.folder / "programs"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        self.shell.more["PATH"] = f"{folder}:{self.shell.environ['PATH']}"

    def examine(self, *options: str) -> CommandResult:
        return self.shell("homelab", "doctor", *options)


@pytest.fixture
def sandbox(workshop: ScratchRepositories, seal: dict[str, str], tmp_path: Path) -> Iterator[DoctorSandbox]:
    clone = workshop.clone("ann", branch="topic")
    clone.commit("a")
    clock = SystemClock()
    with (
        WoodpeckerSimulator(clock) as woodpecker,
        KubernetesSimulator(DeploymentScript(SampleApp(), now=clock.now).at, now=clock.now) as cluster,
    ):
        settings = {
            "WOODPECKER_SERVER": woodpecker.url,
            "WOODPECKER_TOKEN": "alice-token",
            "HOMELAB_CI_REPO": "acme/app",
            "HOMELAB_VERIFY": "true",
            "KUBECONFIG": str(cluster.kubeconfig(tmp_path / "kubeconfig")),
        }
        yield DoctorSandbox(clone, woodpecker, cluster, workshop, Shell(seal, clone.path, settings))
