"""Verifies a plain push: exactly the commits that are pushed, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.stage import run_stage
from homelab_hooks.git.repository import Repository
from homelab_hooks.hooks.pre_push.input import RefUpdate
from homelab_hooks.land import verification
from homelab_hooks.land.request import VerifyCommand
from homelab_hooks.land.tree_check import DURING_VERIFICATION, describe_difference
from homelab_hooks.land.verification import VerificationRun
from homelab_hooks.polling.loop import Clock
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.verdict import Verdict

TAIL_LINES = 20
"""lines of a failed verification that are repeated at the end"""
BYPASS_HINT = "to push anyway: SKIP=homelab-verify git push, or --no-verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDependencies:
    """What the gate works with.

    Args:
        git: in the working tree that is verified.
        runner: runs the command; without our tokens and without git's variables.
        directory: the working tree's root.
    """

    git: Repository
    runner: ProcessRunner
    directory: Path | None
    clock: Clock
    emit: Callable[[Event], None]


def verify_push(updates: tuple[RefUpdate, ...], command: VerifyCommand, parts: GateDependencies) -> Verdict:
    """Run the command on what the updates push.

    Raises:
        CommandError: the command fails or changes the working tree (22), or that is not what is pushed (20).
    """
    head = _require_checked_out(updates, parts.git)

    run = VerificationRun(command.command, parts.directory, tail_lines=TAIL_LINES)
    announced = f"`{command.command}` (from {command.why})"
    with run_stage(Stage.VERIFY, emit=parts.emit, clock=parts.clock, detail=announced) as report:
        report.detail = command.command
        done = verification.run_verification(run, parts.runner, emit=parts.emit, clock=parts.clock)
        if not done.ok:
            report.mark_failed()
    if not done.ok:
        raise verification.verification_error(run, done, hint=f"fix the problem, then push again; {BYPASS_HINT}")
    what, remedy = describe_difference(
        parts.git, head, status=parts.git.worktree.status(), when=f" {DURING_VERIFICATION}"
    )
    if what:
        raise CommandError(what, hint=f"{remedy}, then push again; {BYPASS_HINT}", exit=ExitCode.VERIFY_FAILED)
    return Verdict(exit=ExitCode.OK, label="passed", sha=updates[0].sha)


def choose_command(
    config: Config, directory: Path | None, can_run: verification.CanRun, *, in_pre_commit: bool
) -> VerifyCommand:
    """Return the command that verifies a push: the configured one, else the detected one.

    Args:
        directory: the working tree's root.
        can_run: returns whether a command succeeds.
        in_pre_commit: pre-commit or prek runs this hook; its configuration is then not a verification command, since
            it runs the other hooks itself.

    Raises:
        CommandError: (refused) there is none, or its program cannot be run.
    """
    if config.verify:
        return VerifyCommand(config.verify, config.source("verify"))
    without = frozenset({verification.PRE_COMMIT_CONFIG}) if in_pre_commit else frozenset[str]()
    found = verification.detect_in(directory, without=without)
    if found is None:
        hint = f"run git config homelab.verify CMD; {BYPASS_HINT}"
        raise CommandError("no verification command found", hint=hint, exit=ExitCode.REFUSED)
    return verification.choose_candidate(found, can_run)


def _require_checked_out(updates: tuple[RefUpdate, ...], git: Repository) -> str:
    """Return the checked-out commit. The command runs in the working tree, so this must be the pushed commit."""
    head = git.history.head()
    for update in updates:
        if git.history.tree_of(update.sha) != git.history.tree_of(head):
            pushed = f"the commit that is pushed to {update.branch} ({short_sha(update.sha)})"
            what = f"{pushed} is not checked out (HEAD is {short_sha(head)})"
            raise CommandError(what, hint=f"check out the commit, then push; {BYPASS_HINT}", exit=ExitCode.REFUSED)
    what, remedy = describe_difference(git, head, status=git.worktree.status())
    if what:
        raise CommandError(
            f"{what}, so the verification would not test the pushed commit",
            hint=f"{remedy} (or git stash), then push; {BYPASS_HINT}",
            exit=ExitCode.REFUSED,
        )
    return head
