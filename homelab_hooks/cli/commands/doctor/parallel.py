"""Runs the checks in parallel, each in its own thread, within one time limit."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from homelab_hooks.errors import CommandError
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.loop import Clock


class DoctorCheck(NamedTuple):
    """One check.

    Args:
        check: its name.
        run: yields the findings.
        no_answer_hint: what to do if it times out.
        exit: the code with which a landing would exit if it times out.
    """

    check: str
    run: Callable[[], Iterable[Finding]]
    no_answer_hint: str
    exit: ExitCode = ExitCode.REFUSED


_Answer = Finding | None


def run_checks(checks: Sequence[DoctorCheck], *, clock: Clock, timeout: float) -> Iterator[Finding]:
    """Yield the findings in the order of the checks; a check that exceeds the time limit is a problem.

    Args:
        timeout: in seconds, for all checks together.
    """
    until = clock.now() + timeout
    for check, answers in [(each, _start_check(each)) for each in checks]:
        while True:
            try:
                finding = answers.get(timeout=max(0.0, until - clock.now()))
            except queue.Empty:
                said = f"no answer within {timeout:g} s"
                yield Finding(check.check, FindingStatus.PROBLEM, said, check.no_answer_hint, check.exit)
                break
            if finding is None:
                break
            yield finding


def _start_check(check: DoctorCheck) -> queue.SimpleQueue[_Answer]:
    """Start the check in a daemon thread; its findings arrive in the queue, then None. A thread that hangs is left."""
    answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()

    def work() -> None:
        try:
            for finding in check.run():
                answers.put(finding)
        except CommandError as problem:
            answers.put(from_error(check.check, problem, exit_=check.exit))
        except Exception as fault:  # noqa: BLE001 - one broken check must not hide the others
            answers.put(
                Finding(
                    check.check,
                    FindingStatus.PROBLEM,
                    f"internal error: {type(fault).__name__}: {fault}",
                    "please report this bug",
                    check.exit,
                )
            )
        finally:
            answers.put(None)

    threading.Thread(target=work, name=check.check, daemon=True).start()
    return answers


def from_error(check: str, problem: CommandError, *, exit_: ExitCode) -> Finding:
    """The error as a finding, with the same message and hint."""
    return Finding(check, FindingStatus.PROBLEM, problem.message, problem.hint, exit_)
