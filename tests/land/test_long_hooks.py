"""A pre-push hook that runs longer than the connection to the server is kept open."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from homelab_hooks.events import Event, Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.request import LandingDependencies, LandRequest, VerifyCommand
from homelab_hooks.land.run import land_branch
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.land.conftest import RecordedEvents
from tests.support.clock import FakeClock


@pytest.mark.parametrize(("seconds", "runs"), [(5.0, 3), (95.0, 1)], ids=["short", "long"])
def test_a_push_whose_hook_outlasts_the_connection_is_not_repeated(  # noqa: PLR0917 - fixtures
    workshop: ScratchRepositories,
    ann: Clone,
    parts: Callable[..., LandingDependencies],
    clock: FakeClock,
    events: RecordedEvents,
    seconds: float,
    runs: int,
) -> None:
    """The server, here the process behind ssh, is gone when the hook has ended."""
    pid, ran = workshop.folder / "pid", workshop.folder / "ran"
    ssh = workshop.write_hook("ssh", f'echo $$ >{pid}\neval "exec $2"', where=workshop.folder / "bin")
    ann.git("config", "core.sshCommand", str(ssh))
    ann.git("config", "ssh.variant", "simple")
    ann.git("remote", "set-url", "origin", f"server:{workshop.bare_path}")
    workshop.write_hook(
        "pre-push", f"echo checking >&2; echo >>{ran}; kill -9 $(cat {pid})", where=ann.path / ".git/hooks"
    )

    def tell(event: Event) -> None:
        events(event)
        if isinstance(event, Log) and event.text == "checking":
            clock.time += seconds

    request = LandRequest(verify=VerifyCommand("true", "told"))
    verdict = land_branch(request, parts(ann, tell=tell))

    assert verdict.exit is ExitCode.PUSH_FAILED, verdict
    assert len(ran.read_text().splitlines()) == runs
    assert ("a pre-push hook that outlasts the connection would again" in verdict.reason) == (runs == 1), verdict
    assert verdict.landed is False
