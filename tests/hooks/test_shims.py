"""The sh shims under real git: they act on a push that landed, on nothing else, and never harm."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_hooks.demo.workshop import Checkout, Workshop
from homelab_hooks.proc import Done, Processes

HOOKS = Path(__file__).parent.parent.parent / "hooks"


@dataclass(slots=True)
class Desk:
    """A clone with the shims in place, and a `homelab-watch` that writes down how it was called."""

    checkout: Checkout
    watched: Path
    environ: dict[str, str]

    def git(self, *args: str, **more: str) -> Done:
        return Processes({**self.environ, **more}).run(["git", *args], cwd=self.checkout.path, timeout=20)

    def calls(self) -> list[str]:
        return self.watched.read_text().splitlines() if self.watched.exists() else []


@pytest.fixture
def desk(workshop: Workshop, tmp_path: Path) -> Desk:
    programs = tmp_path / "programs"
    programs.mkdir()
    watched = tmp_path / "watched"
    watch = programs / "homelab-watch"
    watch.write_text(f'#!/bin/sh\necho "$@" >>{watched}\necho verdict >&2\nexit "${{WATCH_CODE:-0}}"\n')
    watch.chmod(0o755)
    checkout = workshop.clone("mine", topic="feature")
    (checkout.path / ".git" / "hooks").mkdir(exist_ok=True)
    for hook in HOOKS.iterdir():
        shutil.copy(hook, checkout.path / ".git" / "hooks" / hook.name)
    return Desk(checkout, watched, {**workshop.environ, "PATH": f"{programs}:{workshop.environ['PATH']}"})


def test_a_push_that_landed_is_watched_once(desk: Desk) -> None:
    sha = desk.checkout.commit("a")

    done = desk.git("push", "--quiet", "origin", "HEAD:main")

    assert done.code == 0
    assert desk.calls() == [f"--event push {sha}"]
    assert "verdict" in done.err


def test_a_red_verdict_does_not_change_gits_exit_code(desk: Desk) -> None:
    desk.checkout.commit("a")

    assert desk.git("push", "--quiet", "origin", "HEAD:main", WATCH_CODE="1").code == 0
    assert len(desk.calls()) == 1


def test_an_up_to_date_push_is_silent_also_when_the_last_push_came_before_the_shims(desk: Desk) -> None:
    desk.checkout.commit("a")
    desk.git("-c", "core.hooksPath=/dev/null", "push", "--quiet", "origin", "HEAD:main")

    assert desk.git("push", "origin", "HEAD:main").code == 0

    assert desk.calls() == []


def test_a_fetch_a_gc_and_a_local_commit_are_silent(desk: Desk, workshop: Workshop) -> None:
    desk.checkout.commit("a")
    desk.git("push", "--quiet", "origin", "HEAD:main", HOMELAB_NO_WATCH="1")
    other = workshop.clone("other")
    other.git("push", "--quiet", "origin", f"{other.commit('b')}:refs/heads/main")

    for command in (
        ("fetch", "--quiet"),
        ("gc", "--quiet"),
        ("pack-refs", "--all"),
        ("commit", "--allow-empty", "-m", "x"),
    ):
        assert desk.git(*command).code == 0

    assert desk.calls() == []


def test_a_refused_push_is_silent(desk: Desk, workshop: Workshop) -> None:
    workshop.hook("pre-receive", "exit 1")
    desk.checkout.commit("a")

    assert desk.git("push", "--quiet", "origin", "HEAD:main").code == 1

    assert desk.calls() == []


def test_a_deletion_and_a_tag_are_silent(desk: Desk) -> None:
    desk.git("push", "--quiet", "origin", "HEAD:refs/heads/gone", HOMELAB_NO_WATCH="1")
    desk.git("tag", "v1")

    assert desk.git("push", "--quiet", "origin", ":refs/heads/gone").code == 0
    assert desk.git("push", "--quiet", "origin", "v1").code == 0

    assert desk.calls() == []


def test_one_push_can_be_silenced(desk: Desk) -> None:
    desk.checkout.commit("a")

    desk.git("push", "--quiet", "origin", "HEAD:main", HOMELAB_NO_WATCH="1")

    assert desk.calls() == []


def test_a_push_from_a_linked_worktree_is_watched(desk: Desk) -> None:
    desk.git("worktree", "add", "--quiet", "-b", "other", "../other")
    there = Checkout(desk.checkout.path.parent / "other", desk.environ)
    sha = there.commit("c")

    there.git("push", "--quiet", "origin", "HEAD:main")

    assert desk.calls() == [f"--event push {sha}"]


def test_the_shims_do_no_harm_where_the_program_is_gone(desk: Desk) -> None:
    desk.environ["PATH"] = os.pathsep.join(p for p in desk.environ["PATH"].split(os.pathsep) if "programs" not in p)
    path = ":".join(part for part in desk.environ["PATH"].split(":") if not Path(part, "homelab-watch").exists())
    desk.checkout.commit("a")

    done = desk.git("push", "--quiet", "origin", "HEAD:main", PATH=path)

    assert done.code == 0
    assert desk.git("commit", "--quiet", "--allow-empty", "-m", "x", PATH=path).code == 0


def test_a_post_push_shim_ends_with_the_watchs_code(desk: Desk) -> None:
    sha = desk.checkout.head
    shim = [str(HOOKS / "post-push"), "origin", "https://git.example.test/acme/app.git"]
    line = f"HEAD {sha} refs/heads/main {'0' * 40}\n(delete) {'0' * 40} refs/heads/x {sha}\n"

    done = Processes({**desk.environ, "WATCH_CODE": "7"}).run(shim, stdin=line.encode(), cwd=desk.checkout.path)

    assert done.code == 7
    assert desk.calls() == [f"--event push {sha}"]


def test_every_shim_is_posix_sh() -> None:
    for hook in HOOKS.iterdir():
        text = hook.read_text()
        assert text.startswith("#!/bin/sh\n")
        assert "[[" not in text
        assert Processes(os.environ).run(["sh", "-n", str(hook)]).code == 0
