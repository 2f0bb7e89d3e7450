"""What the tests of the simulators share: a fake clock, recordings, a plain HTTP client."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.replay import load_recording
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.simulators.woodpecker.store import Permission, SimulatedRepo
from tests.support.clock import FakeClock
from tests.waiting import HANG_S, wait_until

RECORDINGS = Path(__file__).parent.parent / "recordings" / "woodpecker"


@dataclass(frozen=True)
class ReceivedResponse:
    """An answer as a client sees it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


SILENCE_S = 0.15
"""seconds in which a server that still sends would have sent more"""
Ask = Callable[..., ReceivedResponse]
RawRequest = Callable[..., tuple[bytes, str]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1000.0)


@pytest.fixture
def woodpecker(clock: FakeClock) -> Iterator[WoodpeckerSimulator]:
    """Acme/app is public, acme/secret private; alice is admin, bob may push, carol may pull acme/app only."""
    known = (
        SimulatedRepo(id=7, full_name="acme/other", remote_id=41),
        SimulatedRepo(id=8, full_name="acme/app", remote_id=42),
        SimulatedRepo(id=9, full_name="acme/secret", remote_id=43, visibility="private"),
    )
    with WoodpeckerSimulator(clock, repositories=known) as server:
        carol = server.store.users[2]
        server.store.users[2] = replace(carol, permissions={"acme/app": Permission.PULL})
        yield server


@pytest.fixture
def ask(woodpecker: WoodpeckerSimulator) -> Ask:
    """`ask(path, method=, token=, body=, word=)` over a fresh connection."""

    def one(
        path: str, *, method: str = "GET", token: str = "alice-token", body: str = "", word: str = "Bearer "
    ) -> ReceivedResponse:
        connection = http.client.HTTPConnection("127.0.0.1", woodpecker.port, timeout=HANG_S)
        try:
            headers = {"Authorization": f"{word}{token}"} if token else {}
            connection.request(method, path, body=body or None, headers=headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return ReceivedResponse(answer.status, found, answer.read())
        finally:
            connection.close()

    return one


@pytest.fixture
def recording() -> Callable[[str], Any]:
    """A recorded scenario by its name."""

    def one(name: str) -> Any:
        return load_recording(RECORDINGS / f"{name}.json.gz")

    return one


@pytest.fixture
def recordings() -> list[str]:
    """The names of all scenarios."""
    return sorted(path.name.removesuffix(".json.gz") for path in RECORDINGS.glob("*.json.gz"))


@pytest.fixture
def raw_request(woodpecker: WoodpeckerSimulator) -> Iterator[RawRequest]:
    """`raw_request(path)`: the raw bytes of the answer and how it ended: closed, reset, silent, or still coming.

    It is silent if nothing comes for a moment once there is `enough`.
    """
    opened: list[socket.socket] = []

    def one(
        path: str = "/api/repos/8/pipelines",
        *,
        most: int = 1 << 22,
        enough: Callable[[bytes], bool] = lambda _: False,
    ) -> tuple[bytes, str]:
        connection = socket.create_connection(("127.0.0.1", woodpecker.port), timeout=HANG_S)
        opened.append(connection)
        before = woodpecker.count()
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: ci.example.test\r\n\r\n".encode())
        wait_until(lambda: woodpecker.count() > before)
        got = b""
        try:
            while len(got) < most:
                if enough(got):
                    connection.settimeout(SILENCE_S)
                piece = connection.recv(65536)
                if not piece:
                    return got, "closed"
                got += piece
        except TimeoutError:
            return got, "silent"
        except ConnectionResetError:
            return got, "reset"
        return got, "coming"

    yield one
    for connection in opened:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


@pytest.fixture
def row(woodpecker: WoodpeckerSimulator) -> None:
    """One pipeline, so that answers have something in them."""
    woodpecker.push("acme/app", "main", "a" * 40, timelines.make_green())
