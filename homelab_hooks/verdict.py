"""The outcome of a watch, a landing, or a deploy wait, before it becomes the `Result` event."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.events import DeployResult, LinkResult, PipelineResult
from homelab_hooks.exit_codes import ExitCode


class Verdict(NamedTuple):
    """The exit code, with the observations that justify it."""

    exit: ExitCode
    reason: str = ""
    """what happened, in one sentence"""
    hint: str = ""
    """what to do, in one sentence"""
    label: str = ""
    """the verdict in the result line if it is not the exit code's name: passed, deployed, nothing"""
    sha: str = ""
    pipelines: tuple[PipelineResult, ...] = ()
    deploys: tuple[DeployResult, ...] = ()
    url: str = ""
    landed: bool | None = None
    link: str = ""
    """the link of the chain that decided"""
    links: tuple[LinkResult, ...] = ()
    """the receipt: every link of the chain in order"""
    proposed: str = ""
    """our own commit, if a pull request was merged"""
    tree: str = ""
    """`unverified` if the merged files differ from those that were checked"""
