"""The programs work without standard input, output or error."""

from __future__ import annotations

import subprocess

import pytest

from homelab_hooks.simulators.repositories import Clone
from tests.cli.shell import PROGRAMS
from tests.waiting import HANG_S

pytestmark = pytest.mark.slow  # many processes of git

COMMANDS = ("git-land --no-ci-watch --no-verify --dry-run", "homelab work start {topic}", "homelab hooks status")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_change_no_result(seal: dict[str, str], ann: Clone, closed: str) -> None:
    """Supervisors and cron start programs without them, and a shell with `<&-`."""
    for command in COMMANDS:
        program = f"{PROGRAMS}/{command.format(topic='x')}"
        done = subprocess.run(
            ["sh", "-c", f"exec {program} {closed}"], cwd=ann.path, env=seal, capture_output=True, timeout=HANG_S
        )
        assert (done.returncode, b"internal error" in done.stdout + done.stderr) == (0, False), (command, done)


def test_a_file_does_not_get_the_number_of_a_closed_stream(seal: dict[str, str], ann: Clone) -> None:
    """A hook that git starts would write its messages into it."""
    script = (
        "import os; from homelab_hooks.cli.process import open_missing_streams; open_missing_streams();"
        "raise SystemExit(os.open(os.devnull, os.O_RDONLY) + 10 * os.get_inheritable(1))"
    )
    command = ["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', str(PROGRAMS / "python"), script]
    done = subprocess.run(command, cwd=ann.path, env=seal, timeout=HANG_S)
    assert done.returncode == 13
