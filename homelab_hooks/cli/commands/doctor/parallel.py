"""Examines several things side by side, each in a thread of its own, all within one time."""

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
    """What is examined, how, what to do if it does not answer, and the code with which a landing would end then."""

    check: str
    run: Callable[[], Iterable[Finding]]
    no_answer_hint: str
    exit: ExitCode = ExitCode.REFUSED


_Answer = Finding | None


def run_checks(examinations: Sequence[DoctorCheck], *, clock: Clock, patience: float) -> Iterator[Finding]:
    """The findings in the order of the examinations; one that takes longer than `patience` seconds is a problem."""
    until = clock.now() + patience
    for examination, answers in [(each, _start_check(each)) for each in examinations]:
        while True:
            try:
                finding = answers.get(timeout=max(0.0, until - clock.now()))
            except queue.Empty:
                said = f"no answer within {patience:g} s"
                yield Finding(
                    examination.check, FindingStatus.PROBLEM, said, examination.no_answer_hint, examination.exit
                )
                break
            if finding is None:
                break
            yield finding


def _start_check(examination: DoctorCheck) -> queue.SimpleQueue[_Answer]:
    """Begins it; its findings come through a queue, and None at its end. A thread that hangs holds nobody up."""
    answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()

    def work() -> None:
        try:
            for finding in examination.run():
                answers.put(finding)
        except CommandError as problem:
            answers.put(from_error(examination.check, problem, exit_=examination.exit))
        except Exception as fault:  # noqa: BLE001 - one broken examination must not hide the others
            answers.put(
                Finding(
                    examination.check,
                    FindingStatus.PROBLEM,
                    f"a fault of homelab-hooks: {type(fault).__name__}: {fault}",
                    "please report it",
                    examination.exit,
                )
            )
        finally:
            answers.put(None)

    threading.Thread(target=work, name=examination.check, daemon=True).start()
    return answers


def from_error(check: str, problem: CommandError, *, exit_: ExitCode) -> Finding:
    """What a landing would have refused with, as a finding in the same words."""
    return Finding(check, FindingStatus.PROBLEM, problem.message, problem.hint, exit_)
