"""The simulated registry over a real socket; a second server can be its storage or its token service."""

from __future__ import annotations

import threading
from collections.abc import Callable

from homelab_hooks.simulators.faults import BodyFault, FaultPlan, Redirect, StatusFault
from homelab_hooks.simulators.http_server import HttpServer, ServerThread, SilentHandler
from homelab_hooks.simulators.registry.api import (
    TOKEN_PATH,
    PulledRequest,
    RegistryApi,
    RegistryLogins,
    RegistryReply,
)
from homelab_hooks.simulators.registry.store import RegistryStore


class RegistrySimulator(ServerThread):
    """The server; a context manager. It has no TLS: registries on this machine are asked without it.

    Args:
        store: its repositories and users.
        logins: how it asks for credentials; its token service is at its own address.
        faults: which requests are answered wrongly.
        now: the clock of the fault plan.
    """

    def __init__(
        self,
        store: RegistryStore,
        logins: RegistryLogins = RegistryLogins.NONE,
        *,
        faults: FaultPlan | None = None,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.requests: list[PulledRequest] = []
        self._faults, self._now = faults or FaultPlan(), now
        self._lock = threading.Lock()
        super().__init__(HttpServer(_make_handler(self)))
        self.api = RegistryApi(store, logins, self.url + TOKEN_PATH)

    @property
    def host(self) -> str:
        """Return its host and port, as an image reference begins."""
        return self.url.removeprefix("http://")

    @property
    def lines(self) -> list[str]:
        """Return the methods and paths of the requests."""
        with self._lock:
            return [f"{request.method} {request.path}" for request in self.requests]

    def handle(self, request: PulledRequest) -> RegistryReply:
        """Answer a request, and keep it."""
        with self._lock:
            self.requests.append(request)
            return _find_fault(self._faults, request, self._now()) or self.api.answer(request)


def _find_fault(plan: FaultPlan, request: PulledRequest, now: float) -> RegistryReply | None:
    """Return what the plan answers to a request; other kinds of faults are not used."""
    rule = plan.pick(request.method, request.path, now)
    match rule.fault if rule else None:
        case StatusFault() as fault:
            wait = (("Retry-After", f"{fault.retry_after:.0f}"),) if fault.retry_after is not None else ()
            kind = (("Content-Type", fault.content_type or "application/json"),)
            return RegistryReply(fault.code, fault.body, (*kind, *fault.headers, *wait))
        case BodyFault() as fault:
            return RegistryReply(fault.code, fault.content, (("Content-Type", fault.content_type),))
        case Redirect() as fault:
            return RegistryReply(fault.code, b"", (("Location", fault.to),))
        case _:
            return None


def _make_handler(registry: RegistrySimulator) -> type[SilentHandler]:
    class Handler(SilentHandler):
        def serve(self) -> None:
            """Answer the request, and record it."""
            headers, body = self.read_lower_headers(), self.read_body()
            reply = registry.handle(PulledRequest(self.command, self.path, headers, body))
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

    return Handler
