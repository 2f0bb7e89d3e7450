"""The parts of the demo's chain: a push mirror that copies later or never, and a service that changes its commit."""

from __future__ import annotations

import json
import threading
import urllib.request

from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.push_mirror import PushMirror
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.web_service import WebService
from tests.waiting import HANG_S


def test_a_mirror_has_the_branch_and_copies_a_push_after_its_lag(workshop: ScratchRepositories, ann: Clone) -> None:
    copied, commits = threading.Event(), list[str]()

    def on_copied(sha: str) -> None:
        commits.append(sha)
        copied.set()

    target = workshop.folder / "mirror.git"
    with PushMirror(workshop.bare_path, target, workshop.environ, lag_s=0.0) as mirror:
        mirror.on_copied = on_copied
        mirrored = Clone(target, workshop.environ)
        assert mirrored.sha("refs/heads/main") == workshop.server_commit()

        ann.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        mirror.start_copy(ann.head)

        assert copied.wait(HANG_S)
        assert (mirrored.sha("refs/heads/main"), commits) == (ann.head, [ann.head])


def test_a_copy_that_is_still_to_come_is_cancelled_at_the_end(workshop: ScratchRepositories) -> None:
    """Or leaving the environment would wait for it, or a copy begin in a directory that is gone."""
    copied = list[str]()
    for lag_s in (HANG_S, None):
        with PushMirror(workshop.bare_path, workshop.folder / f"{lag_s}.git", workshop.environ, lag_s=lag_s) as mirror:
            mirror.on_copied = copied.append
            mirror.start_copy("a" * 40)
    assert copied == []


def test_a_service_names_the_old_commit_until_the_new_one_is_deployed() -> None:
    clock = SimulatedClock()
    with WebService(now=clock.now, sha="old") as service:
        service.deploy("new", after=6.0)
        seen = []
        for _ in range(2):
            with urllib.request.urlopen(f"{service.url}/version") as answer:  # noqa: S310 - a server of this test
                seen.append(json.loads(answer.read())["commit"])
            clock.sleep(6.0)
    assert seen == ["old", "new"]
