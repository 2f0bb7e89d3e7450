"""A simulated server, real load balancers in front of it, a tunnelling proxy, and clients that get closed."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homelab_hooks.config.address import parse_dial, parse_server_url
from homelab_hooks.net.http import HttpClient
from homelab_hooks.simulators.balancer import CertificateKind, LoadBalancer
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.support.listener import Listener, serve_in_thread
from tests.waiting import HANG_S

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests name their own proxies."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def woodpecker() -> Iterator[WoodpeckerSimulator]:
    """A simulated Woodpecker with one pipeline."""
    with WoodpeckerSimulator(SystemClock()) as server:
        server.push("acme/app", "main", "a" * 40, timelines.make_green())
        yield server


@pytest.fixture
def balance(woodpecker: WoodpeckerSimulator) -> Iterator[Callable[..., LoadBalancer]]:
    """`balance(certificate, upstream=, name=, ipv6=)`: a load balancer, by default in front of the simulator."""
    with contextlib.ExitStack() as running:

        def one(
            certificate: CertificateKind = CertificateKind.RIGHT,
            *,
            upstream: str = "",
            name: str = "ci.example.test",
            ipv6: bool = False,
        ) -> LoadBalancer:
            path = os.environ["PATH"]
            return running.enter_context(
                LoadBalancer(upstream or woodpecker.url, path=path, name=name, certificate=certificate, ipv6=ipv6)
            )

        yield one


@pytest.fixture
def client() -> Iterator[Callable[..., HttpClient]]:
    """`client(url, dial=, ca_file=, token=)`."""
    opened: list[HttpClient] = []

    def one(url: str, *, dial: str = "", ca_file: Path | None = None, token: str = "alice-token") -> HttpClient:
        pinned = parse_dial(dial) if dial else None
        opened.append(HttpClient(parse_server_url(url), clock=SystemClock(), dial=pinned, ca_file=ca_file, token=token))
        return opened[-1]

    yield one
    for https in opened:
        https.close()


class Tunnel:
    """A proxy that writes down whom it was asked for, and connects everybody to one port.

    Attributes:
        asked: the first line of each request, whatever its method.
        to: the port; 0 refuses.
        refusal: the response that refuses.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.to = 0
        self.refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
        self._listener = Listener(serve_in_thread(self._serve))
        self.port = self._listener.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listener.close()

    def _serve(self, near: socket.socket) -> None:
        head = b""
        with near, contextlib.suppress(OSError):
            while b"\r\n\r\n" not in head:
                piece = near.recv(4096)
                if not piece:
                    return
                head += piece
            self.asked.append(head.partition(b"\r\n")[0].decode())
            if not self.to:
                near.sendall(self.refusal)
                return
            near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with socket.create_connection(("127.0.0.1", self.to)) as far:
                back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                back.start()
                _pump(near, far)
                back.join(HANG_S)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def tunnel() -> Iterator[Tunnel]:
    proxy = Tunnel()
    yield proxy
    proxy.close()
