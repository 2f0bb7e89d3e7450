"""Finds the fix for a request to CI that failed, by its cause."""

from __future__ import annotations

from homelab_hooks.ci.certificate import get_certificate_remedy
from homelab_hooks.net.message import PROXY_HINTS, TLS_HINTS, FailureCause, RequestFailed

_CHECK_PORT = "check the scheme and the port of --server (homelab.ciServer)"
FAILURE_REMEDIES = {
    **PROXY_HINTS,
    **TLS_HINTS,
    FailureCause.NO_TLS: f"{_CHECK_PORT}: this port does not serve https",
    FailureCause.TLS_ONLY: f"{_CHECK_PORT}: this port serves https",
    FailureCause.MAYBE_TLS_ONLY: "check the server; if its port expects TLS, set --server (homelab.ciServer) to https://",
    FailureCause.NOT_HTTP: f"{_CHECK_PORT}: this port does not serve HTTP",
}


def get_failure_remedy(failure: RequestFailed) -> str:
    """Return what to do about a request that failed; empty if its cause is not known."""
    if failure.cause:
        return FAILURE_REMEDIES[failure.cause]
    return get_certificate_remedy(failure.certificate_fault) if failure.certificate_fault else ""
