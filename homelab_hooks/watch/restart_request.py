"""Restarts pipelines, and confirms that they exist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, Repo, RunRef
from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S, Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log, LogLevel
from homelab_hooks.exit_codes import ExitCode, choose_worst_exit
from homelab_hooks.polling.loop import Clock
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.diff import build_pipeline_event
from homelab_hooks.watch.restart_plan import Rerun, StartManually, make_misconfigured_error
from homelab_hooks.watch.snapshot import CommitSnapshot
from homelab_hooks.watch.start_search import PendingStart, find_started

WORST_FIRST = (
    ExitCode.DENIED, ExitCode.UNREACHABLE, ExitCode.FAILED, ExitCode.CANCELLED, ExitCode.SUPERSEDED, ExitCode.BLOCKED,
    ExitCode.REFUSED, ExitCode.NO_PIPELINE, ExitCode.TIMEOUT, ExitCode.OK,
)  # fmt: skip
"""the order of severity if some of several pipelines were not restarted"""


class RestartOutcome(NamedTuple):
    """The pipelines that were started, and why others were not."""

    started: tuple[Pipeline, ...]
    problems: tuple[CommandError, ...] = ()


def apply_restart_plan(
    plan: Rerun | StartManually,
    snapshot: CommitSnapshot,
    ci: Provider,
    *,
    clock: Clock,
    emit: Callable[[Event], None],
) -> RestartOutcome:
    """Start what the plan names, and report each new pipeline and each one that was not restarted.

    Raises CommandError if none was started, or as soon as a start is denied or cannot be confirmed. A start is sent
    only once: a response of 500 may have created the pipeline all the same (recording 10-restart).
    """
    assert snapshot.repo is not None  # noqa: S101 - a plan is made from a snapshot with a repository
    highest_number = max((row.number for row in snapshot.rows), default=0)
    started: list[Pipeline] = []
    problems: list[CommandError] = []
    if isinstance(plan, Rerun):
        problems += map(make_misconfigured_error, plan.misconfigured)
    for parent in plan.runs if isinstance(plan, Rerun) else (None,):
        pending = PendingStart(parent, highest_number, ci.traits.manual_event)
        new = _start(plan, pending, ci, snapshot.repo, clock)
        if isinstance(new, CommandError):
            problems.append(new)
            continue
        _check_commit(new, parent, snapshot)
        text = f"{new.run} restarts {parent}" if parent else f"{new.run} was started manually"
        emit(Log(source="homelab", text=text))
        emit(build_pipeline_event(snapshot.state, new))
        started.append(new)
    if not started:
        raise _worst_problem(problems)
    for problem in problems:
        emit(Log(source="homelab", text=problem.message, level=LogLevel.WARNING))
    return RestartOutcome(tuple(started), tuple(problems))


def add_problems(verdict: Verdict, problems: tuple[CommandError, ...]) -> Verdict:
    """Return the verdict on the started pipelines, or that of the worst problem if it is worse."""
    exit_ = choose_worst_exit((verdict.exit, *(problem.exit for problem in problems)), WORST_FIRST)
    if exit_ is verdict.exit:
        return verdict
    worst = _worst_problem(problems)
    return verdict._replace(exit=exit_, label="", reason=worst.message, hint=worst.hint)


def _worst_problem(problems: Sequence[CommandError]) -> CommandError:
    return min(problems, key=lambda problem: WORST_FIRST.index(problem.exit))


def _start(
    plan: Rerun | StartManually, pending: PendingStart, ci: Provider, repo: Repo, clock: Clock
) -> Pipeline | CommandError:
    """Return the new pipeline, or why nothing was started. Raises CommandError if that is not known, or denied."""
    poll = _send_start(plan, pending.parent, ci, repo)
    if isinstance(poll, NotFound):
        return _make_filtered_error(pending.parent, poll.reason, ci)
    if isinstance(poll, Denied) and poll.exit is ExitCode.REFUSED:
        name = f"{pending.parent} was not restarted" if pending.parent else "no pipeline was started"
        return CommandError(f"{name}: {poll.reason}", hint=poll.hint, exit=poll.exit)
    if isinstance(poll, Found) and poll.value.number <= pending.above_number:
        poll = Unavailable(f"the server returned {poll.value.run}, which is not a new pipeline", FailureKind.BODY)
    if isinstance(poll, Denied):
        raise _explain_denied(poll, ci, repo)
    return poll.value if isinstance(poll, Found) else find_started(poll, ci, repo, pending, clock)


def _send_start(plan: Rerun | StartManually, parent: RunRef | None, ci: Provider, repo: Repo) -> Poll[Pipeline]:
    if isinstance(plan, StartManually):
        return ci.control.start(repo, plan.branch, within=REQUEST_TIMEOUT_S)
    assert parent is not None  # noqa: S101 - a restart names pipelines
    return ci.control.restart(repo, parent, within=REQUEST_TIMEOUT_S)


def _make_filtered_error(parent: RunRef | None, reason: str, ci: Provider) -> CommandError:
    """Return the error for a start to which the server answered that it filtered the pipeline out."""
    event = ci.traits.manual_event
    done = f"{parent} was not restarted" if parent else f"no pipeline was started for the event {event}"
    hint = (
        "check the `when` conditions of the workflows" if parent else f"allow `event: {event}` in a workflow's `when`"
    )
    return CommandError(f"{done}: {reason}", hint=hint, exit=ExitCode.NO_PIPELINE)


def _check_commit(new: Pipeline, parent: RunRef | None, snapshot: CommitSnapshot) -> None:
    """Raise CommandError if the new pipeline builds another commit, as after a push since the branch was read."""
    if new.commit not in snapshot.state.scope.commits:
        own = short_sha(snapshot.state.scope.sha)
        cause = f"although it restarts {parent} of commit {own}" if parent else f"because branch {new.branch} has moved"
        raise CommandError(
            f"{new.run} builds commit {short_sha(new.commit)}, {cause}",
            hint=f"to watch {new.run}, run: homelab-watch {new.commit}",
            exit=ExitCode.NO_PIPELINE,
        )


def _explain_denied(denied: Denied, ci: Provider, repo: Repo) -> CommandError:
    """Return the error for a refused start.

    Woodpecker answers 404 where push access is missing, and also for a repository that is not active; both were
    readable a moment ago, so "unknown" would be a wrong reason.
    """
    if not repo.active:
        return CommandError(
            f"the repository {repo.full_name} is not active in CI",
            hint=f"activate the repository in {ci.traits.name}",
            exit=ExitCode.DENIED,
        )
    if ci.account.can_push(repo, within=REQUEST_TIMEOUT_S) == Found(value=False):
        return CommandError(
            f"the token's owner has no push access to {repo.full_name}, and may not start pipelines",
            hint="ask for push access to the repository",
            exit=ExitCode.DENIED,
        )
    return CommandError(denied.reason, hint=denied.hint, exit=denied.exit)
