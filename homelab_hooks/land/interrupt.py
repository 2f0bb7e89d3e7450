"""The verdict after Ctrl-C or SIGTERM; queries the server if it is unknown whether the commit has landed."""

from __future__ import annotations

from collections.abc import Callable

from homelab_hooks.errors import Terminated
from homelab_hooks.events import Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.landed import BranchQuery, as_landed
from homelab_hooks.git.remotes import Remotes
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.resume import RECHECK_AFTER_S, with_credentials
from homelab_hooks.land.run import pending_landing
from homelab_hooks.land.state import LandingState
from homelab_hooks.polling.loop import Clock
from homelab_hooks.verdict import Verdict

PUSH_EXIT_GRACE_S = 1.5
"""seconds to wait for the push to end; it has received the signal too"""
ANSWER_TIMEOUT_S = 2.0
"""timeout in seconds for each query of the server, while the user waits for the command to end"""
_RESUME_HINT = "run git land --continue to resume the landing, or git land --abort to restore the branch"

ArrivalCheck = Callable[[LandingState], bool | None]


def interrupt_verdict(
    git: Repository,
    *,
    previous: LandingState | None = None,
    ask: ArrivalCheck = lambda _: None,
    exit: ExitCode = ExitCode.INTERRUPTED,  # noqa: A002 - the glossary's word
) -> Verdict:
    """Return the verdict of an interrupted landing, with the command that resumes it.

    Args:
        previous: the saved state before this landing began. If it has not changed, this landing has saved nothing.
        ask: returns whether an interrupted push reached the server; None if that is unknown.
        exit: the exit code of the verdict.
    """
    state = pending_landing(git)
    if state is None:
        return Verdict(exit=exit, reason="interrupted", landed=False)
    if state == previous and git.history.head() not in {state.landed_commit, state.pushed_commit}:
        return Verdict(
            exit=exit, reason="interrupted before anything was changed", sha=git.history.head(), landed=False
        )
    there = bool(state.landed_commit) or (ask(state) if state.push_unconfirmed else False)
    if there:
        sha = state.landed_commit or state.pushed_commit
        reason = f"interrupted after landing {sha} on {state.target}"
        again = state.request.resume_command(sha)
        if state.pull_number and not state.landed_commit:  # the commit to follow is that of the merge
            again = "git land --continue"
        hint = f"to resume, run: {again}" if again else ""
        return Verdict(exit=exit, reason=reason, hint=hint, sha=sha, landed=True, resume=again)
    if there is None:
        reason = f"interrupted while pushing: unknown whether {state.pushed_commit} is on {state.target}"
        return Verdict(exit=exit, reason=reason, hint=_RESUME_HINT, sha=state.pushed_commit)
    where = f"while waiting to push to {state.target}" if state.stage is Stage.QUEUE else f"at {state.stage}"
    return Verdict(exit=exit, reason=f"interrupted {where}", hint=_RESUME_HINT, sha=state.original_commit, landed=False)


def check_arrived(state: LandingState, *, git: Repository, asking: Remotes, clock: Clock) -> bool | None:
    """Return whether the pushed commit is on the target; None if that is unknown after a few seconds.

    Returns False only if no push is running any more and two queries did not find the commit: a server may still
    process a push that it has received.

    Args:
        asking: queries the server; must not prompt.
    """
    try:
        until = clock.now() + PUSH_EXIT_GRACE_S
        while git.transfer.running_push_pid(state.pushed_commit) and clock.now() < until:
            clock.sleep(0.1)
        there = _on_target(state, git, asking)
        if there is False:
            clock.sleep(RECHECK_AFTER_S)
            there = _on_target(state, git, asking)
        if there is False and state.pull_number:  # a forge may merge for seconds after the client has gone
            return None
        return None if there is False and git.transfer.running_push_pid(state.pushed_commit) else there
    except (KeyboardInterrupt, Terminated):  # a second Ctrl-C
        return None


def _on_target(state: LandingState, git: Repository, asking: Remotes) -> bool | None:
    query = BranchQuery(remotes=asking, history=git.history, timeout=ANSWER_TIMEOUT_S, fetches=False)
    return as_landed(query.poll(state.pushed_commit, url=with_credentials(state, git).push_url, branch=state.target))
