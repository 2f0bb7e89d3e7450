"""Puts a deploy wait together from the settings and the commit."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence

from homelab_hooks.cli import options
from homelab_hooks.cli.session import Session
from homelab_hooks.config import Config
from homelab_hooks.deploy import deploy
from homelab_hooks.deploy.deploy import Request
from homelab_hooks.git.history import Containing
from homelab_hooks.image import ByTag
from homelab_hooks.kubectl.facts import Target
from homelab_hooks.kubectl.kubectl import Kubectl
from homelab_hooks.verdict import Verdict


def targets(texts: Sequence[str]) -> tuple[Target, ...]:
    """The workloads that are meant, each once. Raises Problem for a malformed one."""
    return tuple(dict.fromkeys(Target.parse(text) for text in texts))


def request(config: Config, workloads: tuple[Target, ...], sha: str) -> Request:
    """The wait that the settings ask for, proven by the image's tag."""
    return Request(
        targets=workloads,
        sha=sha,
        proof=ByTag(),
        timeout=config.rollout_timeout,
        settle=config.settle,
        unreachable=config.unreachable_timeout,
    )


def again(args: argparse.Namespace, names: Sequence[str], sha: str) -> str:
    """The command that waits for them once more, with the options that were given."""
    kept = options.given(args, *options.ROLLOUT, "unreachable_timeout", "remote")
    return shlex.join(["homelab", "deploy", "wait", *names, "--sha", sha, *kept])


def wait(asked: Request, session: Session, *, remote: str, target: str, kubectl: Kubectl) -> Verdict:
    """Wait, with this process's clock, view and repository.

    Args:
        remote: asked for a newer commit that is not here; empty: nobody is asked.
        target: its branch that newer commits come on, for a tag has but a commit's first digits; empty: not known.
    """
    world = session.world
    contains = Containing(world.git, remote=remote, branch=target)
    return deploy.wait(asked, kubectl=kubectl, contains=contains, clock=world.clock, tell=session.tell)
