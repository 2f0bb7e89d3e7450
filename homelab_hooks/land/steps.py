"""The steps of a landing: fetch, verify, push, query the server."""

from __future__ import annotations

from typing import assert_never

from homelab_hooks.errors import CommandError
from homelab_hooks.events import LogLevel, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.stage import StageReport
from homelab_hooks.git.landed import BranchQuery, as_landed
from homelab_hooks.git.push_result import PushResult, PushStatus
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.land.contention import MAX_FIRST_QUIET_S, begins_attempt
from homelab_hooks.land.landing import ABORT_HINT, Landing
from homelab_hooks.land.push_decision import Retry, WaitForTurn
from homelab_hooks.land.request import DetectVerification, SkipVerification, VerifyCommand
from homelab_hooks.land.submodules import push_submodules_first
from homelab_hooks.land.tree_check import (
    BEFORE_PUSH,
    BEFORE_VERIFICATION,
    DURING_VERIFICATION,
    require_same_tree,
)
from homelab_hooks.land.verification import (
    VerificationRun,
    choose_candidate,
    detect_in,
    probe_with,
    run_verification,
    verification_error,
)
from homelab_hooks.polling.outcome import Found
from homelab_hooks.text.durations import format_duration
from homelab_hooks.text.humanize import short_sha

MAX_QUERIES = 3
"""queries to the server about a push whose result is unknown"""


def fetch_target(landing: Landing) -> str:
    """Fetch the target from the URL that will be pushed to; return its commit."""
    git, state = landing.git, landing.state
    landing.round_began = landing.dependencies.clock.now()
    with landing.stage(Stage.FETCH) as report:
        source = git.remotes.choose_fetch_source(state.remote, state.push_url)
        listener = landing.listen("fetch", f"git fetch of {landing.upstream}")
        tip, done = git.transfer.fetch_tip(source.name, state.target, remote=source.tracking, listener=listener)
        if not tip:
            from homelab_hooks.land.fetch_error import fetch_error

            raise fetch_error(done, landing.upstream)
        landing.save(target_commit=tip)
        if git.history.is_shallow() and not git.history.common_ancestor(git.history.head(), tip):
            git.transfer.fetch_all_history(source.name, listener=listener)
        report.detail = f"{landing.upstream} is at {short_sha(tip)}"
    return tip


def verify_commit(landing: Landing, sha: str) -> None:
    """Verify the tree that will be pushed, once. Raises CommandError (22) if that fails or changes the tree."""
    git = landing.git
    with landing.stage(Stage.VERIFY) as report:
        chosen = verification_command(landing)
        if chosen is None:
            report.mark_skipped("--no-verify")
            return
        tree = git.history.tree_of(sha)
        if tree == landing.state.verified_tree:
            report.mark_skipped("this tree is already verified")
            return
        require_same_tree(landing, sha, when=BEFORE_VERIFICATION)
        landing.log(f"verifying with `{chosen.command}` (from {chosen.why})", source="verify")
        _run_verification(landing, chosen, report)
        require_same_tree(landing, sha, when=DURING_VERIFICATION)
        landing.save(verified_tree=tree)
        report.detail = chosen.command


def verification_command(landing: Landing) -> VerifyCommand | None:
    """Return the verification command; None with --no-verify."""
    match landing.request.verify:
        case SkipVerification():
            return None
        case VerifyCommand() as chosen:
            return chosen
        case DetectVerification():
            found = detect_in(landing.git.location.top_level())
            if found is None:
                raise CommandError(
                    "no verification command found",
                    hint="pass --verify-cmd CMD, or run git config homelab.verify CMD",
                    exit=ExitCode.REFUSED,
                )
            return choose_candidate(found, probe_with(landing.dependencies.commands))


def _run_verification(landing: Landing, chosen: VerifyCommand, report: StageReport) -> None:
    run = VerificationRun(chosen.command, landing.git.location.top_level(), env={"HOMELAB_IN_LAND": "1"})
    dependencies = landing.dependencies
    done = run_verification(run, dependencies.commands, emit=dependencies.tell, clock=dependencies.clock)
    if not done.ok:
        failure = verification_error(run, done, hint=f"fix the problem, commit, then run git land again; {ABORT_HINT}")
        report.detail = failure.message.removeprefix("verification failed: ")  # the view prints the stage before it
        raise failure


def push_commit(landing: Landing, sha: str) -> PushResult:
    """Push the commit that was verified."""
    with landing.stage(Stage.PUSH) as report:
        push_submodules_first(landing, sha)
        require_same_tree(landing, sha, when=BEFORE_PUSH)
        _require_same_remote(landing)
        landing.save(pushed_commit=sha, push_attempts=landing.state.push_attempts + 1, push_unconfirmed=True)
        state = landing.state
        options = landing.request.push_options
        listener = landing.listen("push", f"git push to {landing.upstream}")
        transfer, clock = landing.git.transfer, landing.dependencies.clock
        began = clock.now()
        outcome = transfer.push_commit(sha, to=state.target, remote=state.remote, options=options, listener=listener)
        if transfer.has_pre_push_hook():
            outcome = outcome._replace(hook_took_s=clock.now() - began)
        uncertain = outcome.may_have_arrived or outcome.status in {PushStatus.ACCEPTED, PushStatus.UNKNOWN}
        landing.save(push_unconfirmed=uncertain)
        for refusal in outcome.failed_elsewhere:
            text = f"the remote's other push URL did not take the commit: {refusal}"
            landing.log(text, source="push", level=LogLevel.WARNING)
        report.detail = outcome.reason or f"{short_sha(sha)} to {landing.upstream}"
        if outcome.status is not PushStatus.ACCEPTED:
            report.mark_failed()
    return outcome


def _require_same_remote(landing: Landing) -> None:
    """Raise CommandError if the remote's push URL has changed since the landing began."""
    state = landing.state
    urls = landing.git.remotes.push_urls(state.remote)
    if urls and urls[0] != state.push_url:
        raise CommandError(
            f"the push URL of {format_remote_url(state.remote)} changed during the landing: "
            f"{format_remote_url(urls[0])}, not {format_remote_url(state.push_url)}",
            hint=f"restore it with git remote set-url, then run git land again; {ABORT_HINT}",
            exit=ExitCode.REFUSED if state.nothing_done else ExitCode.VERIFY_FAILED,
        )


def query_pushed(landing: Landing) -> bool | None:
    """Query the server whether the pushed commit is on the target; None if it does not respond."""
    git, state = landing.git, landing.state
    query = BranchQuery(remotes=git.remotes, history=git.history)
    for turn in range(MAX_QUERIES):
        answer = query.poll(state.pushed_commit, url=state.push_url, branch=state.target)
        if isinstance(answer, Found):
            return as_landed(answer)
        landing.log(f"could not query the result of the push: {answer.reason}", source="push", level=LogLevel.WARNING)
        if turn + 1 < MAX_QUERIES:
            landing.dependencies.clock.sleep(2.0**turn)
    return None


def wait_to_retry(landing: Landing, decision: Retry | WaitForTurn) -> None:
    """Wait until the next attempt."""
    match decision:
        case Retry(delay, why):
            landing.log(f"{why}; retrying in {format_duration(delay)}", level=LogLevel.WARNING)
            landing.dependencies.clock.sleep(delay)
        case WaitForTurn(why) if landing.state.push_attempts == 1 and _serializes_pushes(landing):
            landing.log(f"{why}; waiting for its pipeline", level=LogLevel.WARNING)
        case WaitForTurn(why):
            _wait_for_turn(landing, why)
        case _:
            assert_never(decision)


def _serializes_pushes(landing: Landing) -> bool:
    if (queue := landing.dependencies.queue) is None:
        return False
    from homelab_hooks.land.queue import serializes_pushes

    return serializes_pushes(landing, queue)


def _wait_for_turn(landing: Landing, why: str) -> None:
    """Poll the target until it is time for the next attempt; where it cannot be polled, wait about a round."""
    clock, jitter, state = landing.dependencies.clock, landing.dependencies.jitter, landing.state
    known = landing.contention = landing.contention.lost_race(clock.now() - landing.round_began)
    when = f"retrying after the next landing, or in {format_duration(known.quiet_s)} if there is none"
    landing.log(f"{why}; {when}", level=LogLevel.WARNING)
    while True:
        answer = landing.poller.ls_remote_branch(state.push_url, state.target)
        if not isinstance(answer, Found):
            clock.sleep(min(known.round_s, MAX_FIRST_QUIET_S) * (0.5 + jitter()))
            return
        before, now = known, clock.now()
        known = landing.contention = known.polled(answer.value, now)
        if begins_attempt(before, known, now=now, draw=jitter()):
            return
        clock.sleep(known.poll_interval_s(jitter()))
