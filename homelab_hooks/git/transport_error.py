"""Finds the reason why git could not use a remote in what git, ssh, and the server print.

The exit code of git and ssh does not tell the causes apart, so the text has to: one row of `_CAUSES` for each, with a
remedy for that cause. Rows are tried in order, each on every line, because ssh explains a failure in several lines of
which the most specific may be anywhere ("Permissions 0644 for KEY are too open" comes before "Permission denied").

Names are removed before a row is tried: the text contains the user's own (URL, branch, file, host), and a repository
called `not-found` says nothing about the failure.

The texts are from git (remote-curl.c, connect.c, transport.c, credential.c), OpenSSH (readconf.c, sshconnect.c,
authfile.c), curl, and the forges' recorded answers.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from homelab_hooks.text.helper_output import helper_words
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text
from homelab_hooks.text.url_secrets import strip_userinfo


class TransportFault(Enum):
    """The kinds of failure that a caller distinguishes."""

    UNREACHABLE = auto()
    """no connection: the same command may work later"""
    DENIED = auto()
    """authentication or authorization failed"""
    REFUSED = auto()
    """anything else: the same command fails again until something is changed"""
    NO_BRANCH = auto()
    """the remote does not have the branch"""


class TransportError(NamedTuple):
    """Why a remote could not be used."""

    fault: TransportFault
    reason: str
    """the most specific line, fit to be shown"""
    hint: str
    """what to do, as a clause"""


NOT_A_GIT_SERVER = "the response is not from a git server"
"""the reason that is reported where git itself takes a web page for a repository without branches"""
_CHECK_NETWORK = "check the network"
_CHECK_ACCESS = "check your access and your key or token for this remote"
_FIX_REPORTED = "fix what git reports"
_CHECK_URL = "check the remote's URL (git remote -v)"

_U, _D, _R = TransportFault.UNREACHABLE, TransportFault.DENIED, TransportFault.REFUSED
_CAUSES: tuple[tuple[str, TransportFault, str], ...] = (
    (r"couldn't find remote ref", TransportFault.NO_BRANCH, "pass another branch"),
    # the programs that git starts
    ((r"Bad configuration option|Bad owner or permissions on|[Uu]nsupported option|extra arguments at end of line"
     r"|terminating, \d+ bad configuration"), _R, "fix your ssh configuration (~/.ssh/config)"),
    (r"cannot run .*(?:No such file|not found)|unable to fork|error: cannot spawn|exec: .* not found",
     _R, "install that program, or correct GIT_SSH_COMMAND and core.sshCommand"),
    (r"[Uu]nable to find remote helper for", _R, "install git's helper for this kind of URL"),
    (r"dubious ownership", _R, "run git config --global --add safe.directory with that directory"),
    (r"transport '' not allowed", _R,
     "allow the transport in GIT_ALLOW_PROTOCOL if that is set, else with git config protocol.NAME.allow always"),
    # ssh keys and hosts
    (r"^Permissions \d+ for .* are too open", _D, "run chmod 600 on that key file"),
    (r"^Load key .*: ", _D, "check that key file"),
    (r"agent refused operation|signing failed", _D, "unlock or confirm the key in your ssh agent (ssh-add -l)"),
    (r"REMOTE HOST IDENTIFICATION HAS CHANGED",
     _D, "check the new key with the server's administrator, then remove the old one with ssh-keygen -R HOST"),
    (r"^No \S+ host key is known|^Host key verification failed",
     _D, "connect to the host once with ssh, and check and accept its key"),
    (r"Too many authentication failures", _D, "offer only the right key: IdentitiesOnly yes in ~/.ssh/config"),
    (r"^Unable to negotiate with", _R, "allow an algorithm that the server offers, or update the server"),
    # TLS
    (r"certificate has expired", _R, "have the server's certificate renewed"),
    (r"certificate is not yet valid", _R, "check the clocks of this machine and of the server"),
    (r"no alternative certificate subject name matches|does not match target host ?name|certificate subject name",
     _R, "use the name that the certificate is for in the remote's URL"),
    (r"error setting certificate|CAfile: |certificate verify locations",
     _R, "correct http.sslCAInfo: that file cannot be read"),
    (r"SSL certificate problem|server certificate verification failed|certificate verify failed",
     _R, "set http.sslCAInfo to the certificate of the CA that issued the server's"),
    # what the server refuses
    (r"\bis archived\b|[Mm]irror [Rr]epository (?:\S+ )?is read-only|Push to create is not enabled",
     _R, "push to another repository"),
    ((r"Cannot find repository|[Rr]epository\b.* not found|does not appear to be a git repository|not a git repository"
     r"|returned error: (?:404|410)\b"), _R, _CHECK_URL),
    # a status explains what git makes of the missing answer, such as "expected flush after ref listing"
    (r"RPC failed; HTTP 40[137]\b", _D, _CHECK_ACCESS),
    (r"(?:RPC failed; HTTP|returned error:) 429\b", _U, "wait: the server limits the rate of requests"),
    (r"(?:RPC failed; HTTP|returned error:) 5\d\d\b", _U, "wait until the server works again"),
    ((r"Cannot access URL |git-http-push failed|the response is not from a git server"
     r"|bad line length character|invalid ls-refs response|expected flush after ref listing|expected ACK/NAK, got"
     r"|not valid: is this a git repository|unable to update url base from redirection|[Ii]nvalid content-type"),
     _R, f"{_CHECK_URL}: the response is not from a git server, perhaps from a proxy or a login page"),
    (r"(?:HTTP|returned error:) 413\b",
     _R, "raise the limit for request bodies in the proxy before the server, or push over ssh"),
    (r"^git: '' is not a git command", _D, "install that credential helper, or correct credential.helper"),
    ((r"Authentication failed for|could not read (?:Username|Password)|Invalid username or password"
     r"|denied to deploy key"
     r"|not authorized to|Failed to authenticate|terminal prompts disabled|Access denied|Permission denied"
     r"|Password authentication (?:is not supported|was removed)|returned error: 40[137]\b|HTTP 40[137]\b"),
     _D, _CHECK_ACCESS),
    # the network
    (r"Could not resolve proxy|Proxy CONNECT aborted|from proxy after CONNECT",
     _U, "check the proxy (http.proxy, https_proxy)"),
    ((r"[Cc]ould(?:n't| not) resolve|Name or service not known|Temporary failure in name resolution|unable to look up"
     r"|(?:[Ff]ailed|[Cc]ouldn't|[Uu]nable) to connect|timed? ?out|Network is unreachable|No route to host"
     r"|Connection (?:refused|reset|closed)|Empty reply from server|gnutls_handshake|SSL_ERROR|SSL connection"
     r"|returned error: (?:408|425|429|5\d\d)\b|HTTP (?:408|425|429|5\d\d)\b"), _U, _CHECK_NETWORK),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), fault, hint) for pattern, fault, hint in _CAUSES)

_QUOTED = re.compile(r"(?<!\w)'[^']*'|\"[^\"]*\"|\w+://[^\s']+")
_MARKS = ("remote: error: ", "remote: fatal: ", "remote: ", "fatal: ", "error: ")
_FRAMING = re.compile(
    r"hint:|Could not read from remote repository\.$|Please make sure you have the correct access rights"
    r"|and the repository exists\.$|@+$|Everything up-to-date$|[Tt]he remote end hung up unexpectedly$"
    r"|(?:send-pack|fetch-pack): unexpected disconnect|early EOF$|error: hook declined to update"
)
"""lines that say only that something failed"""
_NO_CREDENTIALS = re.compile(r"could not read (?:Username|Password)|terminal prompts disabled")
"""git's line after a credential helper that failed; the helper's own lines explain it better"""
_GENERAL = re.compile(r"returned error: \d{3}|unable to access ''")
"""lines of git's that a line of the server's explains better"""


def read_transport_error(err: str) -> TransportError:
    r"""Return why git could not use a remote.

    Args:
        err: standard error of git, which includes that of ssh and what the server sent.

    >>> found = read_transport_error("ssh: Could not resolve hostname x: unknown\nfatal: Could not read from remote")
    >>> found.fault.name, found.reason
    ('UNREACHABLE', 'ssh: Could not resolve hostname x: unknown')
    """
    lines = [truncate_text(strip_control_chars(strip_userinfo(line))).strip() for line in err.splitlines()]
    lines = [line for line in lines if line and not _FRAMING.match(_unmark(line))]
    for pattern, fault, hint in _COMPILED:
        for line in lines:
            if pattern.search(_QUOTED.sub("''", _unmark(line))):
                return TransportError(fault, _reason(line, lines), hint)
    return TransportError(
        TransportFault.REFUSED, _reason(lines[-1], lines) if lines else "git reported no reason", _FIX_REPORTED
    )


def _reason(line: str, lines: list[str]) -> str:
    """Return the line, or what explains it: the server's first line for a status, a helper's for no credentials."""
    if _NO_CREDENTIALS.search(line) and (words := helper_words(lines)):
        return truncate_text(words)
    theirs = next((other for other in lines if other.startswith("remote: ") and _unmark(other)), "")
    chosen = theirs if theirs and _GENERAL.search(_QUOTED.sub("''", line)) else line
    return _unmark(chosen).strip("@ ")


def _unmark(line: str) -> str:
    mark = next((mark for mark in _MARKS if line.startswith(mark)), "")
    return line.removeprefix(mark)
