"""Classifies kubectl's failures: not found, unavailable, or denied."""

from __future__ import annotations

import itertools
import re

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Denied, FailureKind, NotFound, Unavailable
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.exit_status import describe_exit
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

_LOG_LINE = re.compile(r"^([IWEF]\d{4} |\s|WARNING:|$)")
_MAX_TEXT_CHARS = 300
_KUBECONFIG_HINT = "run kubectl config get-contexts, and choose with --context and --kubeconfig, or set KUBECONFIG"

_NOT_FOUND_PATTERN = re.compile(
    r"\(NotFound\): ((?:(?:deployments|statefulsets|daemonsets)\.apps|cronjobs\.batch|"
    r'kustomizations\.kustomize\.toolkit\.fluxcd\.io|(?:applications|rollouts)\.argoproj\.io|namespaces) "[^"]*")'
    r" not found"
)

_NO_KIND_PATTERN = re.compile(
    r"the server doesn't have a resource type \"(?P<plural>kustomizations|applications|rollouts)\""
)
_INCOMPLETE_DISCOVERY = re.compile(r"couldn't get resource list|unable to retrieve the complete list of server APIs")
"""kubectl's note before the same error if the API server could not list a group"""
_CONTROLLERS = {"kustomizations": "Flux", "applications": "Argo CD", "rollouts": "Argo Rollouts"}

# (pattern of the message, hint, exit code, whether a retry is useless even if an earlier call succeeded)
_DENIED_PATTERNS: tuple[tuple[re.Pattern[str], str, ExitCode, bool], ...] = (
    (
        re.compile(r"\(Forbidden\)|is forbidden: "),
        "grant this user get on the target, and for workloads list on pods, replicasets, and controllerrevisions",
        ExitCode.DENIED,
        False,
    ),
    (
        re.compile(r"You must be logged in|\(Unauthorized\)|asked for the client to provide credentials"),
        "log in to the cluster again: its API server rejected these credentials",
        ExitCode.DENIED,
        False,
    ),
    (
        re.compile(r"getting credentials: .*"),
        "install the credential plugin that the kubeconfig names, and log in with it",
        ExitCode.DENIED,
        False,
    ),
    (
        re.compile(
            r"exec plugin: invalid apiVersion .*|no Auth Provider found for name .*|The \S+ auth plugin has been .*"
        ),
        "install the credential plugin that replaces it, and name it in the kubeconfig",
        ExitCode.DENIED,
        True,
    ),
    (
        re.compile(
            r"(context|cluster|auth info) \"[^\"]*\" does not exist|context was not found for specified context"
            r"|error loading config file|current-context is not set|error: stat .*: no such file"
        ),
        _KUBECONFIG_HINT,
        ExitCode.DENIED,
        True,
    ),
    # This address is kubectl's own, when neither a kubeconfig nor a current context gives it one.
    (re.compile(r"The connection to the server localhost:8080 was refused"), _KUBECONFIG_HINT, ExitCode.DENIED, True),
    (
        re.compile(r"unsupported protocol scheme|: invalid port$", re.MULTILINE),
        "correct the address of the cluster in the kubeconfig",
        ExitCode.DENIED,
        True,
    ),
    (
        re.compile(r"certificate has expired or is not yet valid"),
        "renew the certificate of the API server, and check this machine's clock",
        ExitCode.DENIED,
        True,
    ),
    (
        re.compile(r"x509: |failed to verify certificate"),
        "correct certificate-authority and tls-server-name in the kubeconfig",
        ExitCode.DENIED,
        True,
    ),
    (
        re.compile(r"See 'kubectl .*' for usage|Invalid timeout value|selectors and the all flag cannot be used"),
        "install a current version of kubectl",
        ExitCode.USAGE,
        True,
    ),
)

_UNAVAILABLE_PATTERNS: tuple[tuple[re.Pattern[str], FailureKind], ...] = (
    (re.compile(r"deadline exceeded|Timeout|[Tt]imed out|timeout"), FailureKind.TIMEOUT),
    (re.compile(r"invalid character '<'"), FailureKind.FOREIGN),
    (re.compile(r"invalid character|unexpected end of JSON"), FailureKind.BODY),
    (re.compile(r"Error from server|doesn't have a resource type"), FailureKind.STATUS),
)


_CONFIGURATION_FAULT = re.compile(r"^Error in configuration: *(?P<cause>\S.*)?$")
_NO_CREDENTIALS = "Please enter Username: "
"""what kubectl prints to standard output if the kubeconfig has no credentials for the cluster (kubectl 1.37)"""
_LOCAL_FAULT = "error: "
"""how kubectl begins a message about an error on this machine; errors of the API server begin otherwise"""
_REMOTE = re.compile(
    r"EOF|connection|time[d]?[ -]?out|deadline|reset by peer|broken pipe|http2|stream error|dial |lookup |handshake"
    r"|[Pp]lease retry|i/o|invalid character|unexpected end|\bserver\b|response body|signal: |cannot allocate"
    r"|too many open files|temporarily unavailable"
)
"""words of errors of the network, or of a lack of memory, which kubectl begins in the same way"""
_CANNOT_EXECUTE_EXITS = frozenset({126, 127})
"""exit codes of a shell script that cannot run its command (POSIX, XCU 2.8.2)"""
_CREDENTIALS = "getting credentials: "
_TELLING_STARTS = ("error: ", "Error ", "Unable to connect", "The connection to the server")


def to_poll(done: Completed) -> NotFound | Unavailable | Denied:
    """Return what a failed call means; its standard output is ignored.

    A failing list call can print a valid empty List, and "NotFound" is also what a proxy's 404 looks like.
    """
    if done.timed_out:
        return Unavailable("kubectl timed out", FailureKind.TIMEOUT)
    text = done.err
    if found := _NOT_FOUND_PATTERN.search(text):
        return NotFound(strip_control_chars(f"{found.group(1)} not found"))
    if (missing := _NO_KIND_PATTERN.search(text)) and not _INCOMPLETE_DISCOVERY.search(text):
        hint = f"install {_CONTROLLERS[missing['plural']]} in this cluster, or check the target and the context"
        return NotFound(missing.group(), hint)
    for pattern, hint, exit_, final in _DENIED_PATTERNS:
        if found := pattern.search(text):
            return Denied(_refusal_text(text, pattern, found), hint, exit_, final=final)
    cause = _telling_line(text) or f"kubectl {describe_exit(done.code)} and printed no error"
    if local := _find_local_fault(done, cause):
        return local
    fault = next((fault for pattern, fault in _UNAVAILABLE_PATTERNS if pattern.search(cause)), FailureKind.CONNECTION)
    return Unavailable(cause, fault)


def _find_local_fault(done: Completed, cause: str) -> Denied | None:
    """Return a fault of this machine: of the kubeconfig, a file that it names, or a wrapper of kubectl.

    Such a fault is final, except that of a message which is not known: kubectl reports some errors of the network
    in the same way.
    """
    if done.code in _CANNOT_EXECUTE_EXITS:
        text = f"kubectl {describe_exit(done.code)}: {cause}"
        return Denied(text, "correct the kubectl on the PATH: it cannot run its program", final=True)
    if done.out.startswith(_NO_CREDENTIALS):
        return Denied("the kubeconfig has no credentials for the cluster", _KUBECONFIG_HINT, final=True)
    if cause.startswith("Error in configuration"):
        return Denied(cause, f"correct the kubeconfig; {_KUBECONFIG_HINT}", final=True)
    if cause.startswith(_LOCAL_FAULT) and not _REMOTE.search(cause):
        return Denied(cause, f"correct the kubeconfig; {_KUBECONFIG_HINT}")
    return None


def _refusal_text(text: str, pattern: re.Pattern[str], found: re.Match[str]) -> str:
    """Return kubectl's telling line if it matches the pattern, else the matching text."""
    cause = _telling_line(text)
    if not pattern.search(cause):
        return truncate_text(strip_control_chars(found.group()), _MAX_TEXT_CHARS)
    words = _plugin_words(text) if _CREDENTIALS in cause else ""
    return truncate_text(f"{cause} ({words})", _MAX_TEXT_CHARS) if words else cause


def _plugin_words(text: str) -> str:
    """Return the last line that a credential plugin printed before kubectl's own message; empty if it printed none."""
    own = [line for line in text.splitlines() if line.strip() and not _LOG_LINE.match(line)]
    before = itertools.takewhile(lambda line: not line.startswith(_TELLING_STARTS), own)
    return strip_control_chars((list(before) or [""])[-1])


def _telling_line(text: str) -> str:
    """Return the line that says what failed: advice, or what a credential plugin prints, may follow it.

    Log lines of kubectl are never it. The causes of a configuration error are listed below its first line.
    """
    lines = [line for line in text.splitlines() if not _LOG_LINE.match(line)]
    at = next((number for number, line in enumerate(lines) if line.startswith(_TELLING_STARTS)), len(lines) - 1)
    if not lines:
        return ""
    cause = lines[at]
    if (fault := _CONFIGURATION_FAULT.match(cause)) and not fault["cause"] and lines[at + 1 :]:
        cause = f"{cause.rstrip()} {lines[at + 1].removeprefix('* ')}"
    return truncate_text(strip_control_chars(cause), _MAX_TEXT_CHARS)


def is_own_line(line: str) -> bool:
    """Return whether a line of standard error is a log line, a warning, or an error of kubectl's own."""
    return bool(_LOG_LINE.match(line)) or line.startswith(("Warning: ", *_TELLING_STARTS))
