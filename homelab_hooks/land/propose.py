"""The stage `propose`: pushes the topic branch, and finds its pull request or opens one."""

from __future__ import annotations

from homelab_hooks.errors import CommandError
from homelab_hooks.events import LogLevel, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.provider import REQUEST_TIMEOUT_S
from homelab_hooks.forge.pull_requests import AlreadyOpen, NewPullRequest, NothingToMerge, PullRequest
from homelab_hooks.git.push_result import PushStatus
from homelab_hooks.land.feature_branch import describe_divergence
from homelab_hooks.land.forge_wait import ask_until_answered
from homelab_hooks.land.landing import Landing
from homelab_hooks.land.proposal import ForgeRepository, read_poll
from homelab_hooks.land.push_decision import push_error
from homelab_hooks.land.tree_check import BEFORE_PUSH, require_same_tree
from homelab_hooks.polling.outcome import Found, NotFound, Poll

_SUBJECT = "the pull request"


def propose_commit(landing: Landing, place: ForgeRepository, sha: str) -> PullRequest:
    """Push the verified commit to the topic branch, and return its open pull request."""
    with landing.stage(Stage.PROPOSE) as report:
        require_same_tree(landing, sha, when=BEFORE_PUSH)
        landing.save(pushed_commit=sha)
        _push_branch(landing, sha)
        pull = _find_or_open(landing, place)
        landing.save(pull_number=pull.number, pull_url=pull.url)
        report.detail = f"#{pull.number} of {landing.state.branch} into {landing.state.target}"
        if pull.url:
            landing.log(f"pull request: {pull.url}")
    return pull


def _push_branch(landing: Landing, sha: str) -> None:
    """Push the topic branch; the server's own commits of it are never overwritten."""
    state = landing.state
    outcome = landing.git.transfer.push_commit(
        sha,
        to=state.branch,
        remote=state.remote,
        options=landing.request.push_options,
        listener=landing.listen("push", f"git push of {state.branch}"),
    )
    if outcome.status is PushStatus.ACCEPTED and outcome.confirmed:
        return
    there = landing.poller.ls_remote_branch(state.push_url, state.branch)
    if isinstance(there, Found) and there.value == sha:
        return
    if outcome.status is PushStatus.LOST_RACE:
        reason, hint = describe_divergence(landing)
        raise CommandError(f"{state.branch} could not be pushed: {reason}", hint=hint, exit=ExitCode.REFUSED)
    problem = push_error(outcome)
    message = f"{state.branch} could not be pushed: {problem.message}"
    raise CommandError(message, hint=problem.hint, exit=problem.exit)


def _find_or_open(landing: Landing, place: ForgeRepository) -> PullRequest:
    found = _find(landing, place)
    if not isinstance(found, NotFound):
        return _read_pull(found)
    state = landing.state
    new = NewPullRequest(state.branch, state.target, _make_title(landing))
    opened = place.forge.pulls.open(place.repo, new, within=REQUEST_TIMEOUT_S)
    match opened:
        case Found(PullRequest() as pull):
            return pull
        case Found(NothingToMerge(reason)):
            raise CommandError(f"the forge opens no pull request: {reason}", exit=ExitCode.PROTECTED)
        case Found(AlreadyOpen(reason)):
            return _read_pull(_find(landing, place))
        case _:
            landing.log("the answer to the new pull request is not usable; looking for it", level=LogLevel.WARNING)
            again = _find(landing, place)
            return _read_pull(again if isinstance(again, Found) else _as_failure(opened))


def _read_pull(poll: Poll[PullRequest]) -> PullRequest:
    """Return the pull request. Raises CommandError if the forge did not return it."""
    found: PullRequest = read_poll(poll, _SUBJECT)
    return found


def _as_failure(opened: Poll[object]) -> Poll[PullRequest]:
    assert not isinstance(opened, Found)  # noqa: S101 - every answer that was found is handled before
    return opened


def _find(landing: Landing, place: ForgeRepository) -> Poll[PullRequest]:
    find, state = place.forge.pulls.find_open, landing.state
    return ask_until_answered(landing, lambda within: find(place.repo, state.branch, state.target, within=within))


def _make_title(landing: Landing) -> str:
    """Return the subject of the branch's last commit, else the branch's name."""
    message = landing.git.history.commit_message(landing.state.original_commit)
    return next(iter(message.splitlines()), "") or landing.state.branch
