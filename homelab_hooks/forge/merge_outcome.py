"""The outcome of a merge request, read from the forge's answer.

Theory of operation
===================

A forge answers a merge with a status and a text, and neither is enough alone: Gitea sends 405 for "not yet", "never",
and "already", and 500 for a target that moved as well as for an error. `read_merge_outcome` is a pure function of the
kind of forge, the style, and the answer. It says what to do next (`MergeNext`):

    MERGED        the target should have the merge: read it there before anything is called landed
    RETRY_SOON    send the same request again, for at most RETRY_WINDOW_S; after that, git knows the true cause
    TARGET_MOVED  fetch. If the target contains the head, it is merged; else merge, verify, and push the head again
    HEAD_MOVED    the pull request's head is not the pinned commit: another client pushed, nothing was merged
    POLICY        people, or the settings of the repository, have to act; the text is the forge's own
    DENIED        the token is missing, refused, or may not merge
    SETTLE        it is not known whether the merge happened: look at the target and at the pull request

Rules, and what each prevents:

* The request is sent once for each answer. An answer that did not arrive, an error of the server or a proxy, and every
  answer without a row is SETTLE: a client that hung up after 0.4 s left the target merged and the request open, and
  "Please try again later" was the answer to the second request (recording 03h-merge-policy-and-lost-answer).
* MERGED needs 200 (GitHub: and `merged`). Two clients can both get 200 for one fast-forward (recording
  03i-two-clients-at-once), and 201 means that the forge scheduled a merge, which is never asked for.
* "Please try again later" has four causes in Gitea: a check that runs, a conflict for good, content that the target
  has already, and a merge that was refused a moment ago. Only git can tell them apart.
* An unknown text of a refusal (405) is POLICY with this text. It ends the landing, and nothing was merged.

Gitea's texts are from recordings 02c and 03 to 03j; Forgejo's differ in one row, from its source. GitHub's statuses are
from "Merge a pull request" in its public REST documentation (docs.github.com/en/rest/pulls/pulls), and its texts from
public reports of its answers. Neither Forgejo nor GitHub was seen on a real server.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from http import HTTPStatus
from typing import NamedTuple

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.connection import read_json
from homelab_hooks.forge.responses import find_missing_scope, find_rate_limit_wait_s
from homelab_hooks.net.message import REDIRECT_STATUSES, HttpResponse, RequestFailed
from homelab_hooks.net.retry_after import parse_retry_after
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

RETRY_WINDOW_S = 30.0
"""seconds in which a merge that the forge cannot do yet is sent again; Gitea's checks took 1 to 6 s (recording 03g)"""
_MAX_TEXT_COLUMNS = 300


class MergeNext(Enum):
    """What to do after the answer to a merge request."""

    MERGED = auto()
    RETRY_SOON = auto()
    TARGET_MOVED = auto()
    HEAD_MOVED = auto()
    POLICY = auto()
    DENIED = auto()
    SETTLE = auto()


class MergeOutcome(NamedTuple):
    """What to do next, and why."""

    next: MergeNext
    reason: str = ""
    """the forge's own text without control characters, or why it did not answer"""
    hint: str = ""
    retry_after: float | None = None
    """seconds that the forge asked to wait"""
    merge_commit: str = ""
    """the commit on the target, if the answer names it (GitHub's does)"""


class _Row(NamedTuple):
    status: int
    pattern: str
    """matches the whole text; without regard to case"""
    next: MergeNext
    hint: str = ""


_ACCESS_HINT = "set HOMELAB_FORGE_TOKEN to a token with write access to the repository"
STYLE_HINT = "choose another one with --merge-style"
_WRITE_HINT = "ask for the right to merge into this branch"
_GITEA_ROWS = (
    _Row(405, "please try again later", MergeNext.RETRY_SOON),
    _Row(405, "the pr is already merged", MergeNext.SETTLE),
    _Row(405, "user not allowed to merge pr", MergeNext.DENIED, _WRITE_HINT),
    _Row(405, "the head branch is behind the base branch", MergeNext.TARGET_MOVED),
    _Row(405, ".* is not allowed an allowed merge style for this repository", MergeNext.POLICY, STYLE_HINT),
    _Row(405, "not all required status checks successful", MergeNext.POLICY),
    _Row(405, "does not have enough approvals", MergeNext.POLICY, "ask for a review"),
    _Row(405, "there are requested changes", MergeNext.POLICY, "resolve the review"),
    _Row(405, "there are official review requests", MergeNext.POLICY, "wait for the requested review"),
    _Row(405, "changed protected files", MergeNext.POLICY),
    _Row(405, "wont sign: .*", MergeNext.POLICY, "the forge cannot sign the commit that the rule requires"),
    _Row(405, "work in progress prs cannot be merged", MergeNext.POLICY, "remove the WIP prefix of the title"),
    _Row(405, ".+", MergeNext.POLICY),
    _Row(409, "head out of date", MergeNext.HEAD_MOVED),
    _Row(409, "pushrejected with remote message: .*cannot lock ref.*", MergeNext.TARGET_MOVED),
    _Row(409, "pushrejected with remote message: .*", MergeNext.POLICY),
    _Row(409, "pull request is already scheduled to auto merge.*", MergeNext.POLICY, "cancel the scheduled merge"),
    _Row(409, ".*", MergeNext.SETTLE),
    _Row(422, r"\[do\]: .*", MergeNext.POLICY, STYLE_HINT),
    _Row(423, ".*", MergeNext.POLICY, "an archived repository takes no changes"),
)
"""the first row that matches counts"""
_FORGEJO_ROWS = (_Row(405, "", MergeNext.SETTLE), *_GITEA_ROWS)
"""Forgejo answers "already merged" without a text (its source)"""
_GITHUB_ROWS = (
    _Row(405, "base branch was modified.*", MergeNext.RETRY_SOON),
    _Row(405, "(merge already in progress|pull request merge already in progress).*", MergeNext.RETRY_SOON),
    _Row(409, "(merge already in progress|pull request merge already in progress).*", MergeNext.RETRY_SOON),
    _Row(405, ".*(merge commits|squash merges|rebase merges|squash merge|merge commit|rebase)( are| is) not allowed.*",
         MergeNext.POLICY, STYLE_HINT),
    _Row(405, ".*already merged.*", MergeNext.SETTLE),
    _Row(405, ".*", MergeNext.POLICY),
    _Row(409, "head branch was modified.*", MergeNext.HEAD_MOVED),
    _Row(409, ".*", MergeNext.SETTLE),
    _Row(422, ".*", MergeNext.POLICY),
    _Row(423, ".*", MergeNext.POLICY),
)  # fmt: skip
_ROWS = {ForgeKind.GITEA: _GITEA_ROWS, ForgeKind.FORGEJO: _FORGEJO_ROWS, ForgeKind.GITHUB: _GITHUB_ROWS}


def read_merge_outcome(kind: ForgeKind, style: MergeStyle, answer: HttpResponse | RequestFailed) -> MergeOutcome:
    """Return what to do after an answer to a merge request, or after none.

    >>> text = b'{"message": "head out of date"}'
    >>> read_merge_outcome(ForgeKind.GITEA, MergeStyle.MERGE, HttpResponse(409, {}, text, 0.1)).next.name
    'HEAD_MOVED'
    """
    if isinstance(answer, RequestFailed):
        return _on_no_answer(answer)
    text = _read_message(answer)
    if answer.status == HTTPStatus.OK:
        return _on_success(kind, answer, text)
    if outcome := _find_rate_limit(answer, text) or _find_refusal(answer, text):
        return outcome
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and style is MergeStyle.FAST_FORWARD and not text:
        reason = "the forge cannot fast-forward the target, which has probably moved"
        return MergeOutcome(MergeNext.TARGET_MOVED, reason)  # recordings 03, 03g, 03j: 6 of 6
    matching = (row for row in _ROWS[kind] if row.status == answer.status and _matches(row, text))
    if row := next(matching, None):
        return MergeOutcome(row.next, text, row.hint)
    wait_s = parse_retry_after(answer.headers)
    return MergeOutcome(MergeNext.SETTLE, text or f"the forge answered {answer.status}", retry_after=wait_s)


def _matches(row: _Row, text: str) -> bool:
    return re.fullmatch(row.pattern, text, re.IGNORECASE | re.DOTALL) is not None


def _on_no_answer(failure: RequestFailed) -> MergeOutcome:
    """Return SETTLE, or DENIED if TLS failed before the request was sent."""
    reason = strip_control_chars(failure.reason)
    if failure.certificate_fault:
        hint = "set the CA bundle with git config homelab.caFile; the token was not sent"
        return MergeOutcome(MergeNext.DENIED, reason, hint)
    return MergeOutcome(MergeNext.SETTLE, reason, retry_after=failure.retry_after)


def _on_success(kind: ForgeKind, answer: HttpResponse, text: str) -> MergeOutcome:
    """Return MERGED. Gitea's 200 has no body; GitHub's has `merged` and the commit."""
    if kind is not ForgeKind.GITHUB:
        return MergeOutcome(MergeNext.SETTLE if answer.is_html else MergeNext.MERGED, text)
    match read_json(answer):
        case {"merged": True, "sha": str(sha)} if re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", sha):
            return MergeOutcome(MergeNext.MERGED, text, merge_commit=sha)
        case {"merged": True}:
            return MergeOutcome(MergeNext.MERGED, text)
        case _:
            return MergeOutcome(MergeNext.SETTLE, text or "the forge did not report the merge")


def _find_rate_limit(answer: HttpResponse, text: str) -> MergeOutcome | None:
    wait_s = find_rate_limit_wait_s(answer)
    reason = text or "the forge limits the rate of requests"
    return None if wait_s is None else MergeOutcome(MergeNext.RETRY_SOON, reason, retry_after=wait_s)


def _find_refusal(answer: HttpResponse, text: str) -> MergeOutcome | None:
    """Return DENIED for a token that is missing or may not, and for a redirect; SETTLE for what cannot be found.

    404 is a pull request that was closed, pull requests that are switched off, or a repository that cannot be seen.
    """
    if answer.status in REDIRECT_STATUSES:
        hint = "if the repository was renamed, update the remote's URL: git remote set-url"
        return MergeOutcome(MergeNext.DENIED, "the forge redirects, and a token is not sent along a redirect", hint)
    match answer.status:
        case HTTPStatus.UNAUTHORIZED:
            return MergeOutcome(MergeNext.DENIED, text or "the forge rejected the token", _ACCESS_HINT)
        case HTTPStatus.FORBIDDEN:
            scope = find_missing_scope(answer)
            hint = f"create a token with the scope {scope}, and set HOMELAB_FORGE_TOKEN" if scope else _ACCESS_HINT
            return MergeOutcome(MergeNext.DENIED, text or "the forge refused the merge", hint)
        case HTTPStatus.NOT_FOUND:
            return MergeOutcome(MergeNext.SETTLE, text or "the forge does not find the pull request")
        case _:
            return None


def _read_message(answer: HttpResponse) -> str:
    """Return the forge's own text; empty if the answer has none, such as a web page."""
    match read_json(answer):
        case {"message": str(message)}:
            return truncate_text(strip_control_chars(message).strip(), _MAX_TEXT_COLUMNS)
        case _:
            return ""
