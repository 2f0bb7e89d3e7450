"""Each of 186 recorded calls results in the expected poll result."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.errors import to_poll
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.polling.outcome import Denied, FailureKind, NotFound, Unavailable
from homelab_hooks.system.completed import Completed

TARGET = WorkloadTarget.parse("shop/web")

# The first row whose pattern matches an entry's name says what it is.
EXPECTED: list[tuple[str, object]] = [
    (r"^not-found(-rollout-status)?$|one-of-two-not-found|^json-not-found$|^namespace-missing(-rollout)?$", NotFound),
    (r"^(json-)?forbidden(?!-can-i)|-list-(rs|pods)$|^json-mixed-partly-forbidden$", ExitCode.DENIED),
    (r"^ci-get-rollout-status$|unauthorized", ExitCode.DENIED),
    (
        r"^revision-other$|^(no-)?kubeconfig-?|^context-|^current-context|^cluster-|^user-|^config-|^exec-plugin-",
        ExitCode.DENIED,
    ),
    (r"^unknown-authority$|^wrong-server-name$", ExitCode.DENIED),
    (r"^name-and-selector$|^bad-|^request-timeout-bad$", ExitCode.USAGE),
    (r"^(json-)?unreachable|^unknown-host$|-can-i$", FailureKind.CONNECTION),
    (r"^hanging-|^frozen-|^server-(frozen|restarted)|^server-504|^rollout-status-request-timeout", FailureKind.TIMEOUT),
    (r"^request-timeout-(1ms|rollout)$", {FailureKind.TIMEOUT, FailureKind.STATUS}),
    (r"^proxy-200", FailureKind.FOREIGN),
    (r"^proxy-|^server-|^wrong-kind|^http-to-https$", FailureKind.STATUS),
]


def outcome_of(poll: object) -> object:
    match poll:
        case NotFound():
            return NotFound
        case Denied():
            return poll.exit
        case Unavailable():
            return poll.kind
        case _:
            return type(poll)


def ended(entry: Any) -> Completed:
    killed = entry["exit"] is None
    code = -15 if killed else entry["exit"]
    return Completed(code, entry["stdout"].encode(), entry["stderr"].encode(), timed_out=killed)


def test_every_recorded_call_results_in_the_right_poll_result(
    recorded: Callable[[str], Any], canned: Callable[..., Any]
) -> None:
    """Calls that ended well printed no workload: they result in an unusable answer, never in a workload."""
    entries = recorded("errors")["entries"]
    assert len(entries) == 186
    for entry in entries:
        kubectl, _ = canned(ended(entry))
        found = outcome_of(kubectl.workload(TARGET, within=1.0))
        if entry["exit"] == 0:
            assert found is FailureKind.BODY, entry["name"]
            continue
        expected = next(value for pattern, value in EXPECTED if re.search(pattern, entry["name"]))
        assert found == expected or (isinstance(expected, set) and found in expected), (entry["name"], found)


def test_the_exit_code_is_looked_at_before_the_output(
    recorded: Callable[[str], Any], canned: Callable[..., Any]
) -> None:
    """A forbidden list prints a valid empty List."""
    entry = next(each for each in recorded("errors")["entries"] if each["name"] == "json-forbidden-list")
    assert json.loads(entry["stdout"])["items"] == []
    kubectl, _ = canned(ended(entry))
    deployment = recorded("a-rolling-update")["snapshots"][0]["deployment"]
    readable, _ = canned(Completed(0, json.dumps(deployment).encode()))
    workload = readable.workload(TARGET, within=1.0).value
    assert isinstance(kubectl.pods(TARGET, workload, (), within=1.0), Denied)
    assert isinstance(kubectl.revisions(TARGET, workload, within=1.0), Denied)


@pytest.mark.parametrize("name", ["exec-plugin-missing", "exec-plugin-fails", "no-kubeconfig", "unknown-authority"])
def test_a_refusal_says_the_cause_and_what_to_do(recorded: Callable[[str], Any], name: str) -> None:
    """Not one of the log lines that come first, nor the advice that comes last."""
    entry = next(each for each in recorded("errors")["entries"] if each["name"] == name)
    poll = to_poll(ended(entry))
    assert isinstance(poll, Denied)
    assert poll.hint
    assert re.search("cloud-login-helper not found|plugin.sh failed|localhost:8080|unknown authority", poll.reason)
    assert "memcache.go" not in poll.reason


def test_control_characters_in_an_error_are_taken_out() -> None:
    poll = to_poll(Completed(1, b"", b"Error from server (Forbidden): \x1b[2J\x1b]0;title\x07no\xe2\x80\xae\n"))
    assert poll.reason == "Error from server (Forbidden): no"


def test_a_proxys_not_found_is_not_a_missing_workload() -> None:
    text = b"Error from server (NotFound): the server could not find the requested resource\n"
    assert isinstance(to_poll(Completed(1, b"", text)), Unavailable)


def test_a_call_that_was_ended_by_us_is_not_an_answer_whatever_it_printed() -> None:
    done = Completed(-15, b"", b'Error from server (NotFound): deployments.apps "web" not found\n', timed_out=True)
    assert to_poll(done) == Unavailable("kubectl timed out", FailureKind.TIMEOUT)


def test_the_cause_is_kubectls_reason_and_not_a_log_line_after_it() -> None:
    """A credential plugin or a warning may speak last."""
    text = b"Error from server (ServiceUnavailable): try later\nE1123 21:12:20.333600 10099 memcache.go:381] again\n"
    assert to_poll(Completed(1, b"", text)).reason == "Error from server (ServiceUnavailable): try later"


LOCAL_FAULTS = {
    "client certificate": (
        "Error in configuration: \n* unable to read client-cert /nope/c.pem for u due to open /nope/c.pem: no such\n",
        "Error in configuration: unable to read client-cert /nope/c.pem",
    ),
    "CA": ("error: unable to load root certificates: unable to parse bytes as PEM block", "parse bytes as PEM block"),
    "token file": ("error: open /nope/token: no such file or directory", "open /nope/token"),
    "client certificate without PEM": ("error: tls: failed to find any PEM data in certificate input", "any PEM data"),
    "removed provider": (
        ('error: The gcp auth plugin has been removed.\nPlease use the "gke-gcloud-auth-plugin" kubectl/client-go'
        " credential plugin instead.\nSee https://cloud.example.test/blog for further details"),
        "The gcp auth plugin has been removed.",
    ),
    "provider's settings": ("error: Must provide idp-issuer-url", "idp-issuer-url"),
    "old plugin API": (
        'error: exec plugin: invalid apiVersion "client.authentication.k8s.io/v1alpha1"', "invalid apiVersion",
    ),
    "two methods": (
        ("Error in configuration: more than one authentication method found for u; found [token basicAuth], only one is"
        " allowed"), "more than one authentication method",
    ),
    "plugin output": (
        ("Unable to connect to the server: getting credentials: decoding stdout: couldn't get version/kind; json parse"
        " error: invalid character 'n' looking for beginning of object key string"), "decoding stdout",
    ),
    "plugin fails": (
        ('E1201 00:14:25.989071   22829 memcache.go:381] "Couldn\'t get"\nplease log in at https://sso.example.test\n'
        "Unable to connect to the server: getting credentials: exec: executable plug failed with exit code 3"),
        "failed with exit code 3 (please log in at https://sso.example.test)",
    ),
    "plugin is missing": (
        ("Unable to connect to the server: getting credentials: exec: executable nope not found\n\nIt looks like you"
        " are trying to use a client-go credential plugin that is not installed.\n\nget it from x"),
        "executable nope not found",
    ),
    "scheme": ('Unable to connect to the server: unsupported protocol scheme "ftp"', "unsupported protocol scheme"),
    "port": ("Unable to connect to the server: dial tcp: address 99999: invalid port", "invalid port"),
}  # fmt: skip
"""printed by kubectl 1.37 with such a kubeconfig"""


@pytest.mark.parametrize("name", LOCAL_FAULTS)
def test_a_fault_of_this_machine_is_denied_with_the_line_that_tells(name: str) -> None:
    printed, telling = LOCAL_FAULTS[name]
    poll = to_poll(Completed(1, b"", printed.encode() + b"\n"))
    assert isinstance(poll, Denied)
    assert telling in poll.reason
    assert poll.exit is ExitCode.DENIED
    assert poll.hint


@pytest.mark.parametrize("code", [126, 127])
def test_a_wrapper_that_cannot_run_kubectl_is_denied(code: int) -> None:
    poll = to_poll(Completed(code, b"", b"/usr/local/bin/kubectl: 2: exec: kubectl.real: not found\n"))
    assert isinstance(poll, Denied)
    assert "kubectl.real: not found" in poll.reason


def test_a_kubeconfig_without_credentials_is_denied_and_not_an_end_of_file() -> None:
    poll = to_poll(Completed(1, b"Please enter Username: ", b"error: EOF\n"))
    assert isinstance(poll, Denied)
    assert poll.reason == "the kubeconfig has no credentials for the cluster"


@pytest.mark.parametrize(
    "printed",
    [
        "error: EOF",
        "error: unexpected EOF",
        "error: http2: client connection lost",
        "error: stream error: stream ID 1; INTERNAL_ERROR; received from peer",
        "error: unexpected error when reading response body. Please retry. Original error: context deadline exceeded",
        "error: read tcp 10.0.0.1:5->10.0.0.2:6443: read: connection reset by peer",
        "error: fork/exec /usr/bin/plug: resource temporarily unavailable",
        "Unable to connect to the server: net/http: TLS handshake timeout",
        "Unable to connect to the server: EOF",
        "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?",
    ],
)
def test_a_fault_of_the_network_is_retried(printed: str) -> None:
    assert isinstance(to_poll(Completed(1, b"", printed.encode())), Unavailable)


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        ("certificate has expired or is not yet valid: current time 2026-12-01 is after 2026-11-01", "renew"),
        ("certificate is valid for kubernetes, not api.example.test", "tls-server-name"),
        ("certificate signed by unknown authority", "certificate-authority"),
    ],
)
def test_the_remedy_for_a_certificate_depends_on_the_cause(cause: str, remedy: str) -> None:
    printed = f"Unable to connect to the server: tls: failed to verify certificate: x509: {cause}"
    poll = to_poll(Completed(1, b"", printed.encode()))
    assert isinstance(poll, Denied)
    assert remedy in poll.hint


def test_a_kind_is_missing_only_if_the_api_server_could_list_its_groups() -> None:
    """What kubectl 1.32 prints for a kind of a group that is not installed, and if an aggregated API is away."""
    text = b'error: the server doesn\'t have a resource type "kustomizations"\n'
    away = b"E1201 00:00:00.000000 1 memcache.go:287] couldn't get resource list for metrics.k8s.io/v1beta1: away\n"
    missing = to_poll(Completed(1, b"", text))
    assert isinstance(missing, NotFound)
    assert "install Flux" in missing.hint
    assert isinstance(to_poll(Completed(1, b"", away + text)), Unavailable)
    assert isinstance(to_poll(Completed(1, b"", text.replace(b"kustomizations", b"deployments"))), Unavailable)
