"""What the hook shims add to git where they have nothing to do."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from homelab_hooks.simulators.repositories import Clone
from tools.bench.figures import Figure, at_most
from tools.bench.place import ROOT, BenchClone

MANY = 1000
"""refs of one fetch"""


class Pair(NamedTuple):
    """A clone with the shims, and one without."""

    place: BenchClone
    hooked: Clone
    plain: Clone

    def more(self, times: int, *scripts: Sequence[str]) -> float:
        """Median seconds that the last command takes more with the shims; those before it prepare it."""
        found = []
        for _ in range(times):
            for argv in scripts[:-1]:
                for clone in (self.hooked, self.plain):
                    self.place.took(argv, cwd=clone.path)
            took = [self.place.took(scripts[-1], cwd=clone.path) for clone in (self.hooked, self.plain)]
            found.append(took[0] - took[1])
        return statistics.median(found)


def figures(place: BenchClone, times: int) -> Iterator[Figure]:
    """One operation each, then a fetch of many refs."""
    pair = Pair(place, _clone(place, "hooked"), _clone(place, "plain"))
    folder = pair.hooked.path / ".git" / "hooks"
    folder.mkdir(exist_ok=True)
    for name in ("pre-push", "reference-transaction"):
        shutil.copy(ROOT / "hooks" / name, folder / name)
    commit = ["git", "commit", "--quiet", "--allow-empty", "--message", "x"]
    push = ["git", "push", "--quiet", "origin"]
    age = ["sh", "-c", "touch -t 202001010000 .git/logs/refs/remotes/origin/*"]
    operations: dict[str, list[list[str]]] = {
        "git update-ref": [["git", "update-ref", "refs/heads/other", "HEAD"]],
        "git commit": [commit],
        "git push` that is up to date": [push, push],
        "git push --no-verify` that is up to date": [push, age, [*push, "--no-verify"]],
    }
    for name, scripts in operations.items():
        more = pair.more(times, *scripts)
        yield at_most(f"the hook shims, added to one `{name}" + "`" * ("`" not in name), more * 1000, 5, "ms")
    decided = pair.more(times, commit, push)
    yield Figure(
        "the hook shims, added to one `git push` of a branch that is not the target", f"{decided * 1000:.1f} ms"
    )
    yield at_most(f"the hook shims, added to a fetch of {MANY} refs", fetching(pair, max(3, times // 10)), 3, "s")


def _clone(place: BenchClone, name: str) -> Clone:
    """One that makes commits of its own, and pushes to a branch of its own."""
    clone = place.workshop.clone(name)
    clone.git("config", "user.name", name)
    clone.git("config", "remote.origin.push", f"HEAD:refs/heads/{name}")
    return clone


def fetching(pair: Pair, times: int) -> float:
    """Seconds that a fetch of many new refs takes more."""
    server, refs = pair.place.workshop.origin, pair.place.workshop.bare_path / "packed-refs"
    head = server.sha("refs/heads/main")
    branches = "".join(f"{head} refs/heads/many/{number:04}\n" for number in range(MANY))
    server.git("pack-refs", "--all")
    refs.write_text(refs.read_text(encoding="utf-8") + branches, encoding="utf-8")
    forget = ["sh", "-c", "rm -rf .git/refs/remotes/origin/many .git/logs/refs/remotes/origin/many"]
    more = pair.more(times, forget, ["git", "fetch", "--quiet"])
    refs.write_text(refs.read_text(encoding="utf-8").replace(branches, ""), encoding="utf-8")
    return more
