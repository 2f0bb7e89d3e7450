"""What a push came to, read from git's exit code and words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from homelab_hooks.text.sanitize import strip_control_chars, truncate_text
from homelab_hooks.text.url_secrets import strip_userinfo


class PushStatus(Enum):
    """The outcomes of a push."""

    ACCEPTED = auto()
    """the server has the commit on the branch"""
    LOST_RACE = auto()
    """the branch has moved: fetch, merge and verify again"""
    REF_LOCKED = auto()
    """another update holds the ref's lock: the same push may work in a moment"""
    PROTECTED = auto()
    """the branch takes no direct pushes from this user"""
    REFUSED = auto()
    """the server, or git itself, says no for another reason"""
    LOCAL_HOOK = auto()
    """the repository's own pre-push hook says no; nothing was sent"""
    DENIED = auto()
    """who we are, or may do, was not accepted; nothing was sent"""
    UNREACHABLE = auto()
    """no connection; nothing was sent"""
    UNKNOWN = auto()
    """contact was lost when the commit may have been on its way: only the server can tell"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What a push came to; `said` are the words of server, hook and git, fit to be shown."""

    status: PushStatus
    reason: str = ""
    output: tuple[str, ...] = ()
    link: str = ""
    """where the server says a pull request can be opened or found"""
    confirmed: bool = True
    """false where git reported the commit accepted and then failed, or ended well without a word about it"""


_REF_LINE = re.compile(r"(?P<flag>[ *=+!-])\t(?P<source>[^\t]*):(?P<ref>[^\t:]+)\t(?P<summary>.*)")
_LINK = re.compile(r"https?://\S+(?:/pulls?/|/merge_requests/|/pull-requests|/compare/)\S*")
_SIDEBAND_PREFIX = re.compile(r"is at (?P<now>[0-9a-f]{40,64}) but expected [0-9a-f]{40,64}")
_NOISE = re.compile(r"hint:|error: failed to push some refs to|To |Done$|remote:\s*(?:error:)?\s*$|error:\s*$")

_MOVED = re.compile(r"fetch first|non-fast-forward|stale info|remote ref updated|incorrect old value|already exists")
_REF_TAKEN = re.compile(r"failed to update ref|atomic transaction failed|incorrect old value|reference already exists")
_LOCK_HELD = re.compile(
    r"Unable to create '[^']*\.lock': File exists|unable to lock|another git process", re.IGNORECASE
)
_PROTECTED = re.compile(
    r"Not allowed to push to protected branch"  # Gitea, Forgejo
    r"|\bGH006\b|\bGH013\b"  # GitHub
    r"|not allowed to push code to protected branches",  # GitLab
)
# Git's own words stand at the start of a line; a hook's may stand anywhere.
_CUT_OFF = re.compile(
    r"^(?:error: RPC failed|fatal: the remote end hung up|send-pack: unexpected disconnect|fatal: early EOF"
    r"|fatal: protocol error|fatal: write error|client_loop: send disconnect|fatal: unable to write)",
    re.MULTILINE,
)
_BEFORE_SENDING = re.compile(
    r"^(?:error: (?:src|dst) refspec|error: unable to delete|fatal: the receiving end does not support"
    r"|The following submodule paths contain changes)",
    re.MULTILINE,
)
_REFUSED_PATTERN = re.compile(
    r"archived|mirror repository .*read-only|Push to create is not enabled|Cannot find repository|[Nn]ot found",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"Authentication failed|could not read (?:Username|Password)|Permission denied|not authorized to"
    r"|Failed to authenticate|Host key verification failed|returned error: 40[13]|terminal prompts disabled"
    r"|Too many authentication failures|Invalid username or password|denied to deploy key",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"Could not resolve|Couldn't resolve|Failed to connect|Couldn't connect|unable to connect|timed? ?out"
    r"|returned error: (?:408|429|5\d\d)|Connection (?:refused|reset|closed)|Network is unreachable|No route to host"
    r"|Empty reply from server|Temporary failure in name resolution|gnutls_handshake|SSL_ERROR|SSL connection",
    re.IGNORECASE,
)
_SAYS_LITTLE = re.compile(r"Could not read from remote repository\.$|error: hook declined to update")
_FRAMEWORK_FAILED = re.compile(r"\.{3,}\s*Failed$")
"""how pre-commit and prek tell which of their hooks refused, among those that passed"""
_UNPUSHED = "not be found on any remote:"
_FATAL_EXIT_CODE = 128


def parse_push_output(code: int, out: str, err: str, *, ref: str, sha: str = "") -> PushResult:
    r"""What a `git push --porcelain` of one commit to `ref` (a full name) came to.

    Args:
        code: git's exit code, negative for a signal.
        sha: the commit that was pushed: a server that has it already has it, whatever else it says.

    >>> out = "!\trefs/heads/m:refs/heads/m\t[rejected] (fetch first)\nDone\n"
    >>> parse_push_output(1, out, "", ref="refs/heads/m").status.name
    'LOST_RACE'
    """
    # A pre-push hook's standard output arrives among git's own lines.
    read_out = [(line, _REF_LINE.fullmatch(line)) for line in out.split("\n")]
    said = (*output_lines("\n".join(line for line, about in read_out if not about)), *output_lines(err))
    link = next((found[0] for line in said if (found := _LINK.search(line))), "")
    mine = next((about for _, about in read_out if about and about["ref"] == ref), None)
    if code == 0:
        kind = PushStatus.ACCEPTED
    elif mine is None:
        kind = _status_without_ref_line(code, err)
    elif mine["flag"] == "!":
        kind = _rejected_status(mine["summary"], err, sha)
    else:
        kind = PushStatus.ACCEPTED
    why = _reason(kind, mine["summary"] if mine else "", said)
    # Without a word about the ref some setting may have made git push something else.
    return PushResult(status=kind, reason=why, output=said, link=link, confirmed=code == 0 and mine is not None)


def output_lines(err: str) -> tuple[str, ...]:
    r"""Standard error without git's advice, framing and padding, fit to be shown.

    >>> output_lines("remote: error:        \nremote: error: No.   \nhint: try\n")
    ('remote: error: No.',)
    """
    lines = (truncate_text(strip_control_chars(strip_userinfo(line))) for line in err.splitlines())
    return tuple(line for line in lines if line and not _NOISE.match(line))


def _rejected_status(summary: str, err: str, sha: str) -> PushStatus:
    now = _SIDEBAND_PREFIX.search(err)
    if now and sha and now["now"] == sha:
        return PushStatus.ACCEPTED
    if "[remote failure]" in summary:
        return PushStatus.UNKNOWN
    if "[remote rejected]" not in summary:
        moved = _MOVED.search(summary) and not summary.endswith("(already exists)")
        return PushStatus.LOST_RACE if moved else PushStatus.REFUSED
    if now or "incorrect old value" in summary or "reference already exists" in summary:
        return PushStatus.LOST_RACE
    if _REF_TAKEN.search(summary):
        return PushStatus.REF_LOCKED if _LOCK_HELD.search(err) else PushStatus.REFUSED
    return PushStatus.PROTECTED if _PROTECTED.search(f"{err}\n{summary}") else PushStatus.REFUSED


def _status_without_ref_line(code: int, err: str) -> PushStatus:
    if _BEFORE_SENDING.search(err):
        return PushStatus.REFUSED
    if code < 0 or code > _FATAL_EXIT_CODE or _CUT_OFF.search(err):
        return PushStatus.UNKNOWN
    return PushStatus.LOCAL_HOOK if code < _FATAL_EXIT_CODE else classify_transport_error(err)


def classify_transport_error(err: str) -> PushStatus:
    """Why git did not get as far as exchanging commits, for a push and a fetch alike."""
    if _REFUSED_PATTERN.search(err):
        return PushStatus.REFUSED
    if _DENIED.search(err):
        return PushStatus.DENIED
    return PushStatus.UNREACHABLE if _UNREACHABLE.search(err) else PushStatus.REFUSED


def _reason(kind: PushStatus, summary: str, said: Sequence[str]) -> str:
    """The one line that says most: the server's own, else git's."""
    if kind is PushStatus.ACCEPTED:
        return ""
    if _UNPUSHED in said[:-1]:
        return f"the commit of a submodule is on none of its remotes: {said[said.index(_UNPUSHED) + 1].strip()}"
    for mark in ("remote: error: ", "remote: fatal: ", "remote: ", "fatal: ", "error: "):
        for line in said:
            if line.startswith(mark) and not _SAYS_LITTLE.search(line):
                return line.removeprefix(mark)
    failed = next((line for line in said if _FRAMEWORK_FAILED.search(line)), "")
    first = failed or next(iter(said), "")
    return first or strip_control_chars(summary) or "git said nothing"
