"""Builds a wait for rollouts from the settings and the commit."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.deploy import run as deploy_run
from homelab_hooks.deploy.kubernetes.probe import KubernetesProbe
from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.deploy.state import CALL_TIMEOUT_S
from homelab_hooks.events import Log
from homelab_hooks.git.history import GitContainment
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.image_ref import TagProof
from homelab_hooks.kubectl.login import LoginPolicy
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.verdict import Verdict


def parse_targets(texts: Sequence[str]) -> tuple[WorkloadTarget, ...]:
    """Return the workloads, without duplicates. Raises CommandError for a malformed one."""
    return tuple(dict.fromkeys(WorkloadTarget.parse(text) for text in texts))


def build_deploy_request(config: Config, workloads: tuple[WorkloadTarget, ...], sha: str) -> DeployRequest:
    """Return the wait that the settings configure; the image's tag identifies the commit."""
    return DeployRequest(
        targets=workloads,
        sha=sha,
        proof=TagProof(),
        timeout=config.rollout_timeout,
        settle=config.settle,
        unreachable=config.unreachable_timeout,
    )


def deploy_resume_command(given: Mapping[str, Any], names: Sequence[str], sha: str) -> str:
    """Return the command that resumes this wait.

    Args:
        given: the command's options by name.
        names: the targets.
    """
    kept = options.as_arguments(given, *options.ROLLOUT_OPTIONS, "unreachable_timeout", "remote")
    return shlex.join(["homelab", "deploy", "wait", *names, "--sha", sha, *kept])


def run_wait(asked: DeployRequest, session: Session, *, remote: str, target: str, kubectl: Kubectl) -> Verdict:
    """Wait for the rollouts.

    Args:
        remote: where to fetch a newer commit that is missing locally; if empty, nothing is fetched.
        target: the branch to fetch for it, since an image tag has only a prefix of the SHA; empty if unknown.
    """
    runtime = session.runtime
    contains = GitContainment(runtime.git_readonly.history, now=runtime.clock.now, remote=remote, branch=target)
    wake = runtime.clock.wake if asked.use_watches else None
    login = LoginPolicy(partial(_show_login, session), asked.unreachable, runtime.clock.now)
    kubectl = kubectl.pin_context(within=CALL_TIMEOUT_S).with_login(login)
    probe = KubernetesProbe(kubectl, contains, now=runtime.clock.now, wake=wake, tell=session.tell)
    return deploy_run.wait_for_rollouts(asked, probe=probe, clock=runtime.clock, tell=session.tell)


def _show_login(session: Session, line: str) -> None:
    session.tell(Log(source="kubectl", text=line))
