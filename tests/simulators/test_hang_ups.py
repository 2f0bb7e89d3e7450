"""A client that hangs up is normal for every simulated server: nothing is printed, and the next client is answered."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultRule
from homelab_hooks.simulators.git_http import GitServer, GitService
from homelab_hooks.simulators.kubernetes.server import KubernetesSimulator, RespondWith
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.security.recording_servers import RecordingServer, Reply
from tests.waiting import HANG_S, wait_until

PUSH = b"POST /acme/app.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /acme/app.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = "x" * (32 << 20)
"""more than the buffers of a connection hold, so the server is still writing when the client goes"""


def port(url: str) -> int:
    return int(url.rpartition(":")[2])


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """A connection that is reset at the end, like that of a process that was killed."""
    with socket.create_connection(("127.0.0.1", port(url)), timeout=HANG_S) as connection:
        yield connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def silent(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Every connection of the test is served to its end, and nothing is printed about any of them."""
    before = set(threading.enumerate())
    yield
    wait_until(lambda: not any("process_request" in one.name for one in set(threading.enumerate()) - before))
    assert capsys.readouterr().err == ""


@pytest.fixture
def git(workshop: ScratchRepositories) -> Iterator[GitServer]:
    with GitServer(workshop.folder / "srv", workshop.environ) as server:
        yield server


CUT = {
    "length": b"Content-Length: 4000\r\n\r\n0094" + b"a" * 40,
    "in a chunk": b"Transfer-Encoding: chunked\r\n\r\nffff\r\n0094" + b"a" * 40,
    "between chunks": b"Transfer-Encoding: chunked\r\n\r\n4\r\n0000\r\n",
}


@pytest.mark.parametrize("how", CUT)
@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
@pytest.mark.usefixtures("silent")
def test_half_a_push_is_not_carried_out(
    git: GitServer, workshop: ScratchRepositories, how: str, *, reset: bool
) -> None:
    with connected(git.url) as connection:
        connection.sendall(PUSH + CUT[how])
        if not reset:
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    assert workshop.clone("ann", at=f"{git.url}/acme/app.git").head == workshop.server_commit()
    assert GitService.PUSH not in git.requests


@pytest.mark.usefixtures("silent")
def test_a_client_may_go_before_its_push_is_answered(git: GitServer, workshop: ScratchRepositories) -> None:
    gone = threading.Event()

    def wait() -> None:
        assert gone.wait(HANG_S)

    git.plan.before_push = wait
    with connected(git.url) as connection:
        connection.sendall(PUSH + b"Content-Length: 4\r\n\r\n0000")
        wait_until(lambda: GitService.PUSH in git.requests)
    gone.set()
    assert workshop.clone("ann", at=f"{git.url}/acme/app.git").head == workshop.server_commit()


Serve = Callable[[ScratchRepositories], AbstractContextManager[str]]


@contextmanager
def woodpecker(_: ScratchRepositories) -> Iterator[str]:
    with WoodpeckerSimulator(SystemClock()) as woodpecker:
        woodpecker.fail(FaultRule(fault=faults.Endless()))
        yield woodpecker.url


@contextmanager
def kubernetes(_: ScratchRepositories) -> Iterator[str]:
    with KubernetesSimulator(lambda _: [], now=SystemClock().now) as cluster:
        cluster.fault = RespondWith(200, LARGE)
        yield cluster.url


@contextmanager
def vault(_: ScratchRepositories) -> Iterator[str]:
    with RecordingServer(lambda *_: Reply(200, LARGE.encode())) as server:
        yield server.url


@contextmanager
def git_server(workshop: ScratchRepositories) -> Iterator[str]:
    """With more branches than it can tell at once."""
    sha, name = workshop.server_commit(), "x" * 200
    refs = "".join(f"{sha} refs/heads/{number:06}-{name}\n" for number in range(100_000))
    (workshop.bare_path / "packed-refs").write_text(f"# pack-refs with: peeled fully-peeled sorted \n{refs}")
    with GitServer(workshop.folder / "srv", workshop.environ) as server:
        yield server.url


@pytest.mark.parametrize("serve", [woodpecker, kubernetes, vault, git_server], ids=lambda one: one.__name__)
@pytest.mark.usefixtures("silent")
def test_a_client_may_go_in_the_middle_of_an_answer(serve: Serve, workshop: ScratchRepositories) -> None:
    with serve(workshop) as url:
        for _ in range(2):
            with connected(url) as connection:
                connection.sendall(GET)
                assert connection.recv(1000)
