"""The server stops, starts again, and keeps its connections, as a real one."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultPoint, FaultRule
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.waiting import HANG_S, wait_until

LIST = "/api/repos/8/pipelines"
Ask = Callable[..., Any]
RawRequest = Callable[..., tuple[bytes, str]]


@pytest.mark.usefixtures("row")
def test_a_stopped_server_refuses_and_a_started_one_remembers(
    woodpecker: WoodpeckerSimulator, ask: Ask, raw_request: RawRequest
) -> None:
    """The port stays; connections that were open end."""
    ended: list[str] = []
    woodpecker.fail(FaultRule(fault=faults.Hang(FaultPoint.HEADERS), path="version"))
    waiting = threading.Thread(target=lambda: ended.append(raw_request("/version")[1]))
    waiting.start()
    wait_until(lambda: woodpecker.count("version") > 0)
    woodpecker.stop()
    waiting.join(HANG_S)
    assert ended in (["closed"], ["reset"])
    with pytest.raises(ConnectionRefusedError):
        ask(LIST)
    woodpecker.start()
    assert [row["number"] for row in ask(LIST).json] == [1]


def test_a_connection_is_kept_for_the_next_request(woodpecker: WoodpeckerSimulator) -> None:
    with socket.create_connection(("127.0.0.1", woodpecker.port)) as connection, connection.makefile("rb") as lines:
        for _ in range(3):
            connection.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
            length = next(int(line.split()[1]) for line in lines if line.startswith(b"Content-Length"))
            while lines.readline().strip():
                pass
            assert json.loads(lines.read(length))["version"] == "3.17.0"
