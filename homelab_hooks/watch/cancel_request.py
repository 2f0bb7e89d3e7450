"""Cancels pipelines, and confirms that they are cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, Repo, Status
from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S, Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log, LogLevel
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.loop import Clock, poll_until_decided
from homelab_hooks.polling.outcome import Found, Poll
from homelab_hooks.watch.cancel_plan import CancelProgress, decide_cancel


class CancelOutcome(NamedTuple):
    """The pipelines that were cancelled, those that had ended before, and why others were not."""

    cancelled: tuple[Pipeline, ...] = ()
    ended: tuple[Pipeline, ...] = ()
    problems: tuple[CommandError, ...] = ()


def cancel_pipelines(
    rows: tuple[Pipeline, ...], ci: Provider, repo: Repo, *, clock: Clock, emit: Callable[[Event], None]
) -> CancelOutcome:
    """Cancel each pipeline, and report what became of it."""
    outcome = CancelOutcome()
    for row in rows:
        progress = _cancel(row, ci, repo, clock)
        if progress.was_cancelled:
            emit(Log(source="homelab", text=f"{row.run} was cancelled"))
            outcome = outcome._replace(cancelled=(*outcome.cancelled, _as_cancelled(row, progress)))
        elif progress.was_cancelled is False:
            emit(Log(source="homelab", text=f"{row.run} had already ended: {progress.status}"))
            outcome = outcome._replace(ended=(*outcome.ended, row))
        else:
            problem = _make_problem(progress, ci, repo)
            emit(Log(source="homelab", text=problem.message, level=LogLevel.WARNING))
            outcome = outcome._replace(problems=(*outcome.problems, problem))
    return outcome


def _cancel(row: Pipeline, ci: Provider, repo: Repo, clock: Clock) -> CancelProgress:
    def fetch(progress: CancelProgress) -> Poll[bool | Pipeline]:
        if progress.must_send:
            return ci.control.cancel(repo, row.run, within=REQUEST_TIMEOUT_S)
        return ci.runs.pipeline(repo, row.run, within=REQUEST_TIMEOUT_S)

    return poll_until_decided(
        CancelProgress(row.run), fetch=fetch, decide=decide_cancel, emit=lambda _: None, clock=clock
    )


def _as_cancelled(row: Pipeline, progress: CancelProgress) -> Pipeline:
    """Return the row with its new status: Woodpecker's is `canceled` if nothing had run, otherwise `killed`."""
    status = Status.KILLED if row.status is Status.RUNNING else Status.CANCELED
    return row._replace(status=status, raw_status=progress.status)


def _make_problem(progress: CancelProgress, ci: Provider, repo: Repo) -> CommandError:
    denied = progress.denied
    if denied is None:
        return CommandError(
            f"the cancel of {progress.run} was not confirmed: {progress.reason}",
            hint="to check, run: homelab ci status",
            exit=ExitCode.UNREACHABLE,
        )
    if ci.account.can_push(repo, within=REQUEST_TIMEOUT_S) == Found(value=False):
        return CommandError(
            f"{progress.run} was not cancelled: the token's owner has no push access to {repo.full_name}",
            hint="ask for push access to the repository",
            exit=ExitCode.DENIED,
        )
    return CommandError(f"{progress.run} was not cancelled: {denied.reason}", hint=denied.hint, exit=denied.exit)
