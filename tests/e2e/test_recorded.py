"""A landing on real parts that watches what a real Woodpecker said: the sentence the project exists for.

Real git over http, a real TLS balancer with its own CA through the pinned dial, a real Vault-compatible server, the
real kubectl; the CI answers are recordings, served as they came.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from homelab_hooks.demo.environment import REPO, DemoEnvironment
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.git_http import PushedRef
from homelab_hooks.simulators.kubernetes.rollouts import ScriptedRollout
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.replay import load_recording
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

pytestmark = [pytest.mark.slow, pytest.mark.first]

RECORDINGS = Path(__file__).parent.parent / "recordings" / "woodpecker"


@dataclass(slots=True)
class RecordedScene:
    """The scene, with CI's part played from a recording."""

    scene: DemoEnvironment

    def plays(self, recording: str) -> None:
        """From the push on, CI answers as recorded, for the landed commit."""

        def play(update: PushedRef) -> None:
            self.scene.ci.play(REPO, load_recording(RECORDINGS / f"{recording}.json.gz"), update.new)

        self.scene.after_push = play

    def land(self, *options: str) -> tuple[Completed, str]:
        """`git land`; how it ended and its last line."""
        argv = ["git", "land", "--output", "plain", *options]
        done = ProcessRunner(self.scene.environ).run(argv, cwd=self.scene.my_clone.path, timeout=HANG_S)
        return done, done.out.strip()


@pytest.fixture
def stage() -> Iterator[RecordedScene]:
    with DemoEnvironment(os.environ, timelines.make_no_pipeline(), ScriptedRollout(image_after=0.5)) as scene:
        yield RecordedScene(scene)


def test_a_landing_that_is_green_and_rolled_out_ends_with_0(stage: RecordedScene) -> None:
    stage.plays("02-success")

    done, last = stage.land()

    assert done.code == ExitCode.OK, done.err
    assert last.startswith("homelab: deployed exit=0 sha=")
    assert " landed=yes " in last
    assert stage.scene.repositories.server_commit("main") == stage.scene.my_clone.head


def test_a_landing_whose_ci_is_red_ends_with_1_and_is_landed(stage: RecordedScene) -> None:
    stage.plays("03-failure")

    done, last = stage.land()

    assert done.code == ExitCode.FAILED, done.err
    assert "step boom of workflow woodpecker failed with exit code 3" in done.err
    assert " landed=yes " in last
    assert stage.scene.repositories.server_commit("main") == stage.scene.my_clone.head


def test_a_conflict_ends_with_21_and_nothing_is_pushed(stage: RecordedScene) -> None:
    theirs = stage.scene.push_as_colleague("greeting", "good morning\n")

    done, last = stage.land()

    assert done.code == ExitCode.CONFLICT
    assert "greeting" in done.err
    assert " landed=no " in last
    assert stage.scene.repositories.server_commit("main") == theirs


def test_an_expired_token_ends_with_one_request_before_anything_is_changed(stage: RecordedScene) -> None:
    before = stage.scene.repositories.server_commit("main")
    stage.scene.vault.write("ci/global", {"woodpecker_api_token": "expired-long-ago"})

    done, last = stage.land()

    assert done.code in {ExitCode.DENIED, ExitCode.REFUSED}
    assert " landed=no " in last
    assert [request.path for request in stage.scene.ci.requests] == ["/api/user"]
    assert "expired-long-ago" not in done.out + done.err
    assert stage.scene.repositories.server_commit("main") == before


def test_a_token_that_vault_no_longer_gives_out_names_vault_and_the_remedy(stage: RecordedScene) -> None:
    stage.scene.vault.revoke(stage.scene.environ["VAULT_TOKEN"])

    done, last = stage.land()

    assert done.code == ExitCode.REFUSED
    assert "Vault secret/ci/global" in done.err
    assert "vault login" in done.err
    assert " landed=no " in last


def test_the_token_appears_in_no_output_and_reaches_no_other_server(stage: RecordedScene) -> None:
    stage.plays("02-success")

    done, _ = stage.land("--output", "json")

    assert stage.scene.token not in done.out + done.err
    assert {request.user for request in stage.scene.ci.requests} == {"ann"}


def test_a_person_in_a_linked_worktree_lands_from_there(stage: RecordedScene) -> None:
    stage.plays("02-success")
    mine = stage.scene.my_clone
    mine.git("worktree", "add", "--quiet", "-b", "other", "../other", "feature")
    there = replace(stage)
    there.scene.my_clone = type(mine)(mine.path.parent / "other", stage.scene.environ)

    done, last = there.land("--no-deploy")

    assert done.code == ExitCode.OK, done.err
    assert " landed=yes " in last
