"""What a landing through a pull request needs, and whether the forge lets it happen, before anything is pushed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.forges import WRITER_WORDS
from homelab_hooks.forge.merge_style import StyleRefused, choose_merge_style, intersect_styles
from homelab_hooks.forge.provider import REQUEST_TIMEOUT_S
from homelab_hooks.forge.pull_requests import BranchProtection, NewPullRequest, PullRequestForge, RepositoryState
from homelab_hooks.polling.loop import Clock
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.polling.retry import repeat_until

if TYPE_CHECKING:
    from homelab_hooks.land.state import LandingState
    from homelab_hooks.verdict import Verdict

T = TypeVar("T")
FORGE_PREFLIGHT_TIMEOUT_S = 10.0
"""seconds for the forge to answer before anything is changed"""


class ForgeRepository(NamedTuple):
    """A repository on a forge whose pull requests can be asked for."""

    forge: PullRequestForge
    repo: str
    """OWNER/NAME"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalParts:
    """How a protected target is landed on; the times are in seconds.

    Args:
        connect: returns the forge of a remote; raises CommandError if it, its kind, or its token is not available.
        watch: waits for our own CI's pull request pipelines of a commit; None: CI is not watched.
        merge_style: None: chosen.
    """

    connect: Callable[[str], ForgeRepository]
    watch: Callable[[str], Verdict] | None = None
    merge_style: MergeStyle | None = None
    timeout_s: float = 3600.0
    appear_s: float = 120.0
    unreachable_s: float = 180.0


class ProposalPlan(NamedTuple):
    """The target takes no direct pushes, and this is what its forge allows."""

    place: ForgeRepository
    protection: BranchProtection
    allowed_styles: frozenset[MergeStyle] | None


def plan_proposal(
    parts: ProposalParts, state: LandingState, clock: Clock, *, was_refused: bool = False
) -> ProposalPlan | None:
    """Return how the target is landed on through a pull request; None if it takes direct pushes.

    Args:
        parts: the forge and the settings.
        state: the remote and the target.
        clock: for the time that the forge has to answer.
        was_refused: the server has refused a direct push, whatever the forge's API shows.

    Raises:
        CommandError: the forge cannot be asked, or it would refuse the pull request or its merge. Before the first push
            it is 20; after it, 8 for a forge that does not answer, and 23 for the rest.
    """
    try:
        place = parts.connect(state.remote)
        look = TargetLook(place, state.target, parts.merge_style, FORGE_PREFLIGHT_TIMEOUT_S)
        return look_at_target(look, clock, was_refused=was_refused)
    except CommandError as problem:
        exit_ = _choose_exit(problem.exit, has_pushed=was_refused or bool(state.pull_number))
        raise CommandError(problem.message, hint=problem.hint, exit=exit_) from problem


class TargetLook(NamedTuple):
    """A look at a target and what its forge allows there."""

    place: ForgeRepository
    target: str
    merge_style: MergeStyle | None
    within_s: float
    """seconds for each answer"""


def look_at_target(look: TargetLook, clock: Clock, *, was_refused: bool = False) -> ProposalPlan | None:
    """Return what the forge allows; None if the target takes direct pushes. Nothing is changed.

    Raises:
        CommandError: the forge does not answer, or it would refuse the pull request or its merge.
    """
    place, target = look.place, look.target
    repository = _ask(
        lambda within: place.forge.target.read_repository(place.repo, within=within), place.repo, clock, look.within_s
    )
    if problem := find_repository_problem(repository, place.forge.kind):
        raise problem
    protection = _ask(
        lambda within: place.forge.target.read_protection(place.repo, target, within=within),
        f"the branch {target}", clock, look.within_s,
    )  # fmt: skip
    if not was_refused and not is_proposal_needed(protection):
        return None
    allowed = intersect_styles(repository.allowed_styles, protection.allowed_styles)
    if problem := find_branch_problem(protection, target):
        raise problem
    require_style(look.merge_style, allowed)
    require_write_token(place, target, within_s=look.within_s)
    return ProposalPlan(place, protection, allowed)


def require_write_token(place: ForgeRepository, target: str, *, within_s: float) -> None:
    """Raise CommandError if the token may not open a pull request: the forge shows the user's rights, not the token's.

    It is asked for a pull request of the target into itself, which no forge opens (Gitea: 422, recording 02). Only a
    refusal of the token counts.
    """
    impossible = NewPullRequest(target, target, "never opened")
    opened = place.forge.pulls.open(place.repo, impossible, within=min(within_s, REQUEST_TIMEOUT_S))
    if isinstance(opened, Denied):
        raise CommandError(opened.reason, hint=opened.hint, exit=ExitCode.PROTECTED)


def _choose_exit(exit_: ExitCode, *, has_pushed: bool) -> ExitCode:
    """Return the exit code of a landing whose plan failed: a silent forge is asked again once something was pushed."""
    if not has_pushed:
        return ExitCode.REFUSED
    return exit_ if exit_ is ExitCode.UNREACHABLE else ExitCode.PROTECTED


def is_proposal_needed(protection: BranchProtection) -> bool:
    """Return whether the target takes no direct pushes from this token; where it is not shown, a rule counts."""
    return protection.can_push is False or (protection.is_protected and protection.can_push is None)


def find_repository_problem(repository: RepositoryState, kind: ForgeKind) -> CommandError | None:
    """Return why nothing can be merged in this repository; None if nothing is known to prevent it."""
    name = repository.full_name
    if repository.is_archived:
        return _refused(f"{name} is archived on the forge", "ask an administrator to unarchive the repository")
    if not repository.has_pull_requests:
        return _refused(f"pull requests are switched off for {name}", "switch them on, or use --protected link")
    if repository.can_push is False:
        return _refused(f"the forge token may not write to {name}", f"use {WRITER_WORDS[kind]}")
    return None


def find_branch_problem(protection: BranchProtection, target: str) -> CommandError | None:
    """Return why this token can merge no pull request into the target; None if nothing is known to prevent it."""
    if protection.has_merge_queue:
        return _refused(
            f"{target} is merged through the forge's merge queue, which does not take a pinned commit",
            "use --protected link, and add the pull request to the queue",
        )
    if protection.can_merge is False:
        return _refused(
            f"the owner of the forge token may not merge into {target}",
            "ask for the right to merge into this branch, or use --protected link",
        )
    return None


def require_style(wanted: MergeStyle | None, allowed: frozenset[MergeStyle] | None) -> MergeStyle:
    """Return the style of the merge: the target is merged before. Raises CommandError (20) if none is allowed."""
    style = choose_merge_style(wanted, allowed)
    if isinstance(style, StyleRefused):
        raise _refused(style.reason, style.hint)
    return style


def read_poll(poll: Poll[T], subject: str) -> T:
    """Return what the forge answered. Raises CommandError: 8 without an answer, 23 for a refusal after the push."""
    match poll:
        case Found():
            value: T = poll.value
            return value
        case Denied(reason, hint=hint):
            raise CommandError(reason, hint=hint, exit=ExitCode.PROTECTED)
        case Unavailable(reason, hint=hint):
            again = "run git land --continue to try again"
            message = f"the forge could not be asked about {subject}: {reason}"
            raise CommandError(message, hint=f"{hint}, or {again}" if hint else again, exit=ExitCode.UNREACHABLE)
        case NotFound(reason, hint=hint):
            raise CommandError(reason or f"the forge does not find {subject}", hint=hint, exit=ExitCode.PROTECTED)


def _ask(ask: Callable[[float], Poll[T]], subject: str, clock: Clock, within_s: float) -> T:
    poll: Poll[T] = repeat_until(
        lambda within: ask(min(within, REQUEST_TIMEOUT_S)), until=clock.now() + within_s, clock=clock
    )
    answer: T = read_poll(poll, subject)
    return answer


def _refused(message: str, hint: str) -> CommandError:
    return CommandError(message, hint=hint, exit=ExitCode.REFUSED)
