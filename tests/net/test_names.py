"""Names are looked up within a time, in a thread that no Ctrl-C needs to reach, and each address is tried."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpcore
import pytest

from homelab_hooks.net.http import resolve_host
from homelab_hooks.net.pinned import Deadline, Opening, PinnedBackend
from homelab_hooks.system.process_runner import ProcessRunner
from tests.support.clock import FakeClock
from tests.waiting import HANG_S

SILENT = """
printf "nameserver 127.0.0.1\\noptions timeout:30 attempts:5\\n" >{file}
mount --make-rprivate / && mount --bind {file} /etc/resolv.conf || exit 99
ip link set lo up 2>/dev/null || ifconfig lo up || exit 99
exec {python} -c '
import os, socket, sys
mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mute.bind(("127.0.0.1", 53))
mute.set_inheritable(True)
os.execv(sys.argv[1], sys.argv[1:])
' {program} {sha}
"""
"""a command in a network of its own, whose one name server takes questions and answers none"""


def backend(*found: str) -> PinnedBackend:
    return PinnedBackend({}, Deadline(FakeClock()), lambda *_: found, Opening())


def test_a_name_is_looked_up() -> None:
    assert "127.0.0.1" in resolve_host("localhost", 80, 5.0)


def test_a_look_up_that_hangs_is_left_to_itself() -> None:
    over = threading.Event()

    def hang(*_: object, **__: object) -> list[Any]:
        over.wait()
        return []

    with pytest.raises(TimeoutError, match="no response from DNS within 0 s"):
        resolve_host("ci.example.test", 443, 0.05, look_up=hang)
    over.set()


def test_what_can_be_no_name_is_an_error_as_any_other() -> None:
    with pytest.raises(OSError, match="is not a valid host name"):
        resolve_host("a" * 70 + ".test", 443, 5.0)


def test_each_address_is_tried_until_one_takes_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        backend("127.0.0.2", "127.0.0.1").connect_tcp("ci.example.test", port, timeout=5.0).close()
        with pytest.raises(httpcore.ConnectError, match="refused"):
            backend("127.0.0.2").connect_tcp("ci.example.test", port, timeout=5.0)
        with pytest.raises(httpcore.ConnectError, match="no address found in DNS"):
            backend().connect_tcp("ci.example.test", port, timeout=5.0)


@pytest.mark.slow
def test_ctrl_c_reaches_a_watch_whose_name_server_is_silent(seal: dict[str, str], tmp_path: Path) -> None:
    """The system asks it for minutes, and hears no signal meanwhile."""
    if not ProcessRunner(os.environ).run(["unshare", "-n", "-m", "true"]).ok:
        pytest.skip("needs the right to unshare: a network and a resolv.conf of its own")
    settings = {
        "WOODPECKER_SERVER": "https://ci.example.test",
        "WOODPECKER_TOKEN": "t0ken",
        "HOMELAB_CI_REPO": "acme/app",
    }
    program = Path(sys.executable).with_name("homelab-watch")
    script = SILENT.format(file=tmp_path / "resolv.conf", python=sys.executable, program=program, sha="f" * 40)
    with subprocess.Popen(
        ["unshare", "-n", "-m", "sh", "-c", script], env={**seal, **settings}, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as watch:  # fmt: skip
        assert watch.stderr is not None
        assert any("to resume" in line for line in watch.stderr), watch.poll()
        assert any("no response from DNS within 5 s" in line for line in watch.stderr), watch.poll()
        watch.send_signal(signal.SIGINT)
        out, _ = watch.communicate(timeout=HANG_S)
    assert "homelab: interrupted exit=130 " in out
