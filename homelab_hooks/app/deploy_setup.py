"""Builds a wait for rollouts from the settings and the commit."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from homelab_hooks.app import options
from homelab_hooks.app.live_setup import require_query
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Log

if TYPE_CHECKING:  # a chain imports this module before its first request, and waits for rollouts last
    from homelab_hooks.deploy.run import DeployRequest
    from homelab_hooks.follow.live_source import LiveHttpSource
    from homelab_hooks.git.containment import ContainmentCheck
    from homelab_hooks.kubectl.client import Kubectl
    from homelab_hooks.kubectl.model import WorkloadTarget
    from homelab_hooks.registry.client import RegistryClient
    from homelab_hooks.verdict import Verdict


def parse_targets(texts: Sequence[str]) -> tuple[WorkloadTarget, ...]:
    """Return the workloads, without duplicates. Raises CommandError for a malformed one."""
    if not texts:
        return ()
    from homelab_hooks.kubectl.model import WorkloadTarget

    return tuple(dict.fromkeys(WorkloadTarget.parse(text) for text in texts))


def build_deploy_request(config: Config, workloads: tuple[WorkloadTarget, ...], sha: str) -> DeployRequest:
    """Return the wait that the settings configure."""
    from homelab_hooks.deploy.run import DeployRequest

    require_query(config.image_proof.live, str(config.image_proof))
    return DeployRequest(
        targets=workloads,
        sha=sha,
        proof=config.image_proof,
        timeout=config.rollout_timeout,
        settle=config.settle,
        unreachable=config.unreachable_timeout,
        is_slice=config.is_slice,
    )


def deploy_resume_command(given: Mapping[str, Any], names: Sequence[str], sha: str) -> str:
    """Return the command that resumes this wait.

    Args:
        given: the command's options by name.
        names: the targets.
    """
    kept = options.as_arguments(
        given, *options.PROOF_OPTIONS, *options.ROLLOUT_OPTIONS, "unreachable_timeout", "remote"
    )
    return shlex.join(["homelab", "deploy", "wait", *names, "--sha", sha, *kept])


class CommitOrigin(NamedTuple):
    """Where newer commits and release tags come from; empty names are not asked."""

    remote: str = ""
    """fetched from if a commit is missing locally, and asked for tags"""
    branch: str = ""
    """the branch to fetch, since an image's tag has only a prefix of the SHA"""


def build_registry(config: Config, runtime: Runtime) -> RegistryClient:
    """Return what describes the images that run; it sends nothing before the first question."""
    from homelab_hooks.app.registry_setup import make_registry_client

    return make_registry_client(runtime, config)


def run_wait(
    asked: DeployRequest, session: Session, config: Config, *, origin: CommitOrigin, kubectl: Kubectl
) -> Verdict:
    """Wait for the rollouts."""
    from homelab_hooks.deploy.kubernetes.evidence_source import EvidenceSource
    from homelab_hooks.deploy.kubernetes.probe import KubernetesProbe
    from homelab_hooks.deploy.run import wait_for_rollouts
    from homelab_hooks.deploy.state import CALL_TIMEOUT_S
    from homelab_hooks.git.history import GitContainment
    from homelab_hooks.git.release_tags import GitReleaseTags
    from homelab_hooks.kubectl.login import LoginPolicy

    runtime, git = session.runtime, session.runtime.git_readonly
    contains = GitContainment(git.history, now=runtime.clock.now, remote=origin.remote, branch=origin.branch)
    registry = build_registry(config, runtime)
    service = _build_live_source(asked, config, runtime, contains)
    evidence = EvidenceSource(
        contains,
        now=runtime.clock.now,
        releases=GitReleaseTags(git.history, git.remotes, remote=origin.remote, now=runtime.clock.now),
        registry=registry,
        live=(lambda: service.poll().value) if service else None,
    )
    wake = runtime.clock.wake if asked.use_watches else None
    kubectl = kubectl.pin_context(within=CALL_TIMEOUT_S)
    deadline = runtime.clock.now() + asked.timeout
    login = LoginPolicy(partial(_show_login, session), asked.unreachable, runtime.clock.now, deadline)
    kubectl = kubectl.with_login(login)
    probe = KubernetesProbe(kubectl, evidence, now=runtime.clock.now, wake=wake, tell=session.tell)
    try:
        return wait_for_rollouts(asked, probe=probe, clock=runtime.clock, tell=session.tell)
    finally:
        registry.close()
        if service:
            service.close()


def _show_login(session: Session, line: str) -> None:
    session.tell(Log(source="kubectl", text=line))


def _build_live_source(
    asked: DeployRequest, config: Config, runtime: Runtime, contains: ContainmentCheck
) -> LiveHttpSource | None:
    """Return what asks the service; None if its answer is not the proof."""
    target = asked.proof.live
    if target is None:
        return None
    from homelab_hooks.app.live_setup import build_live_source
    from homelab_hooks.git.containment import Containment

    def compare(name: str) -> Containment:
        return Containment.NOT_CONTAINED if asked.exact else contains(newer=name, ours=asked.sha)

    return build_live_source(target, asked.sha, config, runtime, compare)
