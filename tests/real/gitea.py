"""A real Gitea or Forgejo with three people, http and its own ssh server; everything on this machine."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from homelab_hooks.simulators.programs import ManagedProgram, find_free_port
from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.system.process_runner import ProcessRunner
from tests.real.ci import answers
from tests.waiting import HANG_S, wait_until

VARIABLE = "GITEA_BIN"
OWNER, WRITER, READER = "ann", "bob", "carol"
_CONFIG = """\
RUN_MODE = prod
WORK_PATH = {home}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = {root}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
DOMAIN = 127.0.0.1
ROOT_URL = http://127.0.0.1:{port}/
OFFLINE_MODE = true
START_SSH_SERVER = true
SSH_LISTEN_HOST = 127.0.0.1
SSH_PORT = {ssh}
SSH_LISTEN_PORT = {ssh}
BUILTIN_SSH_SERVER_USER = git
LFS_START_SERVER = false
[database]
DB_TYPE = sqlite3
PATH = {home}/gitea.sqlite
SQLITE_TIMEOUT = 10000
[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}
DISABLE_GIT_HOOKS = false
PASSWORD_HASH_ALGO = pbkdf2_v1
[service]
DISABLE_REGISTRATION = true
[webhook]
ALLOWED_HOST_LIST = loopback
[indexer]
ISSUE_INDEXER_TYPE = db
[actions]
ENABLED = false
[cron]
ENABLED = false
[mailer]
ENABLED = false
[log]
MODE = console
LEVEL = info
"""


class Gitea:
    """Runs while its `with` lasts; its owner is its administrator, and everybody has the same password.

    Args:
        binary: the program.
        environ: of the people, with git's seal.
        folder: for their keys and clones.
    """

    def __init__(self, binary: Path, environ: Mapping[str, str], folder: Path) -> None:
        self._binary, self._environ, self._folder = binary, environ, folder
        self._processes = ProcessRunner(environ)
        self._open = ExitStack()
        self.password = secrets.token_hex(12)
        self.port = self.ssh = 0

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

    def post(self, path: str, **fields: Any) -> Any:
        """What the owner asks the API to make."""
        return self.api.post(f"/api/v1{path}", json=fields).raise_for_status().json()

    def repository(self, name: str) -> GiteaRepository:
        """A public repository with one commit on `main`; the writer may push."""
        remote_id = self.post("/user/repos", name=name, auto_init=True, default_branch="main")["id"]
        self.api.put(f"/api/v1/repos/{OWNER}/{name}/collaborators/{WRITER}", json={"permission": "write"})
        return GiteaRepository(self, name, remote_id)

    def environ_of(self, who: str) -> dict[str, str]:
        """A person's environment: their own key for ssh."""
        ssh = f"ssh -F none -i {self._key(who)} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no"
        return {**self._environ, "GIT_SSH_COMMAND": f"{ssh} -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"}

    def clone(self, url: str, who: str, name: str) -> Clone:
        """A person's clone."""
        Clone(self._folder, self.environ_of(who)).git("clone", "--quiet", url, name)
        return Clone(self._folder / name, self.environ_of(who))

    def _build(self, begun: ExitStack) -> None:
        self._server = ManagedProgram("gitea", {"PATH": self._environ["PATH"]})
        begun.callback(self._server.stop)
        self.port = self._server.start(self._argv, ready_message="Starting new Web server")
        self.api = begun.enter_context(httpx.Client(base_url=self.url, auth=(OWNER, self.password), timeout=HANG_S))
        wait_until(lambda: answers(self.api, "/api/healthz"), "the forge is not well")
        made = self._processes.run(
            [str(self._binary), "admin", "user", "create", "--config", str(self._ini), "--admin", "--username", OWNER,
             "--email", f"{OWNER}@example.test", "--password", self.password, "--must-change-password=false"],
            timeout=HANG_S,
        )  # fmt: skip
        if not made.ok:
            raise RuntimeError(made.out + made.err)
        for who in (WRITER, READER):
            fields = {"username": who, "email": f"{who}@example.test", "password": self.password}
            self.post("/admin/users", must_change_password=False, **fields)
        for who in (OWNER, WRITER, READER):
            self.post(f"/admin/users/{who}/keys", title="key", key=self._made_key(who))

    @property
    def _ini(self) -> Path:
        return self._server.home / "app.ini"

    def _argv(self, port: int) -> list[str]:
        self.ssh = find_free_port()
        text = _CONFIG.format(
            home=self._server.home,
            root=str(os.getuid() == 0).lower(),
            port=port,
            ssh=self.ssh,
            secret=secrets.token_hex(16),
        )
        self._ini.write_text(text, encoding="utf-8")
        return [str(self._binary), "web", "--config", str(self._ini)]

    def _key(self, who: str) -> Path:
        return self._folder / f"key-{who}"

    def _made_key(self, who: str) -> str:
        self._processes.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key(who))], timeout=HANG_S)
        return self._key(who).with_suffix(".pub").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class GiteaRepository:
    """A repository of the owner's."""

    gitea: Gitea
    name: str
    remote_id: int

    @property
    def path(self) -> str:
        """Where the API has it."""
        return f"/repos/{OWNER}/{self.name}"

    def http(self, who: str) -> str:
        """Its address for a person, the password in it."""
        return f"http://{who}:{self.gitea.password}@127.0.0.1:{self.gitea.port}/{OWNER}/{self.name}.git"

    @property
    def ssh(self) -> str:
        """Its address over ssh."""
        return f"ssh://git@127.0.0.1:{self.gitea.ssh}/{OWNER}/{self.name}.git"

    def head(self, branch: str = "main") -> str:
        """The commit that a branch has on the forge; empty without such a branch."""
        answer = self.gitea.api.get(f"/api/v1{self.path}/branches/{branch}")
        return str(answer.json()["commit"]["id"]) if answer.is_success else ""

    def protect(self) -> None:
        """Protect `main` against every push."""
        self.rule(enable_push=False)

    def rule(self, **fields: object) -> None:
        """Protect `main` in the API's own words."""
        self.gitea.post(f"{self.path}/branch_protections", rule_name="main", branch_name="main", **fields)

    def change(self, **fields: object) -> None:
        """Change the repository's settings."""
        self.gitea.api.request("PATCH", f"/api/v1{self.path}", json=fields).raise_for_status()

    def refuse(self, words: str) -> None:
        """A hook on the server refuses every push with these words."""
        script = f"#!/bin/sh\necho '{words}' >&2\nexit 1\n"
        self.gitea.api.request(
            "PATCH", f"/api/v1{self.path}/hooks/git/pre-receive", json={"content": script}
        ).raise_for_status()
