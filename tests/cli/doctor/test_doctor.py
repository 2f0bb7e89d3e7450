"""The doctor where all is well, and its manners."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck, run_checks
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.simulators.balancer import LoadBalancer
from homelab_hooks.simulators.faults import FaultPoint, FaultRule, Hang
from homelab_hooks.system.clock import SystemClock
from tests.cli.doctor.conftest import DoctorSandbox
from tests.views.schema import objects
from tests.waiting import FOREVER, HANG_S

pytestmark = pytest.mark.slow


def test_where_all_is_well_a_landing_would_work(sandbox: DoctorSandbox) -> None:
    sandbox.set("homelab.deploy", "shop/web")
    with LoadBalancer(sandbox.woodpecker.url, path=sandbox.shell.environ["PATH"]) as balancer:
        sandbox.shell.more.update(
            WOODPECKER_SERVER=balancer.url, HOMELAB_CI_DIAL=balancer.dial, SSL_CERT_FILE=str(balancer.ca_file)
        )
        done = sandbox.examine()
    assert done.code == 0, done.err
    assert done.lines == [done.out.strip()]
    for said in (
        "ok identity     Ann Example <ann@example.test>",
        "ok verification `true` from environment HOMELAB_VERIFY",
        "ok remote       origin: ",
        "ok token        from WOODPECKER_TOKEN",
        f"responds at 127.0.0.1:{balancer.port} (dial ",
        "ok certificate  issued by ",
        "ok user         authenticated as alice",
        "ok repository   acme/app is active in CI; the token can restart pipelines, can read the queue",
        "!  cancelling   a push cancels running push pipelines; git land waits if",
        "-> git config homelab.whenBusy wait; ",
        "ok shop/web     running ",
        "git land can run",
    ):
        assert said in done.err
    assert "alice-token" not in done.out + done.err


def test_a_landing_that_cannot_ask_ci_names_the_server_and_the_dial(sandbox: DoctorSandbox) -> None:
    said = sandbox.shell("git-land", HOMELAB_CI_DIAL="127.0.0.1:9").err
    assert f"cannot reach CI at {sandbox.woodpecker.url} (127.0.0.1:9): Connection refused" in said


def test_it_says_of_the_hooks_what_hooks_status_says(sandbox: DoctorSandbox) -> None:
    assert sandbox.shell("homelab", "hooks", "install").code == 0
    assert "ok hooks        CI is watched after a plain git push" in sandbox.examine().err
    sandbox.set("homelab.postPush", "off")
    off = "nothing happens (homelab.postPush is off)"
    assert off in sandbox.shell("homelab", "hooks", "status").err
    said = sandbox.examine().err
    assert off in said
    assert "a plain git push is watched" not in said


def test_the_json_has_a_finding_for_each_and_keeps_to_the_schema(sandbox: DoctorSandbox) -> None:
    sandbox.shell.more["WOODPECKER_TOKEN"] = "old-token-1"
    done = sandbox.examine("--json")
    told = objects(done.lines)
    found = {each["check"]: each for each in told if each["event"] == "finding"}
    assert found["git"]["health"] == "ok"
    assert (found["ci"]["health"], found["ci"]["exit"]) == ("problem", 20)
    assert "cli-and-api" in found["ci"]["remedy"]
    assert (told[-1]["event"], told[-1]["exit"], done.code) == ("result", 20, 20)
    assert done.err == ""


def test_a_landing_refuses_in_the_doctors_words(sandbox: DoctorSandbox) -> None:
    """The same finding, the same remedy."""
    sandbox.shell.more["WOODPECKER_TOKEN"] = "old-token-1"
    found = [json.loads(line) for line in sandbox.examine("--json").lines]
    problem = next(each for each in found if each.get("health") == "problem")
    refused = sandbox.shell("git-land", "--output", "json")
    assert refused.code == problem["exit"]
    last = json.loads(refused.lines[-1])
    assert (last["reason"], last["hint"]) == (problem["evidence"], problem["remedy"])


def test_examinations_run_side_by_side() -> None:
    """Each of these waits for the others: one after the other, none would ever answer."""
    together = threading.Barrier(3)

    def examine() -> Iterator[Finding]:
        together.wait(HANG_S)
        yield Finding("one", FindingStatus.OK, "seen")

    each = DoctorCheck("one", examine, "")
    found = list(run_checks([each] * 3, clock=SystemClock(), timeout=HANG_S))
    assert [one.evidence for one in found] == ["seen"] * 3


def test_a_check_that_waits_for_one_without_end_is_not_judged() -> None:
    """A server that was never asked is not one without a response."""
    over = threading.Event()

    def wait() -> Iterator[Finding]:
        over.wait()
        yield Finding("never", FindingStatus.OK, "seen")

    checks = [DoctorCheck("token", wait, "set it"), DoctorCheck("ci", wait, "run curl", needs=frozenset({"token"}))]
    found = list(run_checks(checks, clock=SystemClock(), timeout=0.05))
    over.set()
    assert [(one.check, one.health) for one in found] == [
        ("token", FindingStatus.PROBLEM), ("ci", FindingStatus.SKIPPED)
    ]  # fmt: skip


def test_a_token_that_does_not_come_leaves_the_server_judged(sandbox: DoctorSandbox) -> None:
    del sandbox.shell.more["WOODPECKER_TOKEN"]
    sandbox.set("credential.helper", f"!exec {FOREVER}")

    done = sandbox.examine()

    health = {line[3:16].strip(): line[:2].strip() for line in done.err.splitlines() if line[:2].strip()}
    assert (health["token"], health["server"]) == ("x", "ok")
    assert [name for name, mark in health.items() if mark == "x"] == ["token"]


def test_broken_things_hold_nothing_up(sandbox: DoctorSandbox) -> None:
    """Each of them would hang for longer than a test may last."""
    sandbox.woodpecker.fail(FaultRule(fault=Hang(FaultPoint.BEFORE)))
    sandbox.set("homelab.deploy", "shop/web", "shop/other")
    sandbox.program("kubectl", f"exec {FOREVER}")
    sandbox.program(
        "git",
        f'case " $* " in *" ls-remote "*) exec {FOREVER};; esac; PATH={sandbox.shell.environ["PATH"]} exec git "$@"',
    )
    sandbox.shell.more["VAULT_ADDR"] = sandbox.woodpecker.url
    sandbox.shell.more["VAULT_TOKEN"] = "hvs.nothing"

    done = sandbox.examine()

    assert done.code == 20
    assert sum("no response within" in line or "did not come back" in line for line in done.err.splitlines()) >= 3


def test_outside_a_repository_the_rest_is_examined_all_the_same(sandbox: DoctorSandbox) -> None:
    done = sandbox.shell("homelab", "doctor", at=sandbox.workshop.folder)
    assert done.code == 20
    assert "not in a git working tree" in done.err
    assert "ok repository   acme/app is active in CI" in done.err
    assert "not in a git working tree" in done.err
    assert "ok repository   acme/app is active in CI" in done.err
