"""A local git server over HTTP: git http-backend behind a Python server, with fault injection."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from pathlib import Path

from homelab_hooks.simulators.http_server import HttpServer, ServerThread, SilentHandler
from homelab_hooks.system.process_runner import ProcessRunner


class GitFault(Enum):
    """A fault of a request; a positive value is the status that is sent."""

    UNAUTHORIZED = HTTPStatus.UNAUTHORIZED.value
    FORBIDDEN = HTTPStatus.FORBIDDEN.value
    NOT_FOUND = HTTPStatus.NOT_FOUND.value
    TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value
    TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS.value
    UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE.value
    WEB_PAGE = HTTPStatus.OK.value
    """a page in one line, as of a captive portal"""
    REDIRECT = HTTPStatus.FOUND.value
    """to the same path at `redirect_to`"""
    LOSE_ANSWER = -1
    """the request takes effect, then the connection is closed without a response"""
    REFUSE_LATE = -3
    """the request takes effect, then the answer is 413, as from a proxy that limits answers"""
    DROP = -2
    """the connection is closed before the request takes effect"""


class GitService(Enum):
    """The four kinds of git requests."""

    FETCH_REFS = "git-upload-pack refs"
    FETCH = "git-upload-pack"
    PUSH_REFS = "git-receive-pack refs"
    PUSH = "git-receive-pack"


@dataclass(frozen=True, slots=True)
class PushedRef:
    """A ref that a push updated; `old` and `new` are commits."""

    repository: str
    """the path relative to the server's root, without `.git`"""
    ref: str
    old: str
    new: str


@dataclass
class GitServerPlan:
    """The behavior of the server; may be changed between requests."""

    faults: dict[GitService, GitFault] = field(default_factory=dict)
    remaining: int = -1
    """the number of faults left; negative: unlimited"""
    credentials: str = ""
    """the `user:password` that a push requires; empty: none"""
    redirect_to: str = ""
    on_push: Callable[[PushedRef], None] | None = None
    before_push: Callable[[], None] | None = None
    """called between the ref advertisement and the push"""

    def next_fault(self, service: GitService) -> GitFault | None:
        """Return the fault of this request, or None, and count it."""
        found = self.faults.get(service)
        if found is None or self.remaining == 0:
            return None
        self.remaining -= 1
        return found


class GitServer(ServerThread):
    """Serves the bare repositories below `root`; a context manager."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.plan = GitServerPlan()
        self.requests: list[GitService] = []
        self.root = root
        self.processes = ProcessRunner(environ)
        super().__init__(_GitHttpServer(self))

    def pushed(self, path: str, body: bytes) -> None:
        """Call `on_push` for each ref that a push has updated."""
        if self.plan.on_push is None:
            return
        for old, new, ref in parse_push_commands(body):
            at = self.processes.run(["git", "rev-parse", "--verify", "--quiet", ref], cwd=self.root / path.lstrip("/"))
            if at.out.strip() == new:
                self.plan.on_push(PushedRef(path.strip("/").removesuffix(".git"), ref, old, new))


def parse_push_commands(body: bytes) -> list[tuple[str, str, str]]:
    r"""Return the (old, new, ref) commands at the start of a push request.

    >>> parse_push_commands(b"001faa bb refs/heads/m\0 report\n0000PACK")
    [('aa', 'bb', 'refs/heads/m')]
    """
    found = []
    while (size := int(body[:4] or b"0", 16)) != 0:
        line = body[4:size].split(b"\0")[0].decode().strip()
        body = body[size:]
        if not line.startswith(("shallow ", "push-cert")):
            old, new, ref = line.split(" ", 2)
            found.append((old, new, ref))
    return found


class _GitHttpServer(HttpServer):
    def __init__(self, git: GitServer) -> None:
        self.git = git
        super().__init__(_GitRequestHandler)


class _GitRequestHandler(SilentHandler):
    @property
    def _git(self) -> GitServer:
        assert isinstance(self.server, _GitHttpServer)  # noqa: S101 - no other server has this handler
        return self.server.git

    def serve(self) -> None:
        """Answer the request."""
        self._answer(self.read_body())

    def _answer(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        service = GitService(query.removeprefix("service=") + " refs" if query else path.rpartition("/")[2])
        self._git.requests.append(service)
        fault = self._git.plan.next_fault(service)
        if fault is GitFault.DROP:
            self.close_connection = True
        elif fault is not None and fault not in {GitFault.LOSE_ANSWER, GitFault.REFUSE_LATE}:
            self._status(fault)
        elif service in {GitService.PUSH, GitService.PUSH_REFS} and not self._allowed():
            self._status(GitFault.UNAUTHORIZED)
        else:
            self._backend(path, query, body, service, fault)

    def _allowed(self) -> bool:
        wanted = base64.b64encode(self._git.plan.credentials.encode()).decode()
        return not self._git.plan.credentials or self.headers.get("Authorization") == f"Basic {wanted}"

    def _status(self, fault: GitFault) -> None:
        text = b"<html>log in</html>" if fault is GitFault.WEB_PAGE else b"injected fault\n"
        self.send_response(fault.value)
        if fault is GitFault.REDIRECT:
            self.send_header("Location", self._git.plan.redirect_to + self.path)
        if fault is GitFault.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Type", "text/html" if fault is GitFault.WEB_PAGE else "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _backend(self, path: str, query: str, body: bytes, service: GitService, fault: GitFault | None) -> None:
        if service is GitService.PUSH and self._git.plan.before_push:
            self._git.plan.before_push()
        done = self._git.processes.run(["git", "http-backend"], env=self._cgi(path, query, body), stdin=body)
        repository = path.removesuffix("/git-receive-pack")
        if service is GitService.PUSH:
            self._git.pushed(repository, body)
        if fault is GitFault.LOSE_ANSWER:
            self.close_connection = True
            return
        if fault is GitFault.REFUSE_LATE:
            self._status(GitFault.TOO_LARGE)
            return
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().splitlines() if ": " in line]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), HTTPStatus.OK.value)
        self.send_response(status)
        for name, value in headers:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _cgi(self, path: str, query: str, body: bytes) -> dict[str, str]:
        return {
            "GIT_PROJECT_ROOT": str(self._git.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "ann",
            "REMOTE_ADDR": "127.0.0.1",
        }
