"""What the hook shims add to git where they have nothing to do."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from homelab_hooks.simulators.repositories import Clone
from tools.bench.figures import Figure
from tools.bench.place import ROOT, BenchClone

SHIMS = ("pre-push", "reference-transaction")
MANY = 1000
"""refs of one fetch"""


class Added(NamedTuple):
    """Median seconds that hooks add to a command: the shims, and an empty `sh` script as the same hooks."""

    shims: float
    empty: float


class HookedClones(NamedTuple):
    """A clone with the shims, one with empty hooks, and one without hooks."""

    place: BenchClone
    shims: Clone
    empty: Clone
    plain: Clone

    def added(self, times: int, *scripts: Sequence[str]) -> Added:
        """Measure the last command; those before it prepare it."""
        clones = (self.shims, self.empty, self.plain)
        found = []
        for _ in range(times):
            for argv in scripts[:-1]:
                for clone in clones:
                    self.place.took(argv, cwd=clone.path)
            took = [self.place.took(scripts[-1], cwd=clone.path) for clone in clones]
            found.append((took[0] - took[2], took[1] - took[2]))
        return Added(*(statistics.median(column) for column in zip(*found, strict=True)))


def figures(place: BenchClone, times: int) -> Iterator[Figure]:
    """One operation each, then a fetch of many refs."""
    clones = HookedClones(place, *(_clone(place, name) for name in ("shims", "empty", "plain")))
    for name in SHIMS:
        for clone in (clones.shims, clones.empty):
            (clone.path / ".git" / "hooks").mkdir(exist_ok=True)
        shutil.copy(ROOT / "hooks" / name, clones.shims.path / ".git" / "hooks" / name)
        empty = clones.empty.path / ".git" / "hooks" / name
        empty.write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
        empty.chmod(0o755)
    commit = ["git", "commit", "--quiet", "--allow-empty", "--message", "x"]
    push = ["git", "push", "--quiet", "origin"]
    age = ["sh", "-c", "touch -t 202001010000 .git/logs/refs/remotes/origin/*"]
    operations: dict[str, list[list[str]]] = {
        "`git update-ref`": [["git", "update-ref", "refs/heads/other", "HEAD"]],
        "`git commit`": [commit],
        "`git push` that is up to date": [push, push],
        "`git push --no-verify` that is up to date": [push, age, [*push, "--no-verify"]],
    }
    for name, scripts in operations.items():
        yield _figure(f"one {name}", clones.added(times, *scripts), 1.5)
    decided = clones.added(times, commit, push)
    yield _figure("one `git push` of a branch that is not the target", decided, None)
    yield _figure(f"a fetch of {MANY} refs", fetching(clones, max(3, times // 10)), 1.2)


def _figure(what: str, added: Added, most: float | None) -> Figure:
    """Shims and empty hooks in milliseconds, and how they compare."""
    times = added.shims / added.empty if added.empty > 0 else float("inf")
    found = f"{times:.1f} times empty `sh` hooks ({added.shims * 1000:.1f} ms and {added.empty * 1000:.1f} ms)"
    what = f"the hook shims, added to {what}"
    return Figure(what, found) if most is None else Figure(what, found, f"{most:g} times", times <= most)


def _clone(place: BenchClone, name: str) -> Clone:
    """One that makes commits of its own, and pushes to a branch of its own."""
    clone = place.workshop.clone(name)
    clone.git("config", "user.name", name)
    clone.git("config", "remote.origin.push", f"HEAD:refs/heads/{name}")
    return clone


def fetching(clones: HookedClones, times: int) -> Added:
    """What the hooks add to a fetch of many new refs."""
    server, refs = clones.place.workshop.origin, clones.place.workshop.bare_path / "packed-refs"
    head = server.sha("refs/heads/main")
    branches = "".join(f"{head} refs/heads/many/{number:04}\n" for number in range(MANY))
    server.git("pack-refs", "--all")
    refs.write_text(refs.read_text(encoding="utf-8") + branches, encoding="utf-8")
    forget = ["sh", "-c", "rm -rf .git/refs/remotes/origin/many .git/logs/refs/remotes/origin/many"]
    added = clones.added(times, forget, ["git", "fetch", "--quiet"])
    refs.write_text(refs.read_text(encoding="utf-8").replace(branches, ""), encoding="utf-8")
    return added
