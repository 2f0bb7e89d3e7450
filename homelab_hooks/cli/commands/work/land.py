"""git land: merge, verify, push, watch CI, and wait for the rollout.

Merge the target branch into the current branch, verify the result, push exactly that commit to the target, watch CI,
and wait for the configured rollouts. The exit code and the last line of output report how it ended; 2 and 20 to 24
mean that nothing was landed. git land never checks out the target and never force-pushes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homelab_hooks.app import command_trust, options
from homelab_hooks.app.follow_setup import FollowScope, FollowUp
from homelab_hooks.app.proposal_setup import build_proposals
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import TRACKED_FILE, Config
from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError, Terminated
from homelab_hooks.events import Log, LogLevel, Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import interrupt, run as land_run
from homelab_hooks.land.landed import Landed
from homelab_hooks.land.request import (
    COMMIT_PLACEHOLDER,
    DetectVerification,
    LandingDependencies,
    LandRequest,
    SkipVerification,
    VerifyChoice,
    VerifyCommand,
)
from homelab_hooks.land.state import LandingState
from homelab_hooks.system.signals import acknowledge_interrupt
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.verdict import RESUMABLE_EXITS, Verdict

if TYPE_CHECKING:
    from homelab_hooks.land import revert
    from homelab_hooks.land.revert_facts import RevertTarget

CONTINUE_COMMAND = "git land --continue"
_KEPT_OPTIONS = (
    "on_failure", "no_verify", "no_ci_watch", "no_deploy", "detach", "push_option", *options.LAND_OPTIONS,
)  # fmt: skip
"""options that --continue restores from the landing it continues"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.set_defaults(landed=False)  # for usage errors
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--continue", dest="proceed", action="store_true", help="continue an interrupted landing")
    way.add_argument(
        "--abort", action="store_true", help="restore the branch to its state before an interrupted landing"
    )
    way.add_argument("--dry-run", action="store_true", help="show what would be done, and change nothing")
    parser.add_argument(
        "--revert", metavar="COMMIT", help="land the revert of a landed commit, made in a worktree of its own"
    )
    parser.add_argument(
        "--on-failure",
        metavar=OnFailure.REVERT.value,
        choices=[OnFailure.REVERT.value],
        help="what to do if the rollout of the landed commit fails: revert it (default: nothing)",
    )
    parser.add_argument("-m", "--message", metavar="TEXT", help="message of the merge commit")
    parser.add_argument("--no-verify", action="store_true", help="skip the verification command; git hooks still run")
    parser.add_argument(
        "--no-ci-watch", action="store_true", help="neither check CI before the push nor follow the commit afterwards"
    )
    parser.add_argument("--no-deploy", action="store_true", help="wait neither for rollouts nor for live answers")
    parser.add_argument("--detach", action="store_true", help="return after the push; a background watcher follows")
    parser.add_argument("-o", "--push-option", action="append", metavar="OPTION", help="pass this option to git push")
    options.add_options(parser, *options.LAND_OPTIONS)


def run(args: argparse.Namespace, session: Session) -> int:
    """Land, continue, abort, or do a dry run."""
    if not (args.proceed or args.abort):
        session.set_landed(False)  # first of all: an error before the push must not leave it open
    verdict = _handle_interrupt(args, session, lambda: _land(args, session))
    return session.finish(_name_resume_command(verdict, session))


class OnFailure(StrEnum):
    """What follows a landing whose rollout failed."""

    REVERT = "revert"


def _check_revert(args: argparse.Namespace) -> None:
    """Raise CommandError (2) for options that contradict --revert or --on-failure."""
    excluded = {
        "--continue": args.proceed,
        "--abort": args.abort,
        "--message": args.message is not None,
        "--on-failure": args.on_failure,
    }
    hints = {
        "--message": "git writes the message of a revert: leave out --message",
        "--on-failure": "a revert is not reverted: leave out --on-failure",
    }
    for option, is_given in excluded.items() if args.revert is not None else ():
        if is_given:
            hint = hints.get(option, f"to end an unfinished revert, run git land {option} in its worktree")
            raise CommandError(f"--revert and {option} cannot be used together", hint=hint)
    unfollowed = {"--detach": args.detach, "--no-ci-watch": args.no_ci_watch, "--abort": args.abort}
    for option, is_given in unfollowed.items() if args.on_failure else ():
        if is_given:
            hint = "leave out one of them: git land reverts only what it has seen fail"
            raise CommandError(f"--on-failure and {option} cannot be used together", hint=hint)


def _name_resume_command(verdict: Verdict, session: Session) -> Verdict:
    """Return the verdict with `git land --continue` if the landing did not end, and its commit has not landed."""
    if verdict.landed or verdict.exit not in RESUMABLE_EXITS:
        return verdict
    pending = land_run.pending_landing(session.runtime.git_interactive)
    return verdict._replace(resume=CONTINUE_COMMAND) if pending else verdict


def _check_message(args: argparse.Namespace) -> None:
    """Raise CommandError (2) if a message is given for a landing that makes no merge commit, or has its message."""
    if args.message is None:
        return
    if args.proceed or args.abort:
        other = "--continue" if args.proceed else "--abort"
        hint = "to change the message of an unfinished merge, run git commit -m, then git land --continue"
        raise CommandError(f"--message and {other} cannot be used together", hint=hint)
    if not args.message.strip():
        raise CommandError("the message is empty", hint="pass --message TEXT, or leave it out")


def _check_strategy(args: argparse.Namespace, config: Config) -> None:
    """Raise CommandError (2) if a message is given for a landing that makes no merge commit."""
    if args.message is not None and config.strategy is not Strategy.MERGE:
        hint = "leave out --message, or pass --strategy merge: only a merge makes a merge commit"
        raise CommandError(f"--message and the strategy {config.strategy} cannot be used together", hint=hint)


def _land(args: argparse.Namespace, session: Session) -> Verdict:
    _check_message(args)
    if args.proceed:
        _restore_options(args, session)
    _check_revert(args)
    config = session.config(vars(args))
    _check_strategy(args, config)
    git = session.runtime.git_interactive
    session.tell(Start(command=session.prog, sha=git.history.head() if git.location.git_dir() else ""))
    if args.revert is not None:
        return _revert(args, config, session)
    verdict = _land_here(args, config, session)
    if args.on_failure and args.dry_run:
        session.tell(Log(source="homelab", text="would revert the landing if its rollout fails (exit code 9)"))
    return _take_back(verdict, args, session) if args.on_failure else verdict


def _land_here(
    args: argparse.Namespace, config: Config, session: Session, plan: revert.RevertPlan | None = None
) -> Verdict:
    """Land, continue or abort in the directory in which git runs now.

    Args:
        plan: what the landing takes back, in the worktree that was made for it.
    """
    git = session.runtime.git_interactive
    stage = _follow_up(args, config, session)
    parts = _dependencies(args, config, stage, session)
    if not (args.proceed or args.abort):
        return _dispatch(args, config, parts, stage, session, plan)
    from homelab_hooks.land import revert_landing

    pending = land_run.pending_landing(git)
    with revert_landing.hold_continued(pending, git) as is_revert:
        verdict = _dispatch(args, config, parts, stage, session, None)
        if is_revert and pending is not None:
            return revert_landing.conclude_continued(verdict, pending, parts)
    return verdict


def _follow_up(args: argparse.Namespace, config: Config, session: Session) -> FollowUp:
    scope = FollowScope(watching=not args.no_ci_watch, deploying=not (args.no_deploy or args.abort))
    return FollowUp(config, session, vars(args), scope)


def _dependencies(args: argparse.Namespace, config: Config, stage: FollowUp, session: Session) -> LandingDependencies:
    runtime = session.runtime
    return LandingDependencies(
        git=runtime.git_interactive,
        commands=runtime.user_command_runner,
        hooks=runtime.hook_runner,
        clock=runtime.clock,
        tell=session.tell,
        on_landed=(lambda _: None) if getattr(args, "lands_after", False) else session.set_landed,
        jitter=runtime.jitter,
        poller=runtime.git_readonly.remotes,
        check_ci=stage.require_access if stage.watching else None,
        queue=stage.push_queue(),
        proposals=build_proposals(config, session, watching=stage.watching),
        find_skip_marker=stage.skip_marker_finder,
        follow_up=_choose_follow_up(args, config, stage, session),
        runs_post_push_hook=not args.no_ci_watch,
        follow_up_label=stage.description,
    )


def _revert(args: argparse.Namespace, config: Config, session: Session, *, before: str = "") -> Verdict:
    """Land the revert of a commit from a worktree of its own, or show what it would take back.

    Args:
        before: the target's commit before the landing of the commit, if this command has landed it.
    """
    from homelab_hooks.land import revert_landing

    stage = _follow_up(args, config, session)
    parts = _dependencies(args, config, stage, session)
    max_wait_s = config.timeout if before else 0.0
    order = revert_landing.RevertOrder(args.revert, config.remote, config.onto, before, max_wait_s)
    if args.dry_run:
        _warn_untrusted(config, parts)
        return revert_landing.report_dry_revert(order, _build_request(args, config, stage), parts)

    def land(path: Path, plan: revert.RevertPlan, target: RevertTarget) -> Verdict:
        there = argparse.Namespace(**{**vars(args), "remote": target.remote, "onto": target.branch})
        with session.runtime.inside(path):
            return _handle_interrupt(
                there, session, lambda: _land_here(there, session.config_inside(vars(there)), session, plan)
            )

    return revert_landing.land_revert(order, parts, land)


def _take_back(verdict: Verdict, args: argparse.Namespace, session: Session) -> Verdict:
    """Land the revert of a commit if its rollout failed; the exit code stays that of the failure.

    The revert itself is never reverted.
    """
    from homelab_hooks.land import revert

    if not revert.calls_for_revert(verdict):
        return verdict
    text = f"the rollout of {short_sha(verdict.sha)} failed: reverting it (--on-failure revert)"
    session.tell(Log(source="homelab", text=text, level=LogLevel.WARNING))
    changed = {"revert": verdict.sha, "on_failure": None, "message": None, "proceed": False, "lands_after": True}
    again = argparse.Namespace(**{**vars(args), **changed})
    config = session.config_inside(vars(again))
    outcome = _handle_interrupt(again, session, lambda: _revert(again, config, session, before=verdict.before))
    return revert.add_outcome(verdict, outcome)


def _choose_follow_up(
    args: argparse.Namespace, config: Config, stage: FollowUp, session: Session
) -> Callable[[Landed], Verdict] | None:
    """Return what follows the landing: the links, with --detach in a background watcher; None if there are none."""
    if not stage.is_needed or not args.detach:
        return stage.run if stage.is_needed else None
    from homelab_hooks.app.attached_follow import AttachedFollow, FollowCall

    def detach(landed: Landed) -> Verdict:
        call = FollowCall(landed, given=vars(args), detach=True, deploying=not args.no_deploy, times_links=True)
        return AttachedFollow(call, config, session, lambda: stage.run(landed)).run()

    return detach


def _dispatch(  # noqa: PLR0913, PLR0917 - the parts of one landing
    args: argparse.Namespace,
    config: Config,
    parts: LandingDependencies,
    stage: FollowUp,
    session: Session,
    plan: revert.RevertPlan | None,
) -> Verdict:
    if args.abort:
        return land_run.abort_landing(parts)
    verifies = _needs_verification(args, parts)
    if args.dry_run:
        _warn_untrusted(config, parts)
    elif not args.no_verify and verifies:
        try:
            command_trust.require_trusted(config, session)
        except CommandError as problem:
            return Verdict(exit=problem.exit, reason=problem.message, hint=problem.hint, landed=False)
    if args.proceed:
        return land_run.continue_landing(parts, _verify_choice(args, config) if verifies else None)
    request = _build_request(args, config, stage)
    if plan is not None:
        request = replace(request, revert=plan.commit, revert_parent=plan.parent)
    return land_run.land_branch(request, parts)


def _needs_verification(args: argparse.Namespace, parts: LandingDependencies) -> bool:
    """Return whether the landing still has to verify: a commit that has been pushed was verified before the push."""
    pending = land_run.pending_landing(parts.git) if args.proceed else None
    return not args.proceed or (pending is not None and not pending.landed_commit and not pending.push_unconfirmed)


def _warn_untrusted(config: Config, parts: LandingDependencies) -> None:
    trusted = command_trust.TrustedCommands(parts.git.location.homelab_dir())
    if command_trust.comes_from_tracked_file(config) and config.verify not in trusted:
        text = f"the verification command from {TRACKED_FILE} has not been approved: git land would ask"
        parts.tell(Log(source="homelab", text=text, level=LogLevel.WARNING))


def _handle_interrupt(args: argparse.Namespace, session: Session, land: Callable[[], Verdict]) -> Verdict:
    """Land; on Ctrl-C or SIGTERM, report from its saved state whether the commit is on the target."""
    git, earlier = session.runtime.git_interactive, None
    began = bool(args.proceed or args.abort)
    try:
        earlier = None if began else land_run.pending_landing(git)
        began = True
        return land()
    except CommandError as problem:
        landed = land_run.saved_landed(git) if args.proceed or args.abort else False
        return Verdict(exit=problem.exit, reason=problem.message, hint=problem.hint, landed=landed)
    except (KeyboardInterrupt, Terminated) as cut:
        acknowledge_interrupt()
        exit_ = ExitCode.TERMINATED if isinstance(cut, Terminated) else ExitCode.INTERRUPTED
        verdict = interrupt.interrupt_verdict(
            git,
            previous=earlier if began else land_run.pending_landing(git),
            ask=lambda state: _query_pushed(state, session),
            exit=exit_,
        )
        if not verdict.hint and verdict.landed is False and not args.abort:
            return verdict._replace(hint=f"to try again, run: {session.command_line}")
        goes_on = verdict.landed and session.resume
        return verdict._replace(hint=f"to resume, run: {session.resume}", resume=session.resume) if goes_on else verdict


def _query_pushed(state: LandingState, session: Session) -> bool | None:
    runtime = session.runtime
    session.tell(Log(source="push", text=f"checking whether the commit is on {state.target}"))
    return interrupt.check_arrived(
        state, git=runtime.git_interactive, asking=runtime.git_readonly.remotes, clock=runtime.clock
    )


def _build_request(args: argparse.Namespace, config: Config, stage: FollowUp) -> LandRequest:
    kept = {
        name: options.hide_queries(value)
        for name in _KEPT_OPTIONS
        if (value := getattr(args, name)) and not options.is_short_timeout(name, value)
    }
    return LandRequest(
        remote=config.remote,
        onto=config.onto,
        strategy=config.strategy,
        verify=_verify_choice(args, config),
        push_options=tuple(args.push_option or ()),
        message=args.message or "",
        dry_run=args.dry_run,
        resume_template=stage.resume_command(COMMIT_PLACEHOLDER),
        caller_state=kept,
    )


def _verify_choice(args: argparse.Namespace, config: Config) -> VerifyChoice:
    if args.no_verify:
        if args.verify is not None:
            raise CommandError(
                "--verify-cmd and --no-verify cannot be used together",
                hint="pass only one of --verify-cmd and --no-verify",
            )
        return SkipVerification()
    return VerifyCommand(config.verify, config.source("verify")) if config.verify else DetectVerification()


def _restore_options(args: argparse.Namespace, session: Session) -> None:
    """Restore the options of the landing that is continued; options given now take precedence."""
    pending = land_run.pending_landing(session.runtime.git_interactive)
    extra: Mapping[str, Any] = pending.request.caller_state if pending else {}
    told = {"verify", "no_verify"} if args.verify or args.no_verify else set()
    for name in _KEPT_OPTIONS:
        if not getattr(args, name) and name in extra and name not in told:
            setattr(args, name, extra[name])
