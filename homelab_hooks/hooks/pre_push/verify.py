"""The verification before a plain push: of exactly what is pushed, or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from homelab_hooks.app import trust_prompt
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log, LogLevel, Progress, Stage, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.repository import Repository
from homelab_hooks.hooks.pre_push.input import RefUpdate
from homelab_hooks.land import verification
from homelab_hooks.land.request import VerifyCommand
from homelab_hooks.land.tree_check import DURING_VERIFICATION, describe_difference
from homelab_hooks.verdict import Verdict

TAIL_LINES = 20
"""lines of a failed verification that are said again, where they are the last"""
BYPASS_HINT = "to push all the same: SKIP=homelab-verify git push, or --no-verify"


def run_gate(updates: tuple[RefUpdate, ...], config: Config, world: Runtime, tell: Callable[[Event], None]) -> Verdict:
    """Verify what the updates bring. Raises CommandError where that fails (22) or cannot be done (20)."""
    chosen = choose_command(config, world)
    head = _require_checked_out(updates, world.git_interactive)
    tell(StageChanged(stage=Stage.VERIFY, progress=Progress.STARTED, detail=f"`{chosen.command}`: {chosen.why}"))
    begin = world.clock.now()
    tail: deque[str] = deque(maxlen=TAIL_LINES)

    def hear(line: str) -> None:
        tail.append(line)
        tell(Log(source="verify", text=line))

    done = world.user_command_runner.stream(
        ["sh", "-c", chosen.command], hear, cwd=world.git_readonly.location.top_level()
    )
    took = world.clock.now() - begin
    progress = Progress.DONE if done.ok else Progress.FAILED
    if not done.ok:
        for line in tail:
            tell(Log(source="verify", text=line, level=LogLevel.ERROR))
    tell(StageChanged(stage=Stage.VERIFY, progress=progress, detail=chosen.command, took=took))
    if not done.ok:
        what = f"the verification failed with exit code {done.code}: {chosen.command}"
        raise CommandError(what, hint=f"mend it and push again; {BYPASS_HINT}", exit=ExitCode.VERIFY_FAILED)
    what, remedy = describe_difference(world.git_interactive, head, when=f" {DURING_VERIFICATION}")
    if what:
        raise CommandError(
            what,
            hint=f"{remedy}, then push again; {BYPASS_HINT}", exit=ExitCode.VERIFY_FAILED,
        )  # fmt: skip
    return Verdict(exit=ExitCode.OK, label="passed", sha=updates[0].sha)


def choose_command(config: Config, world: Runtime) -> VerifyCommand:
    """The command. Within pre-commit or prek their own other hooks are not it: they run by themselves, just now."""
    if config.verify:
        trust_prompt.require_trusted(config, world)
        return VerifyCommand(config.verify, f"from {config.source('verify')}")
    inside = frozenset({verification.PRE_COMMIT_CONFIG}) if world.environ.get("PRE_COMMIT") == "1" else frozenset[str]()
    found = verification.detect_in(world.git_readonly.location.top_level(), without=inside)
    if found is None:
        hint = f"name a command: git config homelab.verify CMD; {BYPASS_HINT}"
        raise CommandError("there is nothing to verify with", hint=hint, exit=ExitCode.REFUSED)
    return found


def _require_checked_out(updates: tuple[RefUpdate, ...], git: Repository) -> str:
    """The commit that is checked out. The command sees the work tree: what it proves must be what is pushed."""
    head = git.history.head()
    for update in updates:
        if git.history.tree_of(update.sha) != git.history.tree_of(head):
            what = f"what is pushed to {update.branch} ({update.sha[:10]}) is not what is checked out ({head[:10]})"
            raise CommandError(what, hint=f"check it out, then push; {BYPASS_HINT}", exit=ExitCode.REFUSED)
    what, remedy = describe_difference(git, head)
    if what:
        raise CommandError(
            f"{what}, so the verification would not be of what is pushed",
            hint=f"{remedy} (or git stash), then push; {BYPASS_HINT}",
            exit=ExitCode.REFUSED,
        )
    return head
