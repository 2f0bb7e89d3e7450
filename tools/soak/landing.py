"""Landings: the verdict matches the server, no commit is lost, and an interrupted landing can be resumed."""

from __future__ import annotations

import signal

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.git_http import GitFault
from homelab_hooks.simulators.repositories import Clone
from tools.soak import leftovers
from tools.soak.plan import TRUTH, Disk
from tools.soak.scene import LEFT, ProcessResult, Scene
from tools.soak.waits import CUT, again, right

ROUNDS = 6
"""commands after which a landing is to be settled"""
TEXT = "what I did\n"
NOT_LANDED = {2, 20, 21, 22, 23, 24}


def land(scene: Scene) -> None:
    """`git land`, then whatever it takes until it is landed or taken back."""
    carry_out(SoakLanding(scene))


def carry_out(landing: SoakLanding) -> None:
    """Land under faults, settle it without them, and check what is true."""
    scene = landing.scene
    scene.begin()
    ended = landing.run(first=True)
    scene.repair()
    landing.settle(ended)
    landing.check()
    scene.clean()


class SoakLanding:
    """One landing, and what it says."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.plan = scene, scene.plan
        self.clone: Clone = scene.clone
        self.start = self.clone.commit("mine", TEXT)
        self.verified = scene.folder / "verified"
        self.killed = False
        self.theirs: list[str] = []
        match self.plan.other:
            case "before":
                self._push("theirs")
            case "conflict":
                self._push("mine")
            case "race" if scene.forge:
                scene.forge.repo.before_merge = self._race
            case "race":
                scene.git.plan.before_push = self._race
            case _:
                pass

    def _push(self, name: str) -> None:
        self.theirs.append(self.scene.push_to_main(name, "what Bob did\n"))

    def _race(self) -> None:
        self.scene.git.plan.before_push = None
        self._push("theirs")

    def run(self, *, first: bool = False, proceeds: bool = True) -> ProcessResult:
        """One command; its word is true."""
        if first:
            verify = f"git rev-parse 'HEAD^{{tree}}' >>'{self.verified}'; {self.plan.verify}"
            words = ["--strategy", self.plan.strategy, "--verify-cmd", verify]
        else:
            words = ["--continue" if proceeds else "--abort"]
        ended = self.scene.run("git-land", *words, strike=self.plan.strike if first else None)
        self.killed |= ended.code == -signal.SIGKILL
        self._true(ended, first=first)
        return ended

    def _true(self, ended: ProcessResult, *, first: bool) -> None:
        scene, said = self.scene, ended.result
        if ended.code == -signal.SIGKILL or self._before_it_began(ended):
            return
        if said.get("exit") != str(ended.code):
            scene.complain(f"ended with {ended.code}, but said {said or 'nothing'}")
        match said.get("landed"):
            case "yes":
                self._landed(said.get("sha", ""), ended.code, first=first)
            case "no" if self.there:
                scene.complain("said landed=no, but it is there")
            case None if ended.code not in {ExitCode.UNREACHABLE, ExitCode.INTERRUPTED, ExitCode.TERMINATED}:
                scene.complain(f"ended with {ended.code} and did not say whether it landed")
            case _:
                pass
        if said.get("landed") != "yes":
            self._reasonable(ended, first=first)

    def _before_it_began(self, ended: ProcessResult) -> bool:
        if not ended.struck or ended.out:
            return False
        if ended.code not in {code for codes in CUT.values() for code in codes}:
            self.scene.complain(f"cut short, it said nothing and ended with {ended.code}")
        self.scene.ends[-1] += " before it began"
        return True

    def _landed(self, sha: str, code: int, *, first: bool) -> None:
        scene = self.scene
        if not self.on_server(sha):
            scene.complain(f"said landed=yes, but {sha} is not on the target")
        if code in NOT_LANDED:
            scene.complain(f"ended with {code}, and said landed=yes")
        after = right(self.plan) if first else {int(TRUTH[self.plan.ci]), int(ExitCode.OK)}
        after |= self.unwatched
        if code not in after | {ExitCode.INTERRUPTED, ExitCode.TERMINATED}:
            scene.complain(f"landed and ended with {code}, right were {sorted(after)}")

    @property
    def unwatched(self) -> set[int]:
        """The codes after a push that CI was not told about."""
        return set()

    def _reasonable(self, ended: ProcessResult, *, first: bool) -> None:
        if not self.find_causes(ended, first=first).get(ExitCode(ended.code)):
            self.scene.complain(f"ended with {ended.code}, and there was no cause for that")

    def find_causes(self, ended: ProcessResult, *, first: bool) -> dict[ExitCode, bool]:
        """The codes of a landing that has not landed, and whether the plan has a cause for each."""
        plan = self.plan
        return {
            ExitCode.OK: not first,
            ExitCode.REFUSED: not first or bool(plan.rules or plan.outage or plan.disk is not Disk.WELL),
            ExitCode.CONFLICT: plan.other == "conflict",
            ExitCode.VERIFY_FAILED: plan.verify == "exit 1",
            ExitCode.PUSH_FAILED: plan.git is not None or plan.disk is not Disk.WELL,
            ExitCode.UNREACHABLE: plan.git is not None or self.killed or plan.outage is not None,
            # After a lost race, the other's pipeline is waited for, and CI may refuse to say how it does.
            ExitCode.TIMEOUT: plan.other == "race" and bool(plan.rules or plan.outage),
            ExitCode.INTERRUPTED: ended.struck,
            ExitCode.TERMINATED: ended.struck,
        }

    @property
    def there(self) -> bool:
        """Whether what Ann did is on the target."""
        origin = self.scene.workshop.origin
        shown = origin.sha("refs/heads/main:mine")
        return bool(shown) and origin.git("cat-file", "blob", shown) == TEXT.strip()

    def on_server(self, sha: str) -> bool:
        """Whether a commit is on the target."""
        return bool(sha) and sha in self.scene.workshop.origin.git("rev-list", "refs/heads/main").split()

    @property
    def pending(self) -> bool:
        """Whether a landing is written down."""
        return (self.clone.path / ".git/homelab/land.json").exists()

    def settle(self, ended: ProcessResult) -> None:
        """Continue or abort."""
        is_cut = ended.code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED} and ended.result.get("landed") != "no"
        sha = ended.result.get("sha", "") if is_cut else ""
        for number in range(ROUNDS):
            if not self.pending:
                break
            ended = self.run(proceeds=self.plan.proceeds and number < ROUNDS // 2)
            self._unlock(ended)
        else:
            self.scene.complain(f"not settled by {ROUNDS} commands")
        if self.killed:
            leftovers.settled(self.scene.mark, LEFT)
        if ended.result.get("landed") == "yes":  # what was cut off may have been merged once more, and has no pipeline
            sha = sha and ended.result.get("sha", "")
        if sha and self.on_server(sha):
            again(self.scene, sha, self.unwatched)

    def _unlock(self, ended: ProcessResult) -> None:
        """Do what the hint says about the lock of a git that was killed."""
        for lock in (self.clone.path / ".git").rglob("*.lock"):
            if str(lock) in ended.out + ended.err and self.killed:
                leftovers.settled(self.scene.mark, LEFT)
                lock.unlink(missing_ok=True)
                self.scene.transcript.append(f"$ rm {lock}\n")

    def check(self) -> None:
        """Nothing is lost, nothing is half done."""
        scene, clone = self.scene, self.clone
        half = [
            name for name in ("MERGE_HEAD", "rebase-merge", "rebase-apply") if (clone.path / ".git" / name).exists()
        ]
        if half:
            scene.complain(f"half done: {half}")
        if status := clone.git("status", "--porcelain"):
            scene.complain(f"the working tree is not as it was: {status}")
        if clone.sha("refs/heads/topic:mine") != clone.git("rev-parse", f"{self.start}:mine"):
            scene.complain("what Ann did is not on her branch any more")
        there = self.there
        if not (self.has_arrived(clone.head) if there else clone.head == self.start):
            scene.complain(f"the branch is at {clone.head}, began at {self.start}, and landed is {there}")
        for sha in {sha for sha in self.theirs if not self.on_server(sha)}:
            scene.complain(f"Bob's {sha} is lost")
        if there:
            self._was_verified()

    def has_arrived(self, sha: str) -> bool:
        """Whether what is on the branch is on the target."""
        return self.on_server(sha)

    def _was_verified(self) -> None:
        known = self.verified.read_text(encoding="utf-8").split() if self.verified.exists() else []
        tree = self.clone.git("rev-parse", "HEAD^{tree}")
        if tree not in known or self.plan.verify == "exit 1":
            self.scene.complain(f"the tree {tree} was landed and never verified")
        fault = self.plan.git.fault if self.plan.git else None
        if fault is GitFault.LOSE_ANSWER and self.scene.workshop.origin.git("fsck", "--no-dangling"):
            self.scene.complain("the server's repository is damaged")
