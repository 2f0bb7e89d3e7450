"""Gitea's API as far as Woodpecker asks for it, answered from a bare repository; pushes become webhooks."""

from __future__ import annotations

import http.server
import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from homelab_hooks.simulators.git_http import PushedRef
from homelab_hooks.simulators.http_server import HttpServer, ServerThread
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

OWNER, NAME = "acme", "app"
FULL_NAME = f"{OWNER}/{NAME}"
REMOTE_ID = 1
PERSON: dict[str, Any] = {
    "id": 1,
    "login": "ann",
    "username": "ann",
    "email": "ann@example.test",
    "visibility": "public",
}
_REPO = f"/api/v1/repos/{FULL_NAME}"


class Forge(ServerThread):
    """One repository of a forge; use it as a context manager.

    Attributes:
        hook: the address that Woodpecker asked to be told of pushes; it carries its own proof of who calls.
        statuses: the commit statuses that Woodpecker has set, as (commit, state).
    """

    def __init__(self, bare: Path, environ: Mapping[str, str]) -> None:
        self.hook = ""
        self.statuses: list[tuple[str, str]] = []
        self._bare = bare
        self._processes = ProcessRunner(environ)
        super().__init__(_ForgeHttp(self))

    @property
    def repository(self) -> dict[str, Any]:
        """The repository as the forge describes it."""
        page = f"{self.url}/{FULL_NAME}"
        return {
            "id": REMOTE_ID,
            "name": NAME,
            "full_name": FULL_NAME,
            "owner": {"id": 2, "login": OWNER, "username": OWNER, "visibility": "public"},
            "private": False,
            "html_url": page,
            "clone_url": f"{page}.git",
            "ssh_url": f"git@127.0.0.1:{FULL_NAME}.git",
            "default_branch": "main",
            "permissions": {"admin": True, "push": True, "pull": True},
            "has_pull_requests": True,
        }

    def pushed(self, update: PushedRef) -> None:
        """Tell Woodpecker of a branch that a push has moved, as the forge's webhook does."""
        if not update.ref.startswith("refs/heads/"):
            return
        message = self._git("show", "--no-patch", "--format=%B", update.new)
        commit = {
            "id": update.new, "message": message, "url": f"{self.url}/{FULL_NAME}/commit/{update.new}",
            "added": [], "removed": [], "modified": [],
        }  # fmt: skip
        body = {
            "ref": update.ref,
            "before": update.old,
            "after": update.new,
            "compare_url": "",
            "commits": [commit],
            "head_commit": commit,
            "repository": self.repository,
            "pusher": PERSON,
            "sender": PERSON,
        }
        httpx.post(self.hook, json=body, headers={"X-Gitea-Event": "push"}, timeout=HANG_S)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        """The status and the document, or the bytes of a file."""
        for wanted, pattern, act in self._routes():
            found = re.fullmatch(pattern, path)
            if method == wanted and found:
                return act(unquote(found.group(1)) if found.groups() else "", query, body)
        return HTTPStatus.NOT_FOUND, {"message": "not found"}

    def _routes(self) -> tuple[tuple[str, str, _Act], ...]:
        return (
            ("GET", "/api/v1/version", lambda *_: (200, {"version": "1.24.0"})),
            ("GET", "/api/v1/settings/api", lambda *_: (200, {"max_response_items": 50})),
            ("GET", "/api/v1/user", lambda *_: (200, PERSON)),
            ("GET", f"/api/v1/users/{OWNER}", lambda *_: (200, self.repository["owner"])),
            ("GET", f"/api/v1/repositories/{REMOTE_ID}", lambda *_: (200, self.repository)),
            ("GET", _REPO, lambda *_: (200, self.repository)),
            ("POST", f"{_REPO}/hooks", self._set_hook),
            ("POST", f"{_REPO}/statuses/(.+)", self._set_status),
            ("GET", f"{_REPO}/branches/(.+)", self._branch),
            ("GET", f"{_REPO}/contents/(.+)", self._folder),
            ("GET", f"{_REPO}/raw/(.+)", self._file),
        )

    def _set_hook(self, _: str, __: Mapping[str, str], body: Any) -> tuple[int, Any]:
        self.hook = body["config"]["url"]
        return HTTPStatus.CREATED, {"id": 1, **body}

    def _set_status(self, sha: str, _: Mapping[str, str], body: Any) -> tuple[int, Any]:
        self.statuses.append((sha, body["state"]))
        return HTTPStatus.CREATED, {"id": len(self.statuses), "status": body["state"]}

    def _branch(self, name: str, _: Mapping[str, str], __: Any) -> tuple[int, Any]:
        sha = self._git("rev-parse", "--verify", "--quiet", f"refs/heads/{name}").strip()
        found = {"name": name, "commit": {"id": sha, "url": f"{self.url}/{FULL_NAME}/commit/{sha}"}}
        return (HTTPStatus.OK, found) if sha else (HTTPStatus.NOT_FOUND, {"message": "no such branch"})

    def _folder(self, path: str, query: Mapping[str, str], _: Any) -> tuple[int, Any]:
        names = self._git("ls-tree", "--name-only", query["ref"], f"{path}/").split()
        entries = [{"type": "file", "path": name, "name": Path(name).name} for name in names]
        return (HTTPStatus.OK, entries) if entries else (HTTPStatus.NOT_FOUND, {"message": "no such folder"})

    def _file(self, path: str, query: Mapping[str, str], _: Any) -> tuple[int, Any]:
        done = self._processes.run(["git", "show", f"{query['ref']}:{path}"], cwd=self._bare)
        return (HTTPStatus.OK, done.stdout) if done.ok else (HTTPStatus.NOT_FOUND, {"message": "no such file"})

    def _git(self, *args: str) -> str:
        return self._processes.run(["git", *args], cwd=self._bare).out


_Act = Callable[[str, Mapping[str, str], Any], tuple[int, Any]]


class _ForgeHttp(HttpServer):
    def __init__(self, forge: Forge) -> None:
        self.forge = forge
        super().__init__(_ForgeHandler)


class _ForgeHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null"))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, body: Any) -> None:
        assert isinstance(self.server, _ForgeHttp)
        place = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        status, document = self.server.forge.answer(self.command, place.path, query, body)
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(document, bytes) else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
