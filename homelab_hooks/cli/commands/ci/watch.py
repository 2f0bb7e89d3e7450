"""homelab-watch: wait until CI has decided about a commit.

Waits until CI has decided about a commit; the exit code is the verdict.
COMMIT is anything git resolves (default HEAD); a tag's name selects the tag's pipelines; a full sha works outside a
repository when --repo is given.
With --deploy, a green commit's rollout is waited for too, and counts.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Stage, Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow import watch_setup
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import run as watch_run

if TYPE_CHECKING:
    from homelab_hooks.follow import stages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="what git resolves to a commit (default: HEAD)")
    parser.add_argument("--event", action="append", metavar="EVENT", help="only pipelines of this event decide")
    parser.add_argument("--fail-fast", action="store_true", help="end at the first red pipeline")
    options.add_options(
        parser, *options.CI_OPTIONS, "remote", *options.TIMEOUT_OPTIONS, "deploy", *options.ROLLOUT_OPTIONS, "output"
    )


def run(args: argparse.Namespace, session: Session) -> int:
    """Watch."""
    config, world = session.config(args), session.world
    server = world.server(config)
    about = watch_setup.resolve_context(config, world, args.commit)
    decides = watch_setup.build_scope(about.commit, args.event)
    name = args.commit if about.commit.tag else about.commit.sha
    again = watch_setup.watch_resume_command(args, name, deploy=args.deploy or (), events=args.event or ())
    again += " --fail-fast" if args.fail_fast else ""
    session.tell(
        Start(command=session.prog, sha=about.commit.sha, repo=about.names[0], server=str(server), resume=again)
    )
    asked = watch_setup.build_watch_request(config, world, about, decides, fail_fast=args.fail_fast)
    # Configured targets are waited for after a landing; a watch waits only for those that it is given.
    rollout = _rollout_stage(args, config, session, about) if args.deploy else None
    sources = watch_setup.watch_dependencies(
        world, about, watch_setup.waiting_ci_client(config, world), world.stream_listener(config)
    )

    def watched() -> Verdict:
        return watch_run.run_watch(asked, sources, clock=world.clock, emit=session.tell)

    if rollout is None:
        return session.finish(watched())
    from homelab_hooks.follow import stages

    links = [stages.StageCommand(Stage.WATCH, watched, again), rollout]
    return session.finish(stages.run_stages(links, session, Verdict(exit=ExitCode.OK, sha=about.commit.sha)))


def _rollout_stage(
    args: argparse.Namespace, config: Config, session: Session, about: watch_setup.CommitContext
) -> stages.StageCommand:
    """The wait for the targets; loaded only where it is wanted. Raises CommandError for a malformed target."""
    from homelab_hooks.follow import deploy_setup, stages

    asked = deploy_setup.build_deploy_request(config, deploy_setup.parse_targets(config.deploy), about.commit.sha)

    def deployed() -> Verdict:
        world, remote = session.world, about.remote()
        target = watch_setup.known_target(config, world.git_readonly, remote)
        return deploy_setup.run_wait(asked, session, remote=remote, target=target, kubectl=world.kubectl())

    return stages.StageCommand(
        Stage.DEPLOY, deployed, deploy_setup.deploy_resume_command(args, config.deploy, about.commit.sha)
    )
