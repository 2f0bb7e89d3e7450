"""A real Woodpecker, server and agent, behind a git server and a forge of ours; everything on this machine."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from homelab_hooks.demo.githttp import GitServer
from homelab_hooks.demo.programs import Beside, free_port
from homelab_hooks.demo.workshop import Checkout, Workshop, sealed
from tests.real.forge import FULL_NAME, PERSON, REMOTE_ID, Forge

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
        """None where they are not both named; a name that is no program is a mistake, not a reason to skip."""
        names = [environ.get(variable, "") for variable in VARIABLES]
        if not all(names):
            return None
        for variable, name in zip(VARIABLES, names, strict=True):
            if not os.access(name, os.X_OK):
                raise FileNotFoundError(f"{variable}: {name} is no program")
        return cls(*(Path(name).resolve() for name in names))


class Site:
    """Runs while its `with` lasts, and leaves nothing behind.

    Attributes:
        environ: for the product: a sealed home, the server's address and a token.
        forge: what tells Woodpecker of pushes, and is told of statuses.
        git: the git server that clones push to.
        ci: asks Woodpecker's API as its user.
    """

    def __init__(self, binaries: Binaries, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        self._open = ExitStack()
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
        """Woodpecker's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """An API token of the user, made as the server makes them: signed with the user's own key."""
        return signed({"type": "user", "user-id": "1"}, self._key)

    def clone(self, name: str) -> Checkout:
        """A clone whose pushes reach Woodpecker, on a new branch of its own name."""
        return self.workshop.clone(name, at=f"{self.git.url}/{FULL_NAME}.git", topic=name)

    def requests(self) -> list[dict[str, Any]]:
        """What the server answered so far to anybody but the tests and its own parts, from its log."""
        found = []
        for line in (self._server.home / "log").read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if entry.get("user-agent", OURS) != OURS and not entry.get("path", "").startswith("/api/hook"):
                    found.append(entry)
        return found

    def _build(self, begun: ExitStack) -> None:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environ = sealed({"PATH": path}, self._folder / "home")
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):  # with fixed dates two branches would share a commit
            del environ[name]
        self.workshop = Workshop(self._folder, environ)
        self.git = begun.enter_context(GitServer(self._folder / "srv", environ))
        self.forge = begun.enter_context(Forge(self.workshop.bare, environ))
        self.git.plan.on_push = self.forge.pushed
        self._server = Beside("ci-server", {"PATH": path})
        begun.callback(self._server.stop)
        self.port = self._server.start(self._server_argv, sign="starting http server")
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": OURS}
        self.ci = begun.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=20))
        until(self._healthy, "the server is well")
        self._seed()
        agent = Beside("ci-agent", {"PATH": path})
        begun.callback(agent.stop)
        agent.start(self._agent_argv, sign="starting Woodpecker agent")
        self.environ = {**environ, "WOODPECKER_SERVER": self.url, "WOODPECKER_TOKEN": self.token}

    def _healthy(self) -> bool:
        try:
            return self.ci.get("/healthz").status_code == httpx.codes.NO_CONTENT
        except httpx.TransportError:
            return False

    def _server_argv(self, port: int) -> list[str]:
        self._grpc = free_port()
        settings = {
            "HOST": f"http://127.0.0.1:{port}",
            "SERVER_ADDR": f"127.0.0.1:{port}",
            "GRPC_ADDR": f"127.0.0.1:{self._grpc}",
            "DATABASE_DATASOURCE": f"{self._server.home}/ci.sqlite?_busy_timeout=10000",
            "AGENT_SECRET": self._secret,
            "GRPC_SECRET": self._secret,
            "GITEA": "true",
            "GITEA_URL": self.forge.url,
            "GITEA_CLIENT": "none",
            "GITEA_SECRET": "none",
            "DEV_WWW_PROXY": "http://127.0.0.1:1",  # no web pages are needed
            "LOG_LEVEL": "debug",
            "DEBUG_PRETTY": "false",
        }
        return ["env", *(f"WOODPECKER_{name}={value}" for name, value in settings.items()), str(self._binaries.server)]

    def _agent_argv(self, _: int) -> list[str]:
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
        """A user, without the browser's way through the forge; then the repository, by the API."""
        user = {
            "id": 1, "forge_id": 1, "forge_remote_id": str(PERSON["id"]), "login": PERSON["login"], "email": "",
            "avatar": "", "access_token": "any", "refresh_token": "", "expiry": FAR, "admin": 1, "hash": self._key,
            "org_id": 1,
        }  # fmt: skip
        org = {"id": 1, "forge_id": 1, "name": PERSON["login"], "is_user": 1, "private": 0}
        with closing(sqlite3.connect(self._server.home / "ci.sqlite", timeout=10)) as database, database:
            for table, row in (("orgs", org), ("users", user)):
                marks = ", ".join(f":{name}" for name in row)
                database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608 - our own names
        answer = self.ci.post("/api/repos", params={"forge_remote_id": REMOTE_ID}).raise_for_status()
        self.repo = int(answer.json()["id"])


def signed(claims: Mapping[str, str], key: str) -> str:
    """A JSON web token, HS256."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    head = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + "." + part(json.dumps(dict(claims)).encode())
    return head + "." + part(hmac.digest(key.encode(), head.encode(), hashlib.sha256))


def until(happened: Callable[[], bool], what: str, *, within: float = 20.0) -> None:
    """Return as soon as it has happened; asked again every 20 ms."""
    pause = threading.Event()
    for _ in range(int(within / 0.02)):
        if happened():
            return
        pause.wait(0.02)
    raise TimeoutError(f"{within:.0f} s went by before {what}")
