"""The options of a landing, and its dependencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from homelab_hooks.config.schema import Strategy, WhenBusy
from homelab_hooks.events import Event
from homelab_hooks.polling.loop import Clock
from homelab_hooks.verdict import Verdict

if TYPE_CHECKING:
    from homelab_hooks.ci.model import Pipeline
    from homelab_hooks.ci.provider import Wakes
    from homelab_hooks.git.remotes import Remotes
    from homelab_hooks.git.repository import Repository
    from homelab_hooks.land.landed import Landed
    from homelab_hooks.land.proposal import ProposalParts
    from homelab_hooks.polling.outcome import Poll
    from homelab_hooks.system.process_runner import ProcessRunner

COMMIT_PLACEHOLDER = "@commit@"
"""placeholder for the commit in a command that is built before the commit exists; needs no shell quoting"""


@dataclass(frozen=True, slots=True)
class DetectVerification:
    """Detect the verification command from the repository's files."""


class VerifyCommand(NamedTuple):
    """Verify with this shell command; `why` is where it comes from."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class SkipVerification:
    """Do not verify (--no-verify)."""


VerifyChoice = DetectVerification | VerifyCommand | SkipVerification


@dataclass(frozen=True, slots=True, kw_only=True)
class LandRequest:
    """The options of a landing; all are saved for `--continue`."""

    remote: str = ""
    """from an option or a setting; empty: chosen (docs/settings.md)"""
    onto: str = ""
    """the target branch; empty: the remote's HEAD branch"""
    strategy: Strategy = Strategy.MERGE
    verify: VerifyChoice = field(default_factory=DetectVerification)
    message: str = ""
    """of the merge commit; empty: git's usual one"""
    push_options: tuple[str, ...] = ()
    dry_run: bool = False
    max_retries: int = 5
    """attempts after the first one that lost a race"""
    resume_template: str = f"homelab-watch {COMMIT_PLACEHOLDER}"
    """the command that resumes watching, with the placeholder for the commit"""
    revert: str = ""
    """the landed commit that this landing takes back; empty: it lands the branch's own commits"""
    revert_parent: str = ""
    """what the target becomes relative to `revert`: everything that this commit does not have is taken back"""
    caller_state: Mapping[str, Any] = field(default_factory=dict)
    """data of the caller, which `--continue` returns; must be JSON"""

    def resume_command(self, sha: str) -> str:
        """Return the command that resumes watching this commit."""
        return self.resume_template.replace(COMMIT_PLACEHOLDER, sha)


class TargetPipelines(Protocol):
    """What CI and its configuration say about the pipelines of the target branch."""

    @property
    def cancels_previous(self) -> bool:
        """Return whether CI cancels running push pipelines of a branch when a newer one starts."""

    def pipelines(self, branch: str, *, within: float) -> Poll[tuple[Pipeline, ...]]:
        """Return the newest push pipelines of a branch, the newest first."""

    def find_dependence(self, sha: str) -> str:
        """Return the first sign that the commit's run depends on the commit before it; empty if there is none."""

    def describe_tip(self, sha: str, tracking: str) -> tuple[float, str]:
        """Return for how many seconds at least a commit has been the tip of a tracking ref, and why it runs nothing.

        The reason is empty if the commit may get a pipeline.
        """


class PushQueue(NamedTuple):
    """How a landing behaves while pipelines of the target branch run; the times are in seconds."""

    runs: TargetPipelines
    open_stream: Callable[[], Wakes | None] = lambda: None
    """opens CI's event stream for a landing that waits; None if there is none"""
    when_busy: WhenBusy = WhenBusy.AUTO
    timeout_s: float = 3600.0
    appear_s: float = 120.0
    unreachable_s: float = 180.0


class LandingDependencies(NamedTuple):
    """The dependencies of a landing.

    Args:
        git: the worktree of the topic branch; may prompt on a terminal.
        commands: runs the verification, without our tokens and without git's variables.
        hooks: runs the repository's own post-push hook, with our tokens: it watches CI.
        jitter: returns a random number from 0 to 1.
        poller: polls the remote without prompts while others land; None: `git`.
        check_ci: checks access to CI before anything is changed; raises CommandError; None: no check.
        queue: what runs on the target branch, and whether it is waited for; None: pushes at once.
        proposals: merges a pull request where the target takes no direct pushes; None: its link is enough.
        find_skip_marker: returns what in a commit message makes CI skip the commit; None: CI is not watched.
        follow_up: the post-push stage if the repository has no hook of its own; None: there is none.
        runs_post_push_hook: whether the repository's own post-push hook replaces `follow_up`.
        on_landed: gets `LandingState.landed` after each change, for a result that is written without a verdict.
    """

    git: Repository
    commands: ProcessRunner
    hooks: ProcessRunner
    clock: Clock
    tell: Callable[[Event], None]
    jitter: Callable[[], float]
    poller: Remotes | None = None
    check_ci: Callable[[], None] | None = None
    queue: PushQueue | None = None
    proposals: ProposalParts | None = None
    find_skip_marker: Callable[[str], str] | None = None
    follow_up: Callable[[Landed], Verdict] | None = None
    runs_post_push_hook: bool = True
    on_landed: Callable[[bool | None], None] = lambda _: None
    follow_up_label: str = "watch CI"
    """what `follow_up` does, as a dry run prints it"""
