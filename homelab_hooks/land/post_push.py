"""The post-push stage: reports the landing, then runs the repository's post-push hook, else watches and deploys."""

from __future__ import annotations

import os
from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.events import LogLevel, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.child_output import ChildOutput
from homelab_hooks.follow.stage import run_stage
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.landed import Landed
from homelab_hooks.land.landing import Landing
from homelab_hooks.system.exit_status import describe_exit
from homelab_hooks.text.url_secrets import strip_web_userinfo
from homelab_hooks.verdict import Verdict, build_resume_line

_NOT_LANDED = {
    ExitCode.USAGE,
    ExitCode.REFUSED,
    ExitCode.CONFLICT,
    ExitCode.VERIFY_FAILED,
    ExitCode.PROTECTED,
    ExitCode.PUSH_FAILED,
}
"""exit codes that mean nothing was landed: the post-push stage must not return one of them"""
_PASSED_THROUGH_CODES = {*range(1, 11), 124} - {2}


def report_landed(landing: Landing) -> Landed:
    """Save and report a confirmed landing, before anything else is tried."""
    state = landing.state
    if not state.landed_commit:
        landing.save(landed_commit=state.pushed_commit, stage=Stage.CONFIRM)
    sha = landing.state.landed_commit
    landing.log(f"landed {sha} on {state.target}")
    if landing.skip_marker(sha):
        return landed_info(landing)
    if again := landing.request.resume_command(sha):
        landing.dependencies.tell(build_resume_line(again))
    return landed_info(landing)


def landed_info(landing: Landing) -> Landed:
    """Return the landed commit, its branch, and its remote."""
    state = landing.state
    return Landed(
        sha=state.landed_commit,
        branch=state.target,
        remote=state.remote,
        push_url=state.push_url,
        before=_find_before(landing),
        skip_marker=landing.skip_marker(state.landed_commit),
    )


def _find_before(landing: Landing) -> str:
    """Return the target's commit before the landing: a merge by the forge names it, if another change came between."""
    state = landing.state
    parents = landing.git.history.parents(state.landed_commit) if state.landed_commit != state.pushed_commit else ()
    return parents[0] if len(parents) > 1 else state.target_commit


def run_post_push(landing: Landing, there: Landed) -> Verdict:
    """Run the post-push stage; its verdict always has `landed` set, since the commit is on the target."""
    try:
        verdict = _follow_up_verdict(landing, there)
    except CommandError as problem:
        verdict = Verdict(exit=problem.exit, reason=problem.message, hint=problem.hint)
    if verdict.exit in _NOT_LANDED:
        verdict = verdict._replace(exit=ExitCode.UNREACHABLE)
    landing.discard()
    label = verdict.label or ("landed" if verdict.exit is ExitCode.OK else "")
    state = landing.state
    return verdict._replace(
        label=label,
        landed=True,
        sha=there.sha,
        before=there.before,
        proposed=state.pushed_commit if state.pull_number else "",
        tree="unverified" if state.tree_differs else "",
    )


def _follow_up_verdict(landing: Landing, there: Landed) -> Verdict:
    after = landing.dependencies.follow_up
    if after is None:
        return Verdict(exit=ExitCode.OK, reason=f"landed on {there.branch}; CI was not watched")
    hook = post_push_hook(landing.git) if landing.dependencies.runs_post_push_hook else None
    if hook is not None:
        return _run_hook(landing, hook, there)
    if landing.dependencies.runs_post_push_hook:
        _warn_about_ignored_hook(landing)
    if there.skip_marker:
        reason = f"landed on {there.branch}; CI skips the commit, because its message contains {there.skip_marker}"
        return Verdict(exit=ExitCode.OK, label="skipped", reason=reason)
    return after(there)


def _warn_about_ignored_hook(landing: Landing) -> None:
    """Log a warning for a hook that is not executable, in git's words and under git's setting."""
    hook = _hook_file(landing.git)
    if hook.is_file() and landing.git.location.config_value("advice.ignoredHook").lower() != "false":
        text = f"the '{hook}' hook was ignored because it's not set as executable; run chmod +x to use it"
        landing.log(text, source="post-push", level=LogLevel.WARNING)


def _run_hook(landing: Landing, hook: Path, there: Landed) -> Verdict:
    tell, clock = landing.dependencies.tell, landing.dependencies.clock
    listener = ChildOutput("post-push", emit=tell, clock=clock, waiting_for="the post-push hook")
    with run_stage(Stage.WATCH, emit=tell, clock=clock) as report:
        done = landing.dependencies.hooks.stream(
            [str(hook), strip_web_userinfo(there.remote), strip_web_userinfo(there.push_url)],
            listener,
            cwd=landing.git.location.top_level(),
            env={"HOMELAB_IN_LAND": "1"},
            stdin=there.pre_push_line.encode(),
        )
        report.detail = f"the post-push hook {describe_exit(done.code)}"
        if done.start_error:
            report.detail = f"the post-push hook could not be started: {done.start_error}"
        if not done.ok:
            report.mark_failed()
    passed_through = done.code in _PASSED_THROUGH_CODES and not done.start_error
    code = ExitCode.OK if done.ok else ExitCode(done.code) if passed_through else ExitCode.FAILED
    return Verdict(exit=code, reason=report.detail)


def post_push_hook(git: Repository) -> Path | None:
    """Return the repository's own post-push hook; None if there is none or it is not executable."""
    hook = _hook_file(git)
    return hook if hook.is_file() and os.access(hook, os.X_OK) else None


def _hook_file(git: Repository) -> Path:
    return git.location.git_path("hooks") / "post-push"


def unknown_verdict(landing: Landing) -> Verdict:
    """Return the verdict for a push whose result is unknown (8)."""
    state = landing.state
    landing.save(ended_with=ExitCode.UNREACHABLE.verdict)
    return Verdict(
        exit=ExitCode.UNREACHABLE,
        reason=f"unknown whether {state.pushed_commit} is on {state.target}: "
        f"{format_remote_url(state.push_url)} did not respond",
        hint="run git land --continue to query the server again",
        sha=state.pushed_commit,
    )
