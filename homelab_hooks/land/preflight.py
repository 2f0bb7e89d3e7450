"""Collects the facts that decide whether a landing can begin, without changing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homelab_hooks.config.schema import WhenBusy
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.stage import run_stage
from homelab_hooks.git import remote_url as remotes
from homelab_hooks.git.remotes import choose_remote, find_push_settings
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.landing import Landing
from homelab_hooks.land.ownership import begun_by_landing
from homelab_hooks.land.preconditions import PreflightFacts, unmet_preconditions
from homelab_hooks.land.request import DetectVerification, LandingDependencies, LandRequest
from homelab_hooks.land.state import LandingState, StateFile
from homelab_hooks.land.verification import choose_candidate, detect_in, probe_with
from homelab_hooks.polling.outcome import Found, NotFound, Unavailable
from homelab_hooks.text.humanize import short_sha

if TYPE_CHECKING:
    from homelab_hooks.land.proposal import ProposalPlan


def start_landing(request: LandRequest, dependencies: LandingDependencies) -> Landing:
    """Check the preconditions and CI access, and save that a landing begins. Raises CommandError if one is not met."""
    with run_stage(Stage.PREFLIGHT, emit=dependencies.tell, clock=dependencies.clock) as report:
        facts, state = collect_facts(request, dependencies.git, resolve_remote(request, dependencies.git))
        for problem in unmet_preconditions(facts):
            raise problem
        found = detect_in(dependencies.git.location.top_level())
        if found and isinstance(request.verify, DetectVerification):
            choose_candidate(found, probe_with(dependencies.commands))
        require_ci_access(dependencies)
        _require_free_target(dependencies, state.target)
        plan = plan_for(dependencies, state)
        report.detail = (
            f"{facts.branch} at {short_sha(facts.head)}, to {remotes.format_remote_url(state.remote)}/{state.target}"
        )
    landing = Landing(dependencies, state_file(dependencies.git), state)
    landing.plan = plan
    landing.save(stage=Stage.PREFLIGHT)
    return landing


def _require_free_target(dependencies: LandingDependencies, branch: str) -> None:
    queue = dependencies.queue
    if queue is None or queue.when_busy is not WhenBusy.REFUSE:
        return
    from homelab_hooks.land.queue import require_free_target

    require_free_target(dependencies, queue, branch)


def collect_facts(request: LandRequest, git: Repository, remote: str) -> tuple[PreflightFacts, LandingState]:
    """Return the facts, and the state that a landing would begin with.

    Args:
        remote: the remote to push to; empty if none could be chosen.
    """
    top = git.location.top_level()
    if top is None:
        raise CommandError(
            "not in a git working tree", hint="run git land in the repository's working tree", exit=ExitCode.REFUSED
        )
    branch, head, changes = git.worktree.status()
    asked = Found(request.onto) if request.onto else git.remotes.head_branch(remote) if remote else NotFound()
    target = asked.value if isinstance(asked, Found) else ""
    earlier = state_file(git).load()
    cut = earlier if earlier and earlier.was_interrupted else None
    lock, operation = git.worktree.find_lock(branch), git.operations.current_operation()
    facts = PreflightFacts(
        branch=branch,
        head=head,
        target=target,
        remote=remote,
        operation=operation,
        changes=changes,
        operation_is_ours=earlier is not None and begun_by_landing(earlier, operation),
        hidden_changes=git.worktree.hidden_changes(),
        plaintext_secrets=git.gitcrypt.plaintext_files(head, since=git.remotes.tracking_commit(remote, target))
        if head
        else (),
        can_be_verified=not isinstance(request.verify, DetectVerification) or detect_in(top) is not None,
        lock_file=str(lock or ""),
        interrupted_stage=cut.stage.value if cut else "",
        interrupted_branch=cut.branch if cut else "",
        remote_error=asked.reason if isinstance(asked, Unavailable) else "",
        remote_hint=asked.hint if isinstance(asked, Unavailable) else "",
    )
    urls = git.remotes.push_urls(remote) if remote else ()
    state = LandingState(
        request=request,
        branch=branch,
        target=target,
        remote=remote,
        push_url=urls[0] if urls else remote,
        original_commit=head,
    )
    return facts, state


def resolve_remote(request: LandRequest, git: Repository) -> str:
    """Return the remote to push to. Raises CommandError if none can be chosen, or the target's name is not valid."""
    if request.onto and not git.location.is_valid_branch(request.onto):
        raise CommandError(f"{request.onto} is not a valid branch name", hint="pass another branch with --onto BRANCH")
    names, settings = git.remotes.remote_names(), find_push_settings(git.location.config_entries())
    own = settings.by_branch.get(git.history.current_branch(), "") if settings.by_branch else ""
    return choose_remote(names, wanted=request.remote, push_remote=own, push_default=settings.default).name


def state_file(git: Repository) -> StateFile:
    """Return the state file of this worktree."""
    return StateFile(git.location.worktree_file("homelab"))


def plan_for(dependencies: LandingDependencies, state: LandingState) -> ProposalPlan | None:
    """Return how a protected target is landed on; None if it takes direct pushes, or a link is enough for the user."""
    if dependencies.proposals is None:
        return None
    from homelab_hooks.land.proposal import plan_proposal

    return plan_proposal(dependencies.proposals, state, dependencies.clock)


def require_ci_access(dependencies: LandingDependencies) -> None:
    """Raise CommandError (20) if CI could not be watched after the push."""
    if dependencies.check_ci is None:
        return
    try:
        dependencies.check_ci()
    except CommandError as problem:
        raise CommandError(problem.message, hint=problem.hint, exit=ExitCode.REFUSED) from problem
