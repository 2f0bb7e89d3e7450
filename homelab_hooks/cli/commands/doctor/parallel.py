"""Runs the checks of the doctor in parallel, within one time limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from homelab_hooks.errors import CommandError
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.loop import Clock
from homelab_hooks.polling.parallel import ItemStream, Produced


class DoctorCheck(NamedTuple):
    """A check: its name, the function that runs it, the hint if it does not end, and the exit code of a problem."""

    check: str
    run: Callable[[], Iterable[Finding]]
    no_answer_hint: str
    exit: ExitCode = ExitCode.REFUSED
    needs: frozenset[str] = frozenset()
    """the checks without which this one cannot ask anything; if one of them has a problem, only that is reported"""
    reports_silence: bool = True
    """whether it is a problem that the check does not end; otherwise another check asks the same server"""


def run_checks(checks: Sequence[DoctorCheck], *, clock: Clock, timeout: float) -> Iterator[Finding]:
    """Yield the findings in the order of the checks; a check that takes longer than `timeout` seconds is a problem.

    The problem of a check that needs another one is not reported beside that one's: it has the same cause, or nothing
    was asked at all.
    """
    until = clock.now() + timeout
    broken: set[str] = set()
    for check, findings in [(each, ItemStream(_producer(each), name=each.check)) for each in checks]:
        causes = check.needs & broken
        for item in findings.items(lambda: until - clock.now()):
            if not isinstance(item, Produced) and not check.reports_silence:
                continue
            found = item.value if isinstance(item, Produced) else _make_unfinished(check, timeout)
            if found.health is FindingStatus.PROBLEM:
                broken.add(check.check)
                if causes:
                    found = Finding(check.check, FindingStatus.SKIPPED, f"not checked, because of: {min(causes)}")
            yield found


def _make_unfinished(check: DoctorCheck, timeout: float) -> Finding:
    evidence = f"no response within {timeout:g} s"
    return Finding(check.check, FindingStatus.PROBLEM, evidence, check.no_answer_hint, check.exit)


def _producer(check: DoctorCheck) -> Callable[[Callable[[Finding], None]], None]:
    """Return a function that runs a check and passes on its findings; an error of the check is a finding too."""

    def produce(put: Callable[[Finding], None]) -> None:
        try:
            for finding in check.run():
                put(finding)
        except CommandError as problem:
            put(from_error(check.check, problem, exit_=check.exit))
        except Exception as fault:  # noqa: BLE001 - one broken check must not hide the others
            evidence = f"internal error: {type(fault).__name__}: {fault}"
            put(Finding(check.check, FindingStatus.PROBLEM, evidence, "please report this bug", check.exit))

    return produce


def make_problem(check: str, evidence: str, remedy: str) -> Finding:
    """Return the finding for a problem that would refuse a landing (20)."""
    return Finding(check, FindingStatus.PROBLEM, evidence, remedy, ExitCode.REFUSED)


def from_error(check: str, problem: CommandError, *, exit_: ExitCode) -> Finding:
    """Return the finding for an error that would refuse a landing, in the same words."""
    return Finding(check, FindingStatus.PROBLEM, problem.message, problem.hint, exit_)
