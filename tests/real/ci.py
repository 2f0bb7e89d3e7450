"""A real Woodpecker: a server with its database, and one agent that runs steps on this machine."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from homelab_hooks.simulators.programs import ManagedProgram, find_free_port
from homelab_hooks.system.process_runner import Background, ProcessRunner
from tests.waiting import HANG_S, wait_until

VARIABLES = ("WOODPECKER_SERVER_BIN", "WOODPECKER_AGENT_BIN")
FAR = 4102444800
"""2100: the forge's token never has to be refreshed"""
OURS = "tests"
"""the user agent of what is asked beside the product"""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs that the environment names."""

    server: Path
    agent: Path

    @classmethod
    def named(cls, environ: Mapping[str, str]) -> Self | None:
        """None where they are not both named; a name that is not a program is a mistake, not a reason to skip."""
        found = [program(environ, variable) for variable in VARIABLES]
        return cls(*(path for path in found if path)) if all(found) else None


def program(environ: Mapping[str, str], variable: str) -> Path | None:
    """The program that a variable names; None where it names none."""
    name = environ.get(variable, "")
    if not name:
        return None
    if not os.access(name, os.X_OK):
        raise FileNotFoundError(f"{variable}: {name} is not a program")
    return Path(name).resolve()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person of the forge, as whom Woodpecker works."""

    remote_id: int = 1
    login: str = "ann"
    access_token: str = "any"


class Ci:
    """Woodpecker beside a forge; use it as a context manager.

    Attributes:
        api: asks the server as its one user, who is its administrator.
    """

    def __init__(self, binaries: Binaries, *, path: str, forge: str, account: Account) -> None:
        self._binaries, self._path, self._forge, self._account = binaries, path, forge, account
        self._open = ExitStack()
        self._agent: Background | None = None
        self._grpc = 0
        self._secret = secrets.token_hex(16)
        self._key = secrets.token_hex(20)
        self.port = 0

    def __enter__(self) -> Self:
        with ExitStack() as begun:
            self._build(begun)
            self._open = begun.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """An API token of the user, made as the server makes them: signed with the user's own key."""
        return signed({"type": "user", "user-id": "1"}, self._key)

    def activate(self, remote_id: int) -> int:
        """Activate a repository of the forge, which is told where to send its webhooks; the repository's id here."""
        return int(self.api.post("/api/repos", params={"forge_remote_id": remote_id}).raise_for_status().json()["id"])

    def requests(self) -> list[dict[str, Any]]:
        """The server's answers so far, from its log, without those to the tests and the forge."""
        found = []
        for line in (self._server.home / "log").read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if entry.get("user-agent", OURS) != OURS and not entry.get("path", "").startswith("/api/hook"):
                    found.append(entry)
        return found

    def restart(self) -> None:
        """End the server, as a machine does that is updated, and start it again on its database and its ports."""
        self._server.stop()
        self._start()

    def agent(self) -> None:
        """See to it that the agent runs: one that has crashed would let everything after it wait for ever."""
        if self._agent is None or not self._agent.alive:
            home = self._database.parent
            processes = ProcessRunner({"PATH": self._path, "HOME": str(home), "TMPDIR": str(home)})
            self._agent = processes.spawn(self._agent_argv(), cwd=home, log=home / "agent.log")

    def _stop_agent(self) -> None:
        if self._agent:
            self._agent.stop()

    def _start(self) -> None:
        self._server = ManagedProgram("ci-server", {"PATH": self._path})
        self._server.start(self._server_argv, ready_message="starting http server")

    def _stop(self) -> None:
        self._server.stop()

    def _build(self, begun: ExitStack) -> None:
        self._database = Path(begun.enter_context(tempfile.TemporaryDirectory(prefix="homelab-ci-"))) / "ci.sqlite"
        begun.callback(self._stop)
        self._start()
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": OURS}
        self.api = begun.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=HANG_S))
        wait_until(lambda: answers(self.api, "/healthz"), "the server is not well")
        self._seed()
        begun.callback(self._stop_agent)
        self.agent()

    def _server_argv(self, port: int) -> list[str]:
        self.port, self._grpc = self.port or port, self._grpc or find_free_port()
        port = self.port
        settings = {
            "HOST": f"http://127.0.0.1:{port}",
            "SERVER_ADDR": f"127.0.0.1:{port}",
            "GRPC_ADDR": f"127.0.0.1:{self._grpc}",
            "DATABASE_DATASOURCE": f"{self._database}?_busy_timeout=10000",
            "AGENT_SECRET": self._secret,
            "GRPC_SECRET": self._secret,
            "GITEA": "true",
            "GITEA_URL": self._forge,
            "GITEA_CLIENT": "none",
            "GITEA_SECRET": "none",
            "DEV_WWW_PROXY": "http://127.0.0.1:1",  # no web pages are needed
            "LOG_LEVEL": "debug",
            "DEBUG_PRETTY": "false",
        }
        return ["env", *(f"WOODPECKER_{name}={value}" for name, value in settings.items()), str(self._binaries.server)]

    def _agent_argv(self) -> list[str]:
        settings = {
            "SERVER": f"127.0.0.1:{self._grpc}",
            "AGENT_SECRET": self._secret,
            "AGENT_CONFIG_FILE": "agent.conf",
            "BACKEND": "local",
            "HEALTHCHECK": "false",
            "MAX_WORKFLOWS": "4",
        }
        return ["env", *(f"WOODPECKER_{name}={value}" for name, value in settings.items()), str(self._binaries.agent)]

    def _seed(self) -> None:
        """A user, without the browser's way through the forge."""
        org = {"id": 1, "forge_id": 1, "name": self._account.login, "is_user": 1, "private": 0}
        user = {
            "id": 1, "forge_id": 1, "forge_remote_id": str(self._account.remote_id), "login": self._account.login,
            "email": "", "avatar": "", "access_token": self._account.access_token, "refresh_token": "", "expiry": FAR,
            "admin": 1, "hash": self._key, "org_id": 1,
        }  # fmt: skip
        with closing(sqlite3.connect(self._database, timeout=HANG_S)) as database, database:
            for table, row in (("orgs", org), ("users", user)):
                marks = ", ".join(f":{name}" for name in row)
                database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608 - our own names


def answers(client: httpx.Client, path: str) -> bool:
    """Whether a server that is starting answers already."""
    try:
        return client.get(path).is_success
    except httpx.TransportError:
        return False


def signed(claims: Mapping[str, str], key: str) -> str:
    """A JSON web token, HS256."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    head = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + "." + part(json.dumps(dict(claims)).encode())
    return head + "." + part(hmac.digest(key.encode(), head.encode(), hashlib.sha256))
