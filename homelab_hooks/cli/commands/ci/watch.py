"""homelab-watch: wait for the CI result of a commit.

Wait until the pipelines of a commit have finished. The exit code is the result: 0 if they passed, 1 if one failed. The
name of a tag selects the tag's pipelines. A full SHA works outside a repository if --repo is given.

With --deploy, also wait for the rollout of the commit. If CI passes, the exit code is that of the rollout.
"""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from homelab_hooks.app import options, resolve_names, watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.run import run_watch

if TYPE_CHECKING:
    from homelab_hooks.follow.deploy import DeployLink


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="any revision that git resolves (default: HEAD)")
    options.add_event_option(parser)
    parser.add_argument("--fail-fast", action="store_true", help="exit as soon as one pipeline has failed")
    options.add_options(
        parser, *options.CI_OPTIONS, "remote", *options.DECIDING_OPTIONS, *options.TIMEOUT_OPTIONS, "deploy",
        *options.PROOF_OPTIONS, *options.ROLLOUT_OPTIONS, "output",
    )  # fmt: skip


def run(args: argparse.Namespace, session: Session) -> int:
    """Watch CI, then wait for the rollouts if targets were given."""
    config, runtime = session.config(vars(args)), session.runtime
    server = runtime.server(config)
    about = watch_setup.resolve_context(config, runtime, args.commit, events=args.event)
    decides = watch_setup.build_scope(about.commit, args.event)
    name = args.commit if about.commit.tag else about.commit.sha
    again = watch_setup.watch_resume_command(vars(args), name, deploy=args.deploy or (), events=args.event or ())
    again += " --fail-fast" if args.fail_fast else ""
    resume = tuple(shlex.split(again))
    session.tell(
        Start(command=session.prog, sha=about.commit.sha, repo=about.names[0], server=str(server), resume=resume)
    )
    request = watch_setup.build_watch_request(config, runtime, about, decides, fail_fast=args.fail_fast)
    # The configured targets are for landings; a watch waits only for targets given as options (ADR 11).
    rollouts = _build_rollout_links(args, config, session, about) if args.deploy else []
    dependencies = watch_setup.watch_dependencies(runtime, about, runtime.waiting_ci_provider(config), listen=True)
    if not rollouts:
        return session.finish(run_watch(request, dependencies, clock=runtime.clock, emit=session.tell))
    from homelab_hooks.follow.chain import run_chain
    from homelab_hooks.follow.ci import CiLink

    watch = CiLink(build=lambda: (request, dependencies), resume_command=again, clock=runtime.clock, emit=session.tell)
    verdict = run_chain(
        [watch, *rollouts],
        without_links=Verdict(exit=ExitCode.OK, sha=about.commit.sha),
        emit=session.tell,
        clock=runtime.clock,
        on_resume_command=session.set_resume_command,
    )
    return session.finish(verdict)


def _build_rollout_links(
    args: argparse.Namespace, config: Config, session: Session, about: watch_setup.CommitContext
) -> list[DeployLink]:
    """Return a link for each target; its modules are imported only where it is wanted.

    Raises:
        CommandError: a target is malformed.
    """
    from homelab_hooks.app import deploy_setup
    from homelab_hooks.follow.deploy import DeployLink
    from homelab_hooks.kubectl.model import WorkloadTarget

    def build(target: WorkloadTarget) -> DeployLink:
        request = deploy_setup.build_deploy_request(config, (target,), about.commit.sha)

        def wait() -> Verdict:
            runtime, remote = session.runtime, about.remote()
            branch = resolve_names.known_target(config, runtime.git_readonly, remote)
            origin = deploy_setup.CommitOrigin(remote, branch)
            return deploy_setup.run_wait(request, session, config, origin=origin, kubectl=runtime.kubectl())

        resume = deploy_setup.deploy_resume_command(vars(args), config.deploy, about.commit.sha)
        return DeployLink(name=f"deploy:{target}", wait=wait, resume_command=resume)

    return [build(target) for target in deploy_setup.parse_targets(config.deploy)]
