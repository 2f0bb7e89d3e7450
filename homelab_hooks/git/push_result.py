"""The result of a push, read from git's exit code and output.

Theory of operation
===================

`git push --porcelain` reports what happened in three places, and none is enough alone: the exit code, one line for
each ref on standard output, and text on standard error, where the server's messages, the hook's and git's own are
mixed. `parse_push_output` is a pure function of the three. It answers one question: may the server have the commit?

Statuses (`PushStatus`), by where the push ended:

    before a connection     LOCAL_HOOK    the repository's pre-push hook refused
                            UNREACHABLE   no connection
                            DENIED        authentication or authorization failed
                            REFUSED       git, the server, or a proxy refused for another reason
    the server answered     ACCEPTED      the branch is at our commit
                            LOST_RACE     the branch is not where the push expected it
                            REF_LOCKED    another update holds the ref's lock
                            PROTECTED     the branch takes no direct pushes
                            REFUSED       a server hook, or a rule, refused
    neither                 UNKNOWN       contact was lost while the commit may have been on its way

How the inputs decide, in this order:

1. Exit code 0: ACCEPTED. It is `confirmed` only if a line for our ref is there: settings can make git push something
   else and succeed.
2. No line for our ref: the server did not answer. The exit code tells which side ended it: 1 to 127 is git's own
   refusal, almost always the hook's; 128 is a transport error, classified by its text (`transport_error.py`); above 128
   or a signal, or a text of a broken connection, is UNKNOWN. What git refuses before it connects is sorted out first,
   by its text, and so is a request that was answered with a 4xx status: a proxy refused it, and nothing is on its way.
3. A line with the flag `!`: rejected, classified by the reason in brackets, which is git's own vocabulary and stable,
   then by the server's text, which is not. "is at X but expected Y" with X our own commit means that the server has it
   already: ACCEPTED.
4. A line with another flag and an exit code that is not 0: the ref was accepted and something failed later. ACCEPTED,
   not `confirmed`.

A remote can have several push URLs. The first one is the server that is landed on: it is fetched from, compared and
queried. The others are copies, and a copy that refused does not change the status; it is in `failed_elsewhere`.

Invariants, and what each prevents:

* ACCEPTED needs exit code 0, a ref line without `!`, or the server naming our own commit. No text alone makes it so:
  a server's hook may print anything.
* Where the commit may have left this machine and no answer came back, the result is UNKNOWN, never a failure. A
  landing then asks the server (`git/landed.py`) instead of pushing again or reporting that nothing was landed.
* An unknown text is REFUSED with the server's own line as the reason. It ends the landing without a retry, which is
  safe: the branch is unchanged.
* Only git's own messages are matched at the start of a line. A hook's output can contain any of these phrases further
  right; a pre-push hook's standard output even arrives among the ref lines.
* Everything that is shown has no control characters, no user part of a URL and a bounded width.

What a landing does with each status is decided in `land/push_decision.py`. The patterns are from git's source
(send-pack.c, transport.c, remote-curl.c) and from recorded pushes, which `tests/git/test_push_result.py` replays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from homelab_hooks.text.sanitize import strip_control_chars, truncate_text
from homelab_hooks.text.url_secrets import strip_userinfo

if TYPE_CHECKING:
    from homelab_hooks.git.transport_error import TransportError


class PushStatus(Enum):
    """The outcomes of a push."""

    ACCEPTED = auto()
    """the server has the commit on the branch"""
    LOST_RACE = auto()
    """the branch has moved: fetch, merge, and verify again"""
    REF_LOCKED = auto()
    """another update holds the ref's lock: the same push may work in a moment"""
    PROTECTED = auto()
    """the branch takes no direct pushes from this user"""
    REFUSED = auto()
    """the server, or git itself, refused for another reason"""
    LOCAL_HOOK = auto()
    """the repository's own pre-push hook refused; nothing was sent"""
    DENIED = auto()
    """authentication or authorization failed; nothing was sent"""
    UNREACHABLE = auto()
    """no connection; nothing was sent"""
    UNKNOWN = auto()
    """the connection broke while the commit was being sent: the server must be queried"""


class PushResult(NamedTuple):
    """The result of a push; `output` holds the lines of server, hook, and git that are fit to be shown."""

    status: PushStatus
    reason: str = ""
    output: tuple[str, ...] = ()
    link: str = ""
    """the URL from the server's output that opens or shows a pull request"""
    hint: str = ""
    """the fix for this reason, as a clause; empty if it is not known"""
    may_have_arrived: bool = False
    """it was refused in the answer to the request that carried the commits, perhaps by a proxy on the way back"""
    confirmed: bool = True
    """false if git reported the commit as accepted and then failed, or succeeded without a line for its ref"""
    failed_elsewhere: tuple[str, ...] = ()
    """each further push URL that refused, with git's reason; git pushes to every URL of a remote, and `status` is about
    the first one"""
    hook_took_s: float | None = None
    """seconds that the push took together with its pre-push hook; None if the repository has none"""


_REF_LINE = re.compile(r"(?P<flag>[ *=+!-])\t(?P<source>[^\t]*):(?P<ref>[^\t:]+)\t(?P<summary>.*)")
_LINK = re.compile(r"https?://\S+(?:/pulls?/|/merge_requests/|/pull-requests|/compare/)\S*")
_STALE_OLD_VALUE = re.compile(r"is at (?P<now>[0-9a-f]{40,64}) but expected [0-9a-f]{40,64}")
_NOISE = re.compile(r"hint:|error: failed to push some refs to|To |Done$|remote:\s*(?:error:)?\s*$|error:\s*$")
_FATAL_TAIL = re.compile(r"Please make sure you have the correct access rights$|and the repository exists\.$")
"""the lines that follow git's "fatal: Could not read from remote repository" """
_REBASE_PROGRESS = re.compile(r"Rebasing \(|Successfully rebased and updated ")

_MOVED = re.compile(r"fetch first|non-fast-forward|stale info|remote ref updated")
_REF_TAKEN = re.compile(r"failed to update ref|atomic transaction failed")
_LOCK_HELD = re.compile(
    r"Unable to create '[^']*\.lock': File exists|unable to lock|another git process", re.IGNORECASE
)
_PROTECTED = re.compile(
    r"Not allowed to push to protected branch"  # Gitea, Forgejo
    r"|error: GH0(?:06|13): "  # GitHub
    r"|not allowed to push code to protected branches",  # GitLab
)
# Git's own messages begin a line; a hook's may contain the same phrases anywhere.
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
_SERVER_HOOK_ABORTED = re.compile(r"^(?:remote: )?fatal: ref updates aborted by hook", re.MULTILINE)
"""the server's reference-transaction hook refused: receive-pack dies without a line for the ref (refs.c)"""
_UNSUPPORTED = (
    ("the receiving end does not support push options", "leave out --push-option, or unset push.pushOption"),
    ("the receiving end does not support --signed push", "unset push.gpgSign"),
)
"""what git asks of the server because of a setting on this side, and the fix"""
_NOT_A_GIT_SERVER = re.compile(r"^error: Cannot access URL |git-http-push failed", re.MULTILINE)
"""git's fallback for a server that answers like a plain web server, as a captive portal does"""
_HTTP_REFUSAL = re.compile(
    r"^error: RPC failed;.*?(?:HTTP (?:code = )?|returned error: )(?!408|425|429)4\d\d\b", re.MULTILINE
)
"""the response to the request that carried the commits, such as 413 for its size"""
_SAYS_LITTLE = re.compile(
    r"Could not read from remote repository\.$|error: hook declined to update|the remote end hung up unexpectedly$"
    r"|early EOF$|ref updates aborted by hook$"
)
_FRAMEWORK_FAILED = re.compile(r"\.{3,}\s*Failed$")
"""the end of the line that pre-commit and prek print for a failed hook"""
_UNPUSHED = "not be found on any remote:"
_FATAL_EXIT_CODE = 128


def parse_push_output(code: int, out: str, err: str, *, ref: str, sha: str = "") -> PushResult:
    r"""Return the result of a `git push --porcelain` of one commit to `ref` (a full name).

    Args:
        code: git's exit code, negative for a signal.
        sha: the commit that was pushed; if the server's message shows that the branch is at it, the push is accepted.

    >>> out = "!\trefs/heads/m:refs/heads/m\t[rejected] (fetch first)\nDone\n"
    >>> parse_push_output(1, out, "", ref="refs/heads/m").status.name
    'LOST_RACE'
    """
    # A pre-push hook's standard output arrives among git's ref lines.
    read_out = [(line, _REF_LINE.fullmatch(line)) for line in out.split("\n")]
    said = (*output_lines("\n".join(line for line, about in read_out if not about)), *output_lines(err))
    link = next((found[0] for line in said if (found := _LINK.search(line))), "")
    mine = next((about for _, about in read_out if about and about["ref"] == ref), None)
    error = None
    if code == 0:
        status = PushStatus.ACCEPTED
    elif mine is None:
        status, error = _read_without_ref_line(code, err)
    elif mine["flag"] == "!":
        status = _rejected_status(mine["summary"], err, sha)
    else:
        status = PushStatus.ACCEPTED
    reason = error.reason if error else _reason(status, mine["summary"] if mine else "", said)
    # Without a line for the ref, a setting may have made git push something else.
    confirmed = code == 0 and mine is not None
    hint = error.hint if error else next((fix for text, fix in _UNSUPPORTED if text in err), "")
    aborted = mine is None and _SERVER_HOOK_ABORTED.search(err) is not None
    refused_late = aborted or (error is not None and _CUT_OFF.search(err) is not None)
    return PushResult(
        status=status,
        reason=reason,
        output=said,
        link=link,
        hint=hint,
        may_have_arrived=refused_late,
        confirmed=confirmed,
        failed_elsewhere=_refused_elsewhere(out, ref),
    )


def _refused_elsewhere(out: str, ref: str) -> tuple[str, ...]:
    r"""Return the further push URLs that refused the ref, each with git's reason.

    >>> done, refused = " \ta:refs/heads/m\tb..a\n", "!\ta:refs/heads/m\t[remote rejected] (hook declined)\n"
    >>> _refused_elsewhere(f"To /one\n{done}To /two\n{refused}To /three\n{done}", "refs/heads/m")
    ('/two: [remote rejected] (hook declined)',)
    >>> _refused_elsewhere(f"To /one\n{refused}", "refs/heads/m")
    ()
    """
    found, url, number = [], "", 0
    for line in out.split("\n"):
        about = _REF_LINE.fullmatch(line)
        if line.startswith("To "):
            url = line.removeprefix("To ")
        elif about and about["ref"] == ref:
            number += 1
            if number > 1 and about["flag"] == "!":
                found.append(truncate_text(strip_control_chars(strip_userinfo(f"{url}: {about['summary']}"))))
    return tuple(found)


def output_lines(err: str) -> tuple[str, ...]:
    r"""Return standard error without git's hints, framing, and padding, fit to be shown.

    >>> output_lines("remote: error:        \nremote: error: No.   \nhint: try\n")
    ('remote: error: No.',)
    """
    lines = (truncate_text(strip_control_chars(strip_userinfo(line))) for line in err.splitlines())
    return tuple(line for line in lines if line and not _NOISE.match(line))


def shown_lines(line: str) -> tuple[str, ...]:
    r"""Return what is shown of one line of git while it runs: not its framing, and not the line about a ref.

    >>> shown_lines("touch your key"), shown_lines("To https://git.example.test"), shown_lines("=\ta:refs/heads/b\tx")
    (('touch your key',), (), ())
    """
    return () if _REF_LINE.fullmatch(line) or _REBASE_PROGRESS.match(line) else output_lines(line)


def helper_lines(line: str) -> tuple[str, ...]:
    """Return what is shown of one line of git that queries a remote: output of ssh and the helpers.

    >>> helper_lines("first copy your one-time code: ABCD"), helper_lines("fatal: could not read Username")
    (('first copy your one-time code: ABCD',), ())
    >>> helper_lines("Please make sure you have the correct access rights"), helper_lines("and the repository exists.")
    ((), ())
    """
    return () if line.startswith(("fatal: ", "error: ")) or _FATAL_TAIL.match(line) else shown_lines(line)


def _rejected_status(summary: str, err: str, sha: str) -> PushStatus:
    now = _STALE_OLD_VALUE.search(err)
    if now and sha and now["now"] == sha:
        return PushStatus.ACCEPTED
    if "[remote failure]" in summary:
        return PushStatus.UNKNOWN
    if "[remote rejected]" not in summary:
        return PushStatus.LOST_RACE if _MOVED.search(summary) else PushStatus.REFUSED
    if now or "incorrect old value" in summary or "reference already exists" in summary:
        return PushStatus.LOST_RACE
    if _REF_TAKEN.search(summary):
        return PushStatus.REF_LOCKED if _LOCK_HELD.search(err) else PushStatus.REFUSED
    return PushStatus.PROTECTED if _PROTECTED.search(f"{err}\n{summary}") else PushStatus.REFUSED


def _read_without_ref_line(code: int, err: str) -> tuple[PushStatus, TransportError | None]:
    """Return the status of a push that the server did not answer, and git's error if that decides."""
    if _BEFORE_SENDING.search(err) or _SERVER_HOOK_ABORTED.search(err):
        return PushStatus.REFUSED, None
    cut_off = code < 0 or code > _FATAL_EXIT_CODE or _CUT_OFF.search(err)
    if cut_off and not _is_refused(err):
        return PushStatus.UNKNOWN, None
    if code < _FATAL_EXIT_CODE and not cut_off and not _NOT_A_GIT_SERVER.search(err):
        return PushStatus.LOCAL_HOOK, None
    from homelab_hooks.git.transport_error import TransportFault, read_transport_error

    error = read_transport_error(err)
    statuses = {
        TransportFault.UNREACHABLE: PushStatus.UNREACHABLE,
        TransportFault.DENIED: PushStatus.DENIED,
        TransportFault.REFUSED: PushStatus.REFUSED,
        TransportFault.NO_BRANCH: PushStatus.REFUSED,
    }
    return statuses[error.fault], error


def _is_refused(err: str) -> bool:
    """Return whether the request that carried the commits was refused, so that a repetition would be refused too."""
    from homelab_hooks.git.transport_error import TransportFault, read_transport_error

    return bool(_HTTP_REFUSAL.search(err)) or read_transport_error(err).fault is TransportFault.DENIED


def _reason(status: PushStatus, summary: str, said: Sequence[str]) -> str:
    """Return the most specific line: the server's, else git's."""
    if status is PushStatus.ACCEPTED:
        return ""
    if _UNPUSHED in said[:-1]:
        return f"the commit of a submodule is on none of its remotes: {said[said.index(_UNPUSHED) + 1].strip()}"
    for mark in ("remote: error: ", "remote: fatal: ", "remote: ", "fatal: ", "error: "):
        for line in said:
            if line.startswith(mark) and not _SAYS_LITTLE.search(line):
                return line.removeprefix(mark)
    failed = next((line for line in said if _FRAMEWORK_FAILED.search(line)), "")
    first = failed or next(iter(said), "")
    return first or strip_control_chars(summary) or "git reported no reason"
