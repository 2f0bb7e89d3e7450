"""Reads pull requests, branches, and repositories, whose JSON is the same for Gitea, Forgejo, and GitHub in most parts.

Gitea 1.26: recordings 01, 02, and 02c. GitHub: "Pulls" and "Branches" in its public REST documentation, not seen on a
real server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.forge.pull_requests import PullRequest, PullRequestState
from homelab_hooks.text.json_fields import (
    Json,
    UnexpectedShape,
    read_display_text,
    read_list,
    read_number,
    read_object,
    read_text,
)

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def parse_pull_request(raw: object) -> PullRequest:
    """Read a pull request. Raises UnexpectedShape.

    The commit of a merge counts only if the request is merged: GitHub shows a test merge in `merge_commit_sha` before.
    """
    json = read_object(raw)
    head, base = read_object(json.get("head")), read_object(json.get("base"))
    merged = json.get("merged") is True or bool(json.get("merged_at"))
    state = PullRequestState.MERGED if merged else _read_state(json)
    head_repo = read_object(head.get("repo") or {})
    return PullRequest(
        number=read_number(json, "number", required=True),
        state=state,
        head_sha=read_sha(head, "sha"),
        head_branch=read_display_text(head, "ref"),
        head_repo=read_display_text(head_repo, "full_name"),
        base_branch=read_display_text(base, "ref"),
        url=read_display_text(json, "html_url"),
        title=read_display_text(json, "title"),
        is_draft=json.get("draft") is True,
        merge_commit=read_sha(json, "merge_commit_sha") if merged and json.get("merge_commit_sha") else "",
        merged_by=_read_login(json, "merged_by"),
        closed_by=_read_login(json, "closed_by"),
    )


def _read_state(json: Json) -> PullRequestState:
    """Return open or closed; a word that is not known is an error, because an open request is merged."""
    match read_text(json, "state", required=True):
        case "open":
            return PullRequestState.OPEN
        case "closed":
            return PullRequestState.CLOSED
        case other:
            raise UnexpectedShape(f"state is {other[:20]!r}")


def parse_pull_requests(raw: object) -> tuple[PullRequest, ...]:
    """Read a page of pull requests. Raises UnexpectedShape."""
    return read_list(raw, parse_pull_request)


def parse_branch_tip(raw: object) -> str:
    """Return the commit of a branch: `id` on Gitea, `sha` on GitHub. Raises UnexpectedShape."""
    commit = read_object(read_object(raw).get("commit"))
    return read_sha(commit, "id" if "id" in commit else "sha")


def read_sha(json: Json, key: str) -> str:
    """Return the full ID of a commit. Raises UnexpectedShape."""
    sha = read_text(json, key, required=True)
    if not _SHA.fullmatch(sha):
        raise UnexpectedShape(f"{key} is not the ID of a commit")
    return sha


def read_flag(json: Json, key: str) -> bool | None:
    """Return a flag; None if the forge does not show it, or does not know it yet."""
    value = json.get(key)
    return value if isinstance(value, bool) else None


def _read_login(json: Json, key: str) -> str:
    person = json.get(key)
    return read_display_text(read_object(person), "login") if person else ""


def read_allowed_styles(json: Json, keys: Mapping[str, MergeStyle]) -> frozenset[MergeStyle] | None:
    """Return the merge styles of a repository; None if the answer has none of these flags."""
    if not any(key in json for key in keys):
        return None
    return frozenset(style for key, style in keys.items() if json.get(key) is True)


def quote_branch(branch: str) -> str:
    """Return a branch for the path of a GET; slashes stay (recording 01), and no dot segment does."""
    return "/".join(
        "%2E" * len(part) if part in {".", ".."} else quote(part, errors="replace") for part in branch.split("/")
    )
