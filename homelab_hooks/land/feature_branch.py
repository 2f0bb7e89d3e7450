"""Pushes the topic branch where the target takes no direct pushes, so that a pull request can be opened."""

from __future__ import annotations

import shlex

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.push_result import PushResult, PushStatus
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.land.landing import Landing
from homelab_hooks.land.push_decision import push_error
from homelab_hooks.polling.outcome import Found
from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.verdict import Verdict


def push_feature_branch(landing: Landing, refused: PushResult) -> Verdict:
    """Push the branch and return the verdict `protected` (23). Raises CommandError (24) if it cannot be pushed."""
    git, state = landing.git, landing.state
    outcome = git.transfer.push_commit(
        state.pushed_commit,
        to=state.branch,
        remote=state.remote,
        options=landing.request.push_options,
        listener=landing.listen("push", f"git push of {state.branch}"),
    )
    if outcome.status is not PushStatus.ACCEPTED:
        raise _branch_error(landing, outcome)
    link = outcome.link or refused.link
    landing.log(f"pushed {state.branch}" + (f"; open a pull request: {link}" if link else ""))
    landing.discard()
    return Verdict(
        exit=ExitCode.PROTECTED,
        reason=f"{state.target} is protected: {refused.reason}; {state.branch} was pushed",
        hint=f"open a pull request: {link}" if link else f"open a pull request for {state.branch}",
        sha=state.pushed_commit,
        url=link,
        landed=False,
    )


def _branch_error(landing: Landing, outcome: PushResult) -> CommandError:
    state = landing.state
    problem = push_error(outcome)
    reason, hint = problem.message, problem.hint
    if outcome.status is PushStatus.LOST_RACE:
        reason, hint = describe_divergence(landing)
    return CommandError(
        f"{state.target} is protected, and {state.branch} could not be pushed: {reason}",
        hint=hint,
        exit=ExitCode.PUSH_FAILED,
    )


def describe_divergence(landing: Landing) -> tuple[str, str]:
    """Return why a branch that is not a fast-forward cannot be pushed, and what to do.

    If the server's commit was once this branch's own, the branch was rebased or amended since it was pushed, and the
    push may be forced. Else it has commits of others, and forcing it would lose them.
    """
    git, state = landing.git, landing.state
    remote, branch = format_remote_url(state.remote), strip_control_chars(state.branch)
    theirs = git.remotes.ls_remote_branch(state.push_url, state.branch)
    if isinstance(theirs, Found) and git.history.was_branch_commit(state.branch, theirs.value):
        push = shlex.join(["git", "push", f"--force-with-lease={branch}:{theirs.value}", remote, branch])
        return "it was rebased or amended since it was pushed", f"run {push}, then open a pull request for {branch}"
    pull = shlex.join(["git", "pull", "--no-rebase", remote, branch])
    return f"{remote}/{branch} has other commits", f"run {pull}, then run git land again"
