"""The commit to expect of a rollout, the timeouts, and the outcome for one target."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks.config.image_proof import ImageProof
from homelab_hooks.deploy.assessment import CrashedContainer
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.humanize import IMAGE_SHA_DIGITS, short_sha


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The commit that a workload must run, and how an image is shown to be of that commit."""

    sha: str
    proof: ImageProof
    container: str = ""
    """the container whose image must name the commit; empty: any container"""
    exact: bool = False
    """do not accept a newer commit that contains this one"""

    @property
    def short_sha(self) -> str:
        """Return the commit, abbreviated for messages."""
        return short_sha(self.sha, IMAGE_SHA_DIGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutTimeouts:
    """How long to wait, in seconds."""

    rollout_timeout: float
    settle: float
    unreachable_timeout: float
    wait_for_workload: bool = False
    is_slice: bool = False
    """the rollout-timeout ends the call, not the rollout"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutOutcome:
    """The result for one target."""

    exit: ExitCode
    reason: str
    hint: str = ""
    image: str = ""
    proof: str = ""
    """the evidence that the image is of the commit, as in `release v1.4.2`"""
    crashed_container: CrashedContainer | None = None
    """the container whose last log lines may show the cause"""
