"""Classifies kubectl's failures: not found, unavailable, or denied."""

from __future__ import annotations

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
        re.compile(r"getting credentials: exec: .*"),
        "install the credential plugin that the kubeconfig names, and log in with it",
        ExitCode.DENIED,
        False,
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
    cause = _error_line(text) or f"kubectl {describe_exit(done.code)} and printed no error"
    fault = next((fault for pattern, fault in _UNAVAILABLE_PATTERNS if pattern.search(cause)), FailureKind.CONNECTION)
    return Unavailable(cause, fault)


def _refusal_text(text: str, pattern: re.Pattern[str], found: re.Match[str]) -> str:
    """Return kubectl's last line if it matches the pattern, else the matching text."""
    cause = _error_line(text)
    return cause if pattern.search(cause) else truncate_text(strip_control_chars(found.group()), _MAX_TEXT_CHARS)


def _error_line(text: str) -> str:
    """Return the last line that is not a log line of kubectl's."""
    lines = [line for line in text.splitlines() if not _LOG_LINE.match(line)]
    return truncate_text(strip_control_chars(lines[-1]), _MAX_TEXT_CHARS) if lines else ""
