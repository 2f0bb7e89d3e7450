"""Landings through a pull request: nothing is merged that the forge's rules forbid, and no merge is sent twice."""

from __future__ import annotations

from homelab_hooks.exit_codes import ExitCode
from tools.soak.landing import SoakLanding, carry_out
from tools.soak.scene import ProcessResult, Scene


def propose(scene: Scene) -> None:
    """`git land` on a protected main, then whatever it takes until it is landed or taken back."""
    carry_out(SoakProposal(scene))


class SoakProposal(SoakLanding):
    """A landing whose target is protected."""

    @property
    def unwatched(self) -> set[int]:
        """The codes after a merge that the forge did not report to CI."""
        assert self.plan.main is not None
        return {int(ExitCode.NO_PIPELINE), int(ExitCode.OK)} if self.plan.main.loses_webhook else set()

    def run(self, *, first: bool = False, proceeds: bool = True) -> ProcessResult:
        """One command; a merge whose answer was lost is not sent again."""
        ended = super().run(first=first, proceeds=proceeds)
        forge = self.scene.forge
        if first and forge and forge.is_cut and not forge.main.rules and forge.merges > 1:
            self.scene.complain(f"the answer to the first merge was cut off, and {forge.merges} were sent")
        return ended

    def find_causes(self, ended: ProcessResult, *, first: bool) -> dict[ExitCode, bool]:
        """What a forge may answer, too."""
        plan, main = self.plan, self.plan.main
        assert main is not None
        causes = super().find_causes(ended, first=first)
        is_faulty = bool(main.rules or main.cut)
        more = {
            ExitCode.VERIFY_FAILED: "red" in {main.check, main.own},
            ExitCode.PROTECTED: main.forbids,
            ExitCode.UNREACHABLE: is_faulty or bool(plan.outage),
            ExitCode.REFUSED: bool(main.rules) or plan.strategy == "rebase",
        }
        return {code: causes.get(code, False) or more.get(code, False) for code in {*causes, *more}}

    def has_arrived(self, sha: str) -> bool:
        """A squash has the files, not the commit."""
        assert self.plan.main is not None
        return self.plan.main.style == "squash" or super().has_arrived(sha)

    def check(self) -> None:
        """One pull request, and no merge past the rules."""
        super().check()
        scene, forge = self.scene, self.scene.forge
        assert forge is not None
        if self.there and forge.main.forbids:
            scene.complain(f"merged, although the forge has {forge.main}")
        if len(forge.repo.pulls) > 1:
            scene.complain(f"{len(forge.repo.pulls)} pull requests were opened")
