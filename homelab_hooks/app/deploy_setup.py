"""Puts a deploy wait together from the settings and the commit."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.deploy import run as deploy_run
from homelab_hooks.deploy.kubernetes.probe import KubernetesProbe
from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.git.history import GitContainment
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.image_ref import TagProof
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.verdict import Verdict


def parse_targets(texts: Sequence[str]) -> tuple[WorkloadTarget, ...]:
    """The workloads that are meant, each once. Raises CommandError for a malformed one."""
    return tuple(dict.fromkeys(WorkloadTarget.parse(text) for text in texts))


def build_deploy_request(config: Config, workloads: tuple[WorkloadTarget, ...], sha: str) -> DeployRequest:
    """The wait that the settings ask for, proven by the image's tag."""
    return DeployRequest(
        targets=workloads,
        sha=sha,
        proof=TagProof(),
        timeout=config.rollout_timeout,
        settle=config.settle,
        unreachable=config.unreachable_timeout,
    )


def deploy_resume_command(given: Mapping[str, Any], names: Sequence[str], sha: str) -> str:
    """The command that waits for them once more, with the options that were given."""
    kept = options.as_arguments(given, *options.ROLLOUT_OPTIONS, "unreachable_timeout", "remote")
    return shlex.join(["homelab", "deploy", "wait", *names, "--sha", sha, *kept])


def run_wait(asked: DeployRequest, session: Session, *, remote: str, target: str, kubectl: Kubectl) -> Verdict:
    """Wait, with this process's clock, view and repository.

    Args:
        remote: asked for a newer commit that is not here; empty: nobody is asked.
        target: its branch that newer commits come on, for a tag has but a commit's first digits; empty: not known.
    """
    world = session.world
    contains = GitContainment(world.git_readonly.history, remote=remote, branch=target)
    wake = world.clock.wake if asked.use_watches else None
    probe = KubernetesProbe(kubectl, contains, now=world.clock.now, wake=wake, tell=session.tell)
    return deploy_run.wait_for_rollouts(asked, probe=probe, clock=world.clock, tell=session.tell)
