"""What is asked about a rollout, and what the answer may be."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks.deploy.assessment import CrashedContainer
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.image_ref import Proof
from homelab_hooks.text.humanize import IMAGE_SHA_DIGITS, short_sha


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Which commit, proven how."""

    sha: str
    proof: Proof
    container: str = ""
    """the one container that proves; empty for every one whose image names a commit"""
    exact: bool = False
    """a newer commit that contains ours does not count"""

    @property
    def short_sha(self) -> str:
        """The commit as people read it."""
        return short_sha(self.sha, IMAGE_SHA_DIGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutTimeouts:
    """How long to wait for what, in seconds."""

    rollout_timeout: float
    settle: float
    unreachable_timeout: float
    wait_for_workload: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutOutcome:
    """The result for one target."""

    exit: ExitCode
    reason: str
    hint: str = ""
    image: str = ""
    crashed_container: CrashedContainer | None = None
    """its last log lines may say why"""
