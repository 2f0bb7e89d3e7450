"""homelab hooks pushed: watch CI after a plain git push.

The reference-transaction hook runs this command when a push has moved a remote-tracking branch. If the branch is the
target, watch the commit in the foreground or in the background, as homelab.postPush sets. Nothing is printed about
other branches. Git ignores the exit code.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.background import spawn_watcher
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Log, LogLevel
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.hooks.pre_push import target as pre_push_target

_TRACKING = "refs/remotes/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument(
        "ref", metavar="REF", help="the remote-tracking branch that the push moved: refs/remotes/REMOTE/BRANCH"
    )
    parser.add_argument("sha", metavar="SHA", help="its new commit")
    options.add_options(parser, *options.WATCH_OPTIONS, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Watch the push, start a background watcher, or do nothing."""
    runtime = session.runtime
    session.resume = f"homelab-watch {args.sha}"
    remote, branch = _split_tracking_ref(args.ref, runtime.git_readonly.remotes.remote_names())
    config = session.config(vars(args))
    mode = config.post_push or ("foreground" if runtime.terminal.stderr_is_tty else "background")
    mine = (
        pre_push_target.maybe_target(branch, remote, config, runtime.git_readonly)
        if remote and pre_push_target.is_enabled(mode)
        else False
    )
    if mine is False:
        return 0
    job = WatchJob(
        sha=args.sha,
        branch=branch,
        remote=remote,
        directory=str(runtime.git_readonly.location.top_level() or runtime.directory),
        options=options.as_mapping(vars(args), *options.WATCH_OPTIONS),
    )
    if mode == "background":
        return _start_watcher(session, job)
    return _watch_in_foreground(session, job, config)


def _watch_in_foreground(session: Session, job: WatchJob, config: Config) -> int:
    from homelab_hooks.app.push_watch import run_foreground

    return run_foreground(session, job, config)


def _start_watcher(session: Session, job: WatchJob) -> int:
    try:
        log = spawn_watcher(session.runtime, job)
    except OSError as error:
        session.tell(
            Log(source="homelab", text=f"no watcher is running for this push: {error}", level=LogLevel.WARNING)
        )
        return 0
    if log:
        text = f"watching CI in the background; see homelab ci status; log: {log}"
        session.tell(Log(source="homelab", text=text))
    return 0


def _split_tracking_ref(ref: str, remotes: tuple[str, ...]) -> tuple[str, str]:
    """Split a tracking ref into remote and branch; remote names may contain slashes, so match the longest.

    >>> _split_tracking_ref("refs/remotes/team/up/main", ("team", "team/up"))
    ('team/up', 'main')
    >>> _split_tracking_ref("refs/heads/main", ("origin",))
    ('', '')
    """
    rest = ref.removeprefix(_TRACKING) if ref.startswith(_TRACKING) else ""
    fits = [name for name in remotes if rest.startswith(f"{name}/")]
    remote = max(fits, key=len, default="")
    return (remote, rest.removeprefix(f"{remote}/")) if remote else ("", "")
