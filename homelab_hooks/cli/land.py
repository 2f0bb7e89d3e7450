"""git land: merge, verify, push, watch CI, wait for the rollout.

Merges the target into the branch that is checked out, verifies the result, pushes exactly that commit to the target,
watches its CI and waits for the configured rollouts. The exit code and the last line say how it ended; 2 and 20 to 24
mean that nothing was landed. The target is never checked out, and nothing is ever forced.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from homelab_hooks.cli import agreeing, options
from homelab_hooks.cli.post_push import PostPush
from homelab_hooks.cli.session import Session
from homelab_hooks.config import TRACKED, Config
from homelab_hooks.errors import Problem, Terminated
from homelab_hooks.events import Level, Log, Start
from homelab_hooks.exits import Exit
from homelab_hooks.land import cut_short, land
from homelab_hooks.land.agreement import Agreements
from homelab_hooks.land.request import COMMIT, Command, Detect, Parts, Request, Skip, Strategy, Verify
from homelab_hooks.land.state import State
from homelab_hooks.proc import taken
from homelab_hooks.verdict import Verdict

_KEPT = ("strategy", "no_verify", "no_ci_watch", "no_deploy", "push_option", *options.LANDING)
"""arguments that `--continue` takes from the landing it continues"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.set_defaults(landed=False)  # for what is wrong with the arguments themselves
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--continue", dest="proceed", action="store_true", help="go on with a landing that was cut short")
    way.add_argument("--abort", action="store_true", help="go back to before a landing that was cut short")
    way.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    parser.add_argument(
        "--strategy", choices=[strategy.value for strategy in Strategy], help="how the target comes in (default: merge)"
    )
    parser.add_argument("--no-verify", action="store_true", help="land without verification, deliberately")
    parser.add_argument("--no-ci-watch", action="store_true", help="neither check CI before nor watch it after")
    parser.add_argument("--no-deploy", action="store_true", help="do not wait for the configured rollouts")
    parser.add_argument("-o", "--push-option", action="append", metavar="OPTION", help="handed to git push")
    options.add(parser, *options.LANDING)


def run(args: argparse.Namespace, session: Session) -> int:
    """Land, go on, or go back."""
    return session.finish(_cut_short(args, session))


def _run(args: argparse.Namespace, session: Session) -> Verdict:
    world = session.world
    if args.proceed:
        _restore(args, session)
    config = session.config(args)
    git = world.landing_git
    stage = PostPush(config, session, args, watching=not args.no_ci_watch, deploying=not args.no_deploy)
    session.tell(Start(command=session.prog, sha=git.head() if git.git_dir() else ""))
    parts = Parts(
        git=git,
        commands=world.commands,
        hooks=world.hooks,
        clock=world.clock,
        tell=session.tell,
        jitter=world.jitter,
        check_ci=stage.check if stage.watching else None,
        after=stage.run if stage.wanted else None,
        run_hook=stage.watching,
        afterwards=stage.plan,
    )
    return _act(args, config, parts, stage, session)


def _act(args: argparse.Namespace, config: Config, parts: Parts, stage: PostPush, session: Session) -> Verdict:
    if args.abort:
        return land.abort(parts)
    anew = _to_be_verified(args, parts)
    if args.dry_run:
        _announce(config, parts)
    elif not args.no_verify and anew:
        try:
            agreeing.agreed(config, session.world)
        except Problem as problem:
            return Verdict(exit=problem.exit, reason=problem.what, hint=problem.hint, landed=False)
    if args.proceed:
        return land.proceed(parts, _verify(args, config) if anew else None)
    return land.run(_request(args, config, stage), parts)


def _to_be_verified(args: argparse.Namespace, parts: Parts) -> bool:
    """Whether anything is left to verify: what is landed, or was pushed, has been verified as it was told then."""
    pending = land.pending(parts.git) if args.proceed else None
    return not args.proceed or (pending is not None and not pending.landed and not pending.in_doubt)


def _announce(config: Config, parts: Parts) -> None:
    if agreeing.foreign(config) and config.verify not in Agreements(parts.git.private_dir()):
        text = f"the verification is {TRACKED}'s word, and nobody here has agreed to it yet: git land would ask"
        parts.tell(Log(source="homelab", text=text, level=Level.WARNING))


def _cut_short(args: argparse.Namespace, session: Session) -> Verdict:
    """Ctrl-C and SIGTERM end with the truth about the target, which the landing has written down."""
    git, earlier = session.world.landing_git, None
    began = bool(args.proceed or args.abort)
    try:
        earlier = None if began else land.pending(git)
        began = True
        return _run(args, session)
    except Problem as problem:
        landed = None if problem.exit is Exit.UNREACHABLE else False
        return Verdict(exit=problem.exit, reason=problem.what, hint=problem.hint, landed=landed)
    except (KeyboardInterrupt, Terminated) as cut:
        taken()
        exit_ = Exit.TERMINATED if isinstance(cut, Terminated) else Exit.INTERRUPTED
        verdict = cut_short.interrupted(
            git,
            earlier=earlier if began else land.pending(git),
            ask=lambda state: _asked(state, session),
            exit=exit_,
        )
        goes_on = verdict.landed and session.resume
        return verdict._replace(hint=f"go on: {session.resume}") if goes_on else verdict


def _asked(state: State, session: Session) -> bool | None:
    world = session.world
    session.tell(Log(source="push", text=f"asking whether it is on {state.target}"))
    return cut_short.arrived_by_now(state, git=world.landing_git, asking=world.git, clock=world.clock)


def _request(args: argparse.Namespace, config: Config, stage: PostPush) -> Request:
    kept = {name: getattr(args, name) for name in _KEPT if getattr(args, name)}
    return Request(
        remote=config.remote,
        onto=config.onto,
        strategy=Strategy(args.strategy or Strategy.MERGE),
        verify=_verify(args, config),
        push_options=tuple(args.push_option or ()),
        dry_run=args.dry_run,
        resume=stage.again(COMMIT),
        extra=kept,
    )


def _verify(args: argparse.Namespace, config: Config) -> Verify:
    if args.no_verify:
        if args.verify is not None:
            raise Problem("--verify-cmd and --no-verify exclude each other", hint="give one of them")
        return Skip()
    return Command(config.verify, config.source("verify")) if config.verify else Detect()


def _restore(args: argparse.Namespace, session: Session) -> None:
    """Take the options of the landing that is continued; what is given again now wins."""
    pending = land.pending(session.world.landing_git)
    extra: Mapping[str, Any] = pending.request.extra if pending else {}
    told = {"verify", "no_verify"} if args.verify or args.no_verify else set()
    for name in _KEPT:
        if not getattr(args, name) and name in extra and name not in told:
            setattr(args, name, extra[name])
