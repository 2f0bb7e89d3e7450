"""What a landing is asked for, and what it works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from homelab_hooks.events import Event
from homelab_hooks.git.remotes import Remotes
from homelab_hooks.git.repository import Repository
from homelab_hooks.polling.loop import Clock
from homelab_hooks.system.process import ProcessRunner
from homelab_hooks.verdict import Verdict

COMMIT_PLACEHOLDER = "@commit@"
"""stands for the commit in a command that is made before there is one; no shell has to quote it"""


class Strategy(StrEnum):
    """How the branch and the target come together."""

    MERGE = "merge"
    REBASE = "rebase"
    FF_ONLY = "ff-only"


@dataclass(frozen=True, slots=True)
class DetectVerification:
    """Verify with what the repository shows."""


@dataclass(frozen=True, slots=True)
class VerifyCommand:
    """Verify with this shell command; `why` says where it comes from."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class SkipVerification:
    """Do not verify: somebody asked for it."""


VerifyChoice = DetectVerification | VerifyCommand | SkipVerification


@dataclass(frozen=True, slots=True, kw_only=True)
class LandRequest:
    """One landing; everything here is kept for `--continue`."""

    remote: str = ""
    """as an option or a setting says; empty: chosen (contract, section 2)"""
    onto: str = ""
    """the target branch; empty: the remote's HEAD branch"""
    strategy: Strategy = Strategy.MERGE
    verify: VerifyChoice = field(default_factory=DetectVerification)
    push_options: tuple[str, ...] = ()
    dry_run: bool = False
    max_retries: int = 5
    """how often a lost race is tried again after the first try"""
    resume_template: str = f"homelab-watch {COMMIT_PLACEHOLDER}"
    """the command that takes the watching up again, of whichever COMMIT it is then"""
    caller_state: Mapping[str, Any] = field(default_factory=dict)
    """what the caller wants back with `--continue`, fit for JSON"""

    def resume_command(self, sha: str) -> str:
        """The command that takes the watching of this commit up again."""
        return self.resume_template.replace(COMMIT_PLACEHOLDER, sha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A commit that is on the target for certain."""

    sha: str
    branch: str
    """the target branch"""
    remote: str
    push_url: str
    before: str = ""
    """the target's commit before; empty where it is not known"""

    @property
    def pre_push_line(self) -> str:
        """What git's pre-push hook reads on its standard input."""
        ref = f"refs/heads/{self.branch}"
        return f"{self.sha} {self.sha} {ref} {self.before or '0' * len(self.sha)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingDependencies:
    """What a landing works with.

    Args:
        git: in the work tree of the feature branch, able to prompt where somebody is there.
        commands: for the verification: without our tokens, without git's variables of another call.
        hooks: for the repository's own post-push hook: it may keep our tokens, it watches.
        jitter: a number from 0 to 1, another each time.
        poller: polls the remote while others land, and prompts nobody; None: `git`.
        check_ci: asks CI before anything is changed; raises a Problem; None: not wanted.
        follow_up: follows the commit, unless the repository has a post-push hook; None: not wanted.
        runs_post_push_hook: whether the repository's own post-push hook takes the place of `follow_up`.
        on_landed: gets `LandingState.landed` at each change, for a result that is written without a verdict.
    """

    git: Repository
    commands: ProcessRunner
    hooks: ProcessRunner
    clock: Clock
    tell: Callable[[Event], None]
    jitter: Callable[[], float]
    poller: Remotes | None = None
    check_ci: Callable[[], None] | None = None
    follow_up: Callable[[Landed], Verdict] | None = None
    runs_post_push_hook: bool = True
    on_landed: Callable[[bool | None], None] = lambda _: None
    follow_up_label: str = "watch CI"
    """what `follow_up` does, for the dry run"""
