"""Reverts: the last line is true about what is on the target, and the work of the user does not move."""

from __future__ import annotations

import signal
from pathlib import Path

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.repositories import Clone
from tools.soak import leftovers
from tools.soak.landing import ROUNDS, TEXT
from tools.soak.plan import TRUTH
from tools.soak.scene import LEFT, ProcessResult, Scene
from tools.soak.waits import CUT, right

FAILED_ROLLOUT = "#!/bin/sh\n[ ! -e mine ] || exit 9\n"
"""the repository's post-push hook: the commit that adds `mine` cannot be rolled out"""


def revert(scene: Scene) -> None:
    """`git land --revert`, or a landing that takes itself back, then whatever it takes until that is settled."""
    reverting = _Reverting(scene)
    scene.begin()
    ended = reverting.first()
    scene.repair()
    reverting.settle(ended)
    reverting.check()
    scene.clean(killed=reverting.killed)


class _Reverting:
    def __init__(self, scene: Scene) -> None:
        self.scene, self.plan, self.clone = scene, scene.plan, scene.clone
        self.theirs: list[str] = []
        self.killed = False
        if self.plan.other == "before":
            self._push("theirs")
        self.mine = self.clone.commit("mine", TEXT)
        if self.plan.fails:
            hook = Path(self.clone.path) / ".git/hooks/post-push"
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(FAILED_ROLLOUT, encoding="utf-8")
            hook.chmod(0o755)
        else:
            self._have_landed()
        if self.plan.other == "race" and scene.forge:
            scene.forge.repo.before_merge = self._race
        elif self.plan.other == "race":
            scene.git.plan.before_push = self._race
        self.head, self.branch = self.clone.head, self.clone.git("branch", "--show-current")

    def _have_landed(self) -> None:
        """The commit is on main; Bob may have changed its file since."""
        self.clone.git("fetch", "--quiet", "origin")
        if self.plan.other == "before":
            self.clone.git("merge", "--quiet", "--no-edit", "origin/main")
            self.mine = self.clone.head
        self.clone.git("push", "--quiet", "origin", "HEAD:main")
        if self.plan.other == "conflict":
            self.theirs.append(self.scene.push_to_main("mine", "what Bob made of it\n"))

    def _push(self, name: str) -> None:
        self.theirs.append(self.scene.push_to_main(name, "what Bob did\n"))

    def _race(self) -> None:
        self.scene.git.plan.before_push = None
        self._push("raced")

    @property
    def there(self) -> bool:
        """Whether the file is on the target."""
        return bool(self.scene.workshop.origin.sha("refs/heads/main:mine"))

    def on_server(self, sha: str) -> bool:
        """Whether a commit is on the target."""
        return bool(sha) and sha in self.scene.workshop.origin.git("rev-list", "refs/heads/main").split()

    @property
    def forbidden(self) -> bool:
        """Whether nothing can land, however often it is tried."""
        main = self.plan.main
        return self.plan.verify == "exit 1" or bool(main and main.forbids)

    def first(self) -> ProcessResult:
        """The command under faults."""
        words = ["--on-failure", "revert"] if self.plan.fails else ["--revert", self.mine]
        return self._run(*words, "--verify-cmd", self.plan.verify, first=True)

    def _run(self, *words: str, first: bool = False, cwd: Path | None = None) -> ProcessResult:
        strike = self.plan.strike if first else None
        ended = self.scene.run("git-land", *words, strike=strike, cwd=cwd)
        self.killed |= ended.code == -signal.SIGKILL
        self._true(ended, words[0], first=first, takes_back=bool(cwd) or words[0] == "--revert")
        return ended

    def _true(self, ended: ProcessResult, word: str, *, first: bool, takes_back: bool) -> None:
        scene, said = self.scene, ended.result
        if ended.code == -signal.SIGKILL or self._before_it_began(ended):
            return
        if said.get("exit") != str(ended.code):
            scene.complain(f"ended with {ended.code}, but said {said or 'nothing'}")
        is_reverted = self.on_server(self.mine) and not self.there
        match said.get("landed"):
            case "yes" if takes_back and not is_reverted:
                scene.complain("said that the revert landed, but the file is there")
            case "no" if takes_back and first and is_reverted:
                scene.complain("said landed=no, but it was taken back")
            case "yes" if not self.on_server(said.get("sha", "")):
                scene.complain(f"said landed=yes, but {said.get('sha')} is not on the target")
            case None if ended.code not in {ExitCode.UNREACHABLE, ExitCode.INTERRUPTED, ExitCode.TERMINATED}:
                scene.complain(f"ended with {ended.code} and did not say whether it landed")
            case _:
                pass
        if word == "--abort" and said.get("landed") == "yes" and ended.code == ExitCode.OK:
            return  # nothing is waited for: it says that the revert of a killed command is on the target
        self._reasonable(ended, landed=said.get("landed") == "yes", first=first)

    def _before_it_began(self, ended: ProcessResult) -> bool:
        if not ended.struck or ended.out:
            return False
        if ended.code not in {code for codes in CUT.values() for code in codes}:
            self.scene.complain(f"cut short, it said nothing and ended with {ended.code}")
        self.scene.ends[-1] += " before it began"
        return True

    def _reasonable(self, ended: ProcessResult, *, landed: bool, first: bool) -> None:
        """There is a cause for this code."""
        plan, main, code = self.plan, self.plan.main, ended.code
        if ended.struck and code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}:
            return
        if landed:
            after = {int(ExitCode.ROLLOUT_FAILED), int(ExitCode.OK)} if plan.fails else right(plan) | {TRUTH[plan.ci]}
            after |= {int(ExitCode.NO_PIPELINE)} if main and main.loses_webhook else set()
            if code not in after:
                self.scene.complain(f"landed and ended with {code}, right were {sorted(after)}")
            return
        is_faulty = bool(main and (main.rules or main.cut))
        causes = {
            ExitCode.OK: not first,
            ExitCode.REFUSED: not first or bool(plan.rules or plan.outage or is_faulty or plan.disk != "well"),
            ExitCode.CONFLICT: plan.other == "conflict",
            ExitCode.VERIFY_FAILED: plan.verify == "exit 1" or bool(main and "red" in {main.check, main.own}),
            ExitCode.PROTECTED: bool(main and main.forbids),
            ExitCode.PUSH_FAILED: plan.git is not None or plan.disk != "well",
            ExitCode.UNREACHABLE: bool(plan.git or self.killed or is_faulty or plan.outage),
        }
        if not causes.get(ExitCode(code)):
            self.scene.complain(f"ended with {code}, and there was no cause for that")

    def settle(self, ended: ProcessResult) -> None:
        """Continue or abort what is left, then ask for the revert once more if it can land."""
        if self.killed:
            leftovers.settled(self.scene.mark, LEFT)
        for number in range(ROUNDS):
            if not self._go_on(ended, proceeds=self.plan.proceeds and number < ROUNDS // 2):
                break
        else:
            self.scene.complain(f"not settled by {ROUNDS} commands")
        if self.on_server(self.mine) and self.there and not self.forbidden and self.plan.other != "conflict":
            ended = self._run("--revert", self.mine, "--verify-cmd", "true")
            if self.there:
                self.scene.complain("with everything repaired, the revert did not land")

    def _go_on(self, ended: ProcessResult, *, proceeds: bool) -> bool:
        """Run the next command of a user who wants to be done; False: nothing is left."""
        word = "--continue" if proceeds else "--abort"
        self._unlock(ended)
        inside = self._worktree()
        if inside:
            done = self._run(word, cwd=inside)
            self._unlock(done)
            if "there is no landing" in done.out + done.err:
                self._run("--revert", self.mine, "--verify-cmd", "true")
                self._clear(inside)
            return True
        if (self.clone.path / ".git/homelab/land.json").exists():
            self._unlock(self._run(word))
            return True
        return False

    def _worktree(self) -> Path | None:
        found = [path for path in self.clone.path.glob(".worktrees/*") if path.is_dir()]
        return found[0] if found else None

    def _clear(self, inside: Path) -> None:
        """Do what the hint says about a worktree whose landing had not begun."""
        if inside.exists():
            self.clone.git("worktree", "remove", "--force", str(inside))
            self.clone.git("branch", "-D", f"homelab/{inside.name}")

    def _unlock(self, ended: ProcessResult) -> None:
        for lock in (self.clone.path / ".git").rglob("*.lock"):
            if str(lock) in ended.out + ended.err and self.killed:
                leftovers.settled(self.scene.mark, LEFT)
                lock.unlink(missing_ok=True)

    def check(self) -> None:
        """Nothing is lost, nothing is half done, and the user is where the user was."""
        scene, clone = self.scene, self.clone
        if status := clone.git("status", "--porcelain"):
            scene.complain(f"the working tree is not as it was: {status}")
        if clone.git("branch", "--show-current") != self.branch:
            scene.complain("another branch is checked out")
        if not self.plan.fails and clone.head != self.head:
            scene.complain(f"the branch moved from {self.head} to {clone.head}")
        if not clone.sha("HEAD:mine"):
            scene.complain("what Ann did is not on her branch any more")
        for sha in {sha for sha in self.theirs if not self.on_server(sha)}:
            scene.complain(f"Bob's {sha} is lost")
        if self.forbidden and not self.plan.fails and not self.there:
            scene.complain("taken back, although that was forbidden")
        left = [*clone.git("for-each-ref", "refs/heads/homelab").splitlines(), *clone.path.glob(".worktrees/*")]
        if left:
            scene.complain(f"left behind: {left}")
        self._has_only_what_is_meant(Clone(scene.workshop.bare_path, scene.workshop.environ))

    def _has_only_what_is_meant(self, origin: Clone) -> None:
        names = set(origin.git("ls-tree", "--name-only", "refs/heads/main").split())
        known = {"README", "mine", "theirs", "raced"}
        if names - known or not names >= {"README"}:
            self.scene.complain(f"main has {sorted(names)}")
