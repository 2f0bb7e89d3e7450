"""A real Vault that is sealed, as after a restart: who waits rides it out, who looks once is told at once."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.vault import VaultDevServer
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.cli.shell import CommandResult, Shell
from tests.support.listener import Listener
from tests.waiting import HANG_S, wait_until

pytestmark = pytest.mark.slow


class CountingProxy:
    """A TCP proxy in front of a port that counts the connections."""

    def __init__(self, port: int) -> None:
        self.came, self._to = 0, port
        self._listener = Listener(self._connect)
        self.url = f"http://127.0.0.1:{self._listener.port}"

    def close(self) -> None:
        """Refuse every further connection."""
        self._listener.close()

    def _connect(self, near: socket.socket) -> None:
        self.came += 1
        far = socket.create_connection(("127.0.0.1", self._to))
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        source.close()


@pytest.fixture
def vault() -> Iterator[VaultDevServer]:
    with VaultDevServer() as server:
        server.write("ci/global", {"woodpecker_api_token": "alice-token"})
        yield server


@pytest.fixture
def sealed(vault: VaultDevServer, shell: Shell) -> Iterator[CountingProxy]:
    """In the way of the shell, whose CI's token is in a Vault that is sealed now."""
    door, token = CountingProxy(vault.port), vault.create_token()
    shell.more |= {"WOODPECKER_TOKEN": "", "VAULT_ADDR": door.url, "VAULT_TOKEN": token}
    vault.client().sys.seal()
    yield door
    door.close()


def unseal(vault: VaultDevServer) -> None:
    """As its operator does."""
    key = re.search(r"Unseal Key: (\S+)", (vault._bao.home / "log").read_text())
    assert key
    vault.client().sys.submit_unseal_key(key[1])


def test_a_watch_rides_out_a_vault_that_is_sealed(
    sealed: CountingProxy, vault: VaultDevServer, shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone
) -> None:
    woodpecker.push("acme/app", "main", clone.head, timelines.make_green(seconds=5))
    with shell.start("homelab-watch") as running:
        wait_until(lambda: sealed.came >= 2)
        assert woodpecker.count() == 0
        unseal(vault)
        out, err = running.communicate(timeout=HANG_S)
    ended = CommandResult(running.returncode, out.decode(), err.decode())
    assert (ended.code, ended.result["verdict"]) == (0, "passed"), ended
    assert "alice-token" not in ended.out + ended.err


def test_a_restart_that_watches_waits_for_the_token_too(
    sealed: CountingProxy, vault: VaultDevServer, shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone
) -> None:
    woodpecker.push("acme/app", "main", clone.head, timelines.make_red(seconds=1))
    with shell.start("homelab", "ci", "restart") as running:
        wait_until(lambda: sealed.came >= 2)
        unseal(vault)
        out, err = running.communicate(timeout=HANG_S)
    assert b"#2 restarts #1" in err, (out, err)


def test_a_credential_helper_is_asked_once_while_vault_is_waited_for_and_the_end_says_what_helps(
    shell: Shell, tmp_path: Path
) -> None:
    """It may be asking a person; and only Vault is waited for."""
    asked = tmp_path / "asked"
    helper = f"!f() {{ echo x >>{asked}; }}; f"
    shell.more |= {
        "WOODPECKER_TOKEN": "", "VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": "hvs.nothing",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "credential.helper", "GIT_CONFIG_VALUE_0": helper,
    }  # fmt: skip
    ended = shell("homelab-watch", "--unreachable-timeout", "4")
    assert (ended.code, asked.read_text()) == (8, "x\n"), ended
    assert "check VAULT_ADDR" in ended.err.splitlines()[-1]


def test_a_restart_waits_no_longer_than_its_timeout(shell: Shell) -> None:
    ended = shell("homelab", "ci", "restart", "--timeout", "2", "--dial", "127.0.0.1:9")
    assert ended.code == 8, ended


def test_a_one_shot_command_fails_at_once(sealed: CountingProxy, shell: Shell) -> None:
    ended = shell("homelab", "ci", "status")
    assert (ended.code, ended.result["verdict"]) == (8, "unreachable")
    assert "cannot obtain the CI token now: Vault secret/ci/global at" in ended.err
    assert "it is sealed" in ended.err
    assert "unseal Vault" in ended.err
    assert all(len(line) < 200 for line in ended.err.splitlines())
    assert sealed.came == 1
