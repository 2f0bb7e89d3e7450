"""Reports what a landing would do and everything that would stop it, without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Log, LogLevel, Progress, Stage, StageChanged
from homelab_hooks.git import remote_url as remotes
from homelab_hooks.land.fetch_error import require_tip
from homelab_hooks.land.landing import Landing
from homelab_hooks.land.overwrite_check import require_nothing_overwritten
from homelab_hooks.land.post_push import post_push_hook
from homelab_hooks.land.preconditions import PreflightFacts, unmet_preconditions
from homelab_hooks.land.preflight import collect_facts, plan_for, require_ci_access, resolve_remote, state_file
from homelab_hooks.land.queue_preview import describe_busy_target
from homelab_hooks.land.request import (
    DetectVerification,
    LandingDependencies,
    LandRequest,
    SkipVerification,
    VerifyCommand,
)
from homelab_hooks.land.state import LandingState, landing_holder, lock_held_error
from homelab_hooks.land.verification import choose_candidate, detect_in, probe_with
from homelab_hooks.text.humanize import join_names, pluralize, short_sha
from homelab_hooks.text.sanitize import strip_control_chars

T = TypeVar("T")
_NOTHING_TO_LAND = "nothing to land"


def report_dry_run(request: LandRequest, dependencies: LandingDependencies) -> tuple[str, tuple[CommandError, ...]]:
    """Report what a landing would do; return the commit and everything that would stop it, in order."""
    found: list[CommandError] = []
    git = dependencies.git
    remote = _collecting(found, lambda: resolve_remote(request, git)) or ""
    facts, state = collect_facts(request, git, remote)
    found += unmet_preconditions(facts)
    _collecting(found, lambda: _require_unlocked(git.location.homelab_dir()))
    has_access = _collecting(found, lambda: _has_ci_access(dependencies))
    landing = Landing(dependencies, state_file(git), state)
    tip = _collecting(found, lambda: _target_commit(landing)) or ""
    if tip and facts.head and git.history.has_commit(tip):
        _collecting(found, lambda: require_nothing_overwritten(landing, tip, head=facts.head))
    merging = _merge_line(landing, facts, tip)
    more = (
        ()
        if merging.endswith(_NOTHING_TO_LAND)
        else (
            _collecting(found, lambda: _verify_line(landing)),
            _collecting(found, lambda: describe_busy_target(dependencies, state.target)) if has_access else "",
            _collecting(found, lambda: _push_line(landing)),
            _follow_line(dependencies),
        )
    )
    for line in (merging, *more):
        if line:
            landing.log(line)
    each = tuple({problem.message: problem for problem in reversed(found)}.values())[::-1]
    for problem in each if len(each) > 1 else ():  # a single problem is the result
        landing.log(f"would be refused: {problem.message}" + (f"; {problem.hint}" if problem.hint else ""))
    progress = Progress.FAILED if each else Progress.DONE
    detail = each[0].message if each else ""
    dependencies.tell(StageChanged(stage=Stage.PREFLIGHT, progress=progress, detail=detail))
    return facts.head, each


def _collecting(found: list[CommandError], act: Callable[[], T]) -> T | None:
    try:
        return act()
    except CommandError as problem:
        found.append(problem)
        return None


def _has_ci_access(dependencies: LandingDependencies) -> bool:
    require_ci_access(dependencies)
    return True


def _require_unlocked(directory: Path) -> None:
    holder = landing_holder(directory)
    if holder:
        raise lock_held_error(holder)


def _target_commit(landing: Landing) -> str:
    """Query the server for the target's commit."""
    git, state = landing.git, landing.state
    if not state.remote or not state.target:
        return ""
    return require_tip(git.remotes.ls_remote_branch(state.push_url, state.target), landing.upstream)


def _merge_line(landing: Landing, facts: PreflightFacts, tip: str) -> str:
    git, strategy = landing.git, landing.request.strategy
    if not tip or not facts.head:
        return ""
    at = f"{landing.upstream} is at {short_sha(tip)}"
    if not git.history.has_commit(tip):
        return f"{at}, not fetched yet: would fetch it and land {facts.branch} by {strategy}"
    ahead, behind = git.history.commits_ahead(of=tip, sha=facts.head), git.history.commits_ahead(of=facts.head, sha=tip)
    if not ahead:
        return f"{at} and contains {facts.branch}: {_NOTHING_TO_LAND}"
    new = f"{pluralize(behind, 'commit')} not in {facts.branch}" if behind else f"already in {facts.branch}"
    line = f"{at}, {new}: would land {pluralize(ahead, 'commit')}"
    if behind and strategy is Strategy.FF_ONLY:
        return f"{line}, but cannot fast-forward (exit code 21)"
    files = git.preview.merge(facts.head, tip).conflicts if behind else ()
    return f"{line} by {strategy}" + (f", with conflicts in: {join_names(files)} (exit code 21)" if files else "")


def _verify_line(landing: Landing) -> str:
    chosen = landing.request.verify
    if isinstance(chosen, DetectVerification):
        found = detect_in(landing.git.location.top_level())
        chosen = choose_candidate(found, probe_with(landing.dependencies.commands)) if found else chosen
    match chosen:
        case VerifyCommand(command, why):
            return f"would verify with `{command}` (from {why})"
        case SkipVerification():
            return "would not verify: --no-verify"
        case DetectVerification():
            return ""  # one of the unmet preconditions


def _push_line(landing: Landing) -> str:
    state = landing.state
    if not state.remote or not state.target:
        return ""
    if _needs_request(landing):
        return (
            f"would open or find the pull request of {state.branch} into {state.target}, and merge it once it is green"
        )
    return f"would push to {state.target} on {state.remote}, {remotes.format_remote_url(state.push_url)}"


def _needs_request(landing: Landing) -> bool:
    """Return whether the target takes no direct pushes, and a pull request is to be merged. Raises CommandError."""
    return plan_for(landing.dependencies, landing.state) is not None


def _follow_line(dependencies: LandingDependencies) -> str:
    if dependencies.follow_up is None:
        return "would not watch CI"
    hook = post_push_hook(dependencies.git) if dependencies.runs_post_push_hook else None
    return f"would run {hook}" if hook else f"would {dependencies.follow_up_label}"


def report_what_follows(
    request: LandRequest, dependencies: LandingDependencies, target: tuple[str, str, str]
) -> tuple[CommandError, ...]:
    """Report what a landing on a target would do after its commit is made; return everything that would stop it.

    Args:
        target: the remote, its branch, and the push URL.
    """
    found: list[CommandError] = []
    git, (remote, branch, push_url) = dependencies.git, target
    state = LandingState(
        request=request, branch="", target=branch, remote=remote, push_url=push_url, original_commit=git.history.head()
    )
    landing = Landing(dependencies, state_file(git), state)
    _collecting(found, lambda: _require_unlocked(git.location.homelab_dir()))
    has_access = _collecting(found, lambda: _has_ci_access(dependencies))
    lines = (
        _collecting(found, lambda: _verify_line(landing)),
        _collecting(found, lambda: describe_busy_target(dependencies, branch)) if has_access else "",
        _push_line(landing),
        _follow_line(dependencies),
    )
    for line in filter(None, lines):
        landing.log(line)
    return tuple(found)


def log_line(dependencies: LandingDependencies, text: str, *, level: LogLevel = LogLevel.INFO) -> None:
    """Log a line for the user, outside of a landing."""
    dependencies.tell(Log(source="homelab", text=strip_control_chars(text), level=level))
