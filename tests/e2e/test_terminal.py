r"""Landings as they look in a terminal: what was typed, how it ended, and the target's graph afterwards.

`ann$ commit a` writes the file `a` and commits it, `ann$ write a text` only writes it; `git land` leaves CI out and
verifies with `true` unless it is told. `=>` is the result line, the lines under `graph` are the target's history.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import PROGRAMS, CommandResult
from tests.waiting import HANG_S

pytestmark = pytest.mark.slow

SCENES = {
    "a branch on top of the target is landed as it is": r"""
        ann$ git switch -c topic
        ann$ commit a
        ann$ git land
        => landed exit=0 landed=yes
        graph
        * add a
        * begin
        """,
    "where the target has moved, the two are merged on the branch": r"""
        ann$ git switch -c topic
        ann$ commit a
        bob$ commit b
        bob$ git push
        ann$ git land
        => landed exit=0 landed=yes
        graph
        *   Merge remote-tracking branch 'origin/main' into topic
        |\
        | * add b
        * | add a
        |/
        * begin
        """,
    "a rebase keeps history straight": r"""
        ann$ git switch -c topic
        ann$ commit a
        ann$ commit a2
        bob$ commit b
        bob$ git push
        ann$ git land --strategy rebase
        => landed exit=0 landed=yes
        graph
        * add a2
        * add a
        * add b
        * begin
        """,
    "only a fast-forward was asked for, and none is possible": r"""
        ann$ git switch -c topic
        ann$ commit a
        bob$ commit b
        bob$ git push
        ann$ git land --strategy ff-only
        => conflict exit=21 landed=no
        graph
        * add b
        * begin
        """,
    "a conflict is resolved and gone on with": r"""
        ann$ git switch -c topic
        ann$ write same mine
        ann$ git add same
        ann$ git commit -m mine
        bob$ write same theirs
        bob$ git add same
        bob$ git commit -m theirs
        bob$ git push
        ann$ git land
        => conflict exit=21 landed=no
        ann$ git land
        => refused exit=20 landed=no
        ann$ write same both
        ann$ git add same
        ann$ git land --continue
        => landed exit=0 landed=yes
        graph
        *   Merge remote-tracking branch 'origin/main' into topic
        |\
        | * theirs
        * | mine
        |/
        * begin
        """,
    "a conflict is taken back": r"""
        ann$ git switch -c topic
        ann$ write README mine
        ann$ git commit -am mine
        bob$ write README theirs
        bob$ git commit -am theirs
        bob$ git push
        ann$ git land
        => conflict exit=21 landed=no
        ann$ git land --abort
        => ok exit=0 landed=no
        graph
        * theirs
        * begin
        """,
    "what fails its verification stays off the target, is fixed, and is landed": r"""
        ann$ git switch -c topic
        ann$ commit a
        ann$ git land --verify-cmd 'test -e tested'
        => verify-failed exit=22 landed=no
        ann$ commit tested
        ann$ git land --verify-cmd 'test -e tested'
        => landed exit=0 landed=yes
        graph
        * add tested
        * add a
        * begin
        """,
    "another push lands during the verification": r"""
        ann$ git switch -c topic
        ann$ commit a
        bob$ commit b
        ann$ git land --verify-cmd 'cd ../bob; git push -q || test $? = 1'
        => landed exit=0 landed=yes
        graph
        *   Merge remote-tracking branch 'origin/main' into topic
        |\
        | * add b
        * | add a
        |/
        * begin
        """,
    "the server refuses the push": r"""
        ann$ git switch -c topic
        ann$ commit a
        server$ hook pre-receive exit 1
        ann$ git land
        => push-failed exit=24 landed=no
        graph
        * begin
        """,
    "a protected target gets the branch": r"""
        ann$ git switch -c topic
        ann$ commit a
        server$ hook update [ $1 = refs/heads/topic ] || { echo 'error: GH006: Protected branch' >&2; exit 1; }
        ann$ git land
        => protected exit=23 landed=no
        graph
        * begin
        """,
    "nothing was done yet": r"""
        ann$ git switch -c topic
        ann$ git land
        => nothing exit=0 landed=no
        graph
        * begin
        """,
    "uncommitted changes are kept, and not landed": r"""
        ann$ git switch -c topic
        ann$ commit a
        ann$ write a changed
        ann$ git land
        => refused exit=20 landed=no
        ann$ git stash
        ann$ git land
        => landed exit=0 landed=yes
        ann$ git stash drop
        graph
        * add a
        * begin
        """,
    "on the target itself, and on no branch at all": r"""
        ann$ commit a
        ann$ git land
        => refused exit=20 landed=no
        ann$ git switch --detach
        ann$ git land
        => refused exit=20 landed=no
        graph
        * begin
        """,
    "a task in a worktree of its own, from its start to its end": r"""
        ann$ homelab work start fix
        ann/.worktrees/fix$ commit a
        bob$ commit b
        bob$ git push
        ann/.worktrees/fix$ git land
        => landed exit=0 landed=yes
        ann$ homelab work clean fix
        graph
        *   Merge remote-tracking branch 'origin/main' into ann/fix
        |\
        | * add b
        * | add a
        |/
        * begin
        """,
}


@dataclass
class TranscriptPlayer:
    """Plays a scene."""

    workshop: ScratchRepositories
    ended: CommandResult | None = None

    def line(self, text: str) -> None:
        """One line of a scene: something typed, or how it is to have ended."""
        if text.startswith("=> "):
            assert self.ended is not None
            found = self.ended.result
            assert f"{found['verdict']} exit={found['exit']} landed={found['landed']}" == text[3:], self.ended
            return
        who, _, typed = text.partition("$ ")
        if who == "server":
            _, name, script = typed.split(" ", 2)
            self.workshop.write_hook(name, script)
            return
        self.typed(Clone(self.workshop.folder / who, self.workshop.environ), typed)

    def typed(self, clone: Clone, text: str) -> None:
        """A command in a person's clone."""
        words = shlex.split(text)
        match words:
            case ["commit", name]:
                clone.commit(name)
            case ["write", name, content]:
                clone.write(name, f"{content}\n")
            case ["git", "land", *options]:
                self.land(clone, options)
            case ["homelab", *options]:
                assert self.run(clone, "homelab", *options).code == 0
            case ["git", *options]:
                clone.git(
                    options[0], *(["--quiet"] if options[0] in {"switch", "commit", "push"} else []), *options[1:]
                )
            case _:
                raise AssertionError(text)

    def land(self, clone: Clone, options: list[str]) -> None:
        """`git land`, and what holds after every one."""
        verify = [] if "--verify-cmd" in options else ["--verify-cmd", "true"]
        before, dirt, target = clone.head, status(clone), self.workshop.server_commit()
        self.ended = self.run(clone, "git-land", "--output", "plain", "--no-ci-watch", *verify, *options)
        there, landed = self.workshop.server_commit(), self.ended.result["landed"] == "yes"
        assert self.workshop.origin.git("merge-base", target, there) == target, "only ever fast-forwarded"
        assert (there != target) == landed
        if landed:
            assert (there, clone.head) == (self.ended.result["sha"], there)
        elif self.ended.code != 21:
            assert (clone.head, status(clone)) == (before, dirt) or "--abort" in options

    def run(self, clone: Clone, program: str, *options: str) -> CommandResult:
        """One of our commands."""
        done = ProcessRunner(self.workshop.environ).run(
            [str(PROGRAMS / program), *options], cwd=clone.path, timeout=HANG_S
        )
        return CommandResult(done.code, done.out, done.err)


def status(clone: Clone) -> str:
    return clone.git("status", "--porcelain", "--untracked-files=no")


def left(clone: Clone) -> list[str]:
    """Files that must not remain afterwards."""
    own = clone.path / ".git"
    odd = [ref for ref in clone.git("for-each-ref", "--format=%(refname)").split() if ref.split("/")[1] not in KNOWN]
    files = [str(path) for path in own.rglob("*") if path.suffix == ".lock" and path.name != "land.lock"]
    files += [str(path) for path in own.rglob("homelab/*") if path.name != "land.lock"]
    trees = clone.git("worktree", "list").splitlines()[1:]
    return [*odd, *files, *trees]


KNOWN = {"heads", "remotes", "tags"}


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_ends_as_written(workshop: ScratchRepositories, name: str) -> None:
    ann, _ = workshop.clone("ann"), workshop.clone("bob")
    terminal = TranscriptPlayer(workshop)
    lines = [line[8:].rstrip() for line in SCENES[name].splitlines()[1:-1]]
    typed, graph = lines[: lines.index("graph")], lines[lines.index("graph") + 1 :]
    for line in typed:
        terminal.line(line)

    drawn = workshop.origin.git("log", "--graph", "--format=%s", "main")
    assert [line.rstrip() for line in drawn.splitlines()] == graph
    assert ann.git("status", "--porcelain") == ""
    assert left(ann) == []
