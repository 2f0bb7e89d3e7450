"""What a review found: each test was observed failing before the fix."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import Shell
from tests.waiting import FOREVER

STRAY = f"setsid sh -c 'echo $$ >stray; exec {FOREVER}' & until [ -s stray ]; do sleep 0.01; done"
SOON_S = 3.0
"""seconds in which a shell says its line; the pipe is held open longer, so that they always pass"""


@pytest.mark.slow
@pytest.mark.parametrize(("then", "late"), [(f"exec {FOREVER}", True), ("echo all of it", False)])
def test_a_process_that_leaves_its_group_does_not_hold_the_end_back(tmp_path: Path, *, then: str, late: bool) -> None:
    """It has our pipe, and may live for ever: what the child itself said counts."""
    done = ProcessRunner(os.environ).run(["sh", "-c", f"{STRAY}; {then}"], cwd=tmp_path, timeout=SOON_S)
    os.kill(int((tmp_path / "stray").read_text()), signal.SIGKILL)  # it was there all the time
    assert done.timed_out is late
    assert late or done.out.strip() == "all of it"


@pytest.mark.slow
@pytest.mark.parametrize("proxy", ["ann:secretpw123@127.0.0.1:9", "socks9://ann:secretpw123@127.0.0.1:9"])
def test_a_proxys_password_is_never_shown(seal: dict[str, str], workshop: ScratchRepositories, proxy: str) -> None:
    shell = Shell(seal, workshop.clone("ann", branch="topic").path, {
        "HTTPS_PROXY": proxy, "WOODPECKER_SERVER": "https://ci.example.test", "WOODPECKER_TOKEN": "abcdefghijk",
        "HOMELAB_CI_REPO": "acme/app",
    })  # fmt: skip
    for command in (("homelab", "doctor"), ("homelab", "ci", "status")):
        done = shell(*command)
        assert "secretpw123" not in done.out + done.err
        assert "proxy" in done.err


@pytest.mark.slow
def test_a_proxys_password_is_shown_by_no_verification(seal: dict[str, str], workshop: ScratchRepositories) -> None:
    clone = workshop.clone("ann", branch="topic")
    clone.commit("a")
    shell = Shell(seal, clone.path, {"HTTPS_PROXY": "http://ann:secretpw123@127.0.0.1:9"})
    done = shell("git-land", "--no-ci-watch", "--verify-cmd", 'echo "${HTTPS_PROXY#*ann:}"; false')
    assert done.code == 22, done.err
    assert "verify | ***@127.0.0.1:9" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("argv", [("doctor",), ("ci", "status")], ids=" ".join)
def test_not_even_a_short_one(seal: dict[str, str], workshop: ScratchRepositories, argv: tuple[str, ...]) -> None:
    """The password is too short to be searched for in texts, and without a scheme the value is not seen as a URL."""
    more = {"HTTPS_PROXY": "ann:pw1@127.0.0.1:9", "WOODPECKER_TOKEN": "abcdefghijk", "HOMELAB_CI_REPO": "acme/app"}
    shell = Shell(seal, workshop.clone("ann", branch="topic").path, more)
    done = shell("homelab", *argv, "--server", "https://ci.example.test")
    assert "proxy" in done.err
    assert "pw1" not in done.out + done.err


@pytest.mark.slow
def test_a_push_option_reaches_the_server_as_it_was_given(seal: dict[str, str], workshop: ScratchRepositories) -> None:
    clone = workshop.clone("ann", branch="topic")
    clone.commit("a")
    workshop.origin.git("config", "receive.advertisePushOptions", "true")
    workshop.write_hook("pre-receive", f'echo "$GIT_PUSH_OPTION_0" >{workshop.folder}/option')
    option = "note=https://me@h.example.test/x"
    done = Shell(seal, clone.path)("git-land", "--no-ci-watch", "--no-verify", "-o", option)
    assert done.code == 0, done.err
    assert (workshop.folder / "option").read_text().strip() == option


@pytest.mark.slow
def test_a_vault_that_is_out_of_reach_is_not_a_missing_token(
    seal: dict[str, str], workshop: ScratchRepositories
) -> None:
    """It may have one: a network failure is not reported as a wrong setting."""
    settings = {"VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": "hvs.nothing", "HOMELAB_CI_REPO": "acme/app"}
    shell = Shell(seal, workshop.clone("ann").path, {**settings, "WOODPECKER_SERVER": "https://ci.example.test"})
    for command in (["homelab", "ci", "status"], ["homelab-watch", "--unreachable-timeout", "0.3s"]):
        done = shell(*command)
        assert done.code == 8, done.err
        assert "cannot obtain the CI token now: Vault" in done.err
        assert "no response (Connection refused)" in done.err
