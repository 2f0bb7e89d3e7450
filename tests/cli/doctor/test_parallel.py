"""The checks of the doctor run at the same time; a server that hangs is one cause, however slow the machine is."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.cli.commands.doctor.ci import ci_checks
from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck, run_checks
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.simulators.repositories import Clone
from tests.support.clock import FakeClock
from tests.waiting import HANG_S, wait_until


@pytest.mark.parametrize("ended", [(), ("server",), ("ci",), ("clock",), ("server", "clock"), ("server", "ci")])
def test_a_server_that_hangs_is_one_cause(clone: Clone, seal: dict[str, str], ended: tuple[str, ...]) -> None:
    """Whichever of the checks end in time: `ci` ends with a problem, the others without one."""
    runtime = Runtime({**seal, "WOODPECKER_SERVER": "http://127.0.0.1:9", "WOODPECKER_TOKEN": "t"}, clone.path)
    hanging, clock = threading.Event(), FakeClock()

    def run_as(check: DoctorCheck) -> DoctorCheck:
        def run() -> Iterator[Finding]:
            if check.check not in ended:
                hanging.wait(HANG_S)
            elif check.check == "ci":
                yield Finding("ci", FindingStatus.PROBLEM, "no response within 3.5 s")

        return check._replace(run=run, check=check.check)

    checks = [run_as(check) for check in ci_checks(runtime.config({}), runtime)]
    assert [check.check for check in checks] == ["server", "clock", "ci"]
    first = DoctorCheck("first", lambda: [Finding("first", FindingStatus.OK, "")], "")
    found = run_checks([first, *checks], clock=clock, timeout=HANG_S)
    next(found)
    wait_until(lambda: not {*ended, "first"} & {thread.name for thread in threading.enumerate()})
    clock.time += HANG_S

    problems = [finding.check for finding in found if finding.health is FindingStatus.PROBLEM]
    hanging.set()
    assert len(problems) == 1
