"""Builds the real objects of this process; the only module that reads the environment."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from homelab_hooks.app.git_environ import build_git_environ
from homelab_hooks.auth.token_variables import CI_TOKEN_VARIABLES, FORGE_TOKEN_VARIABLES
from homelab_hooks.config import files
from homelab_hooks.config.address import ServerUrl
from homelab_hooks.config.resolve import (
    Config,
    SettingSources,
    find_repository_filters,
    resolve_config,
    resolve_config_leniently,
)
from homelab_hooks.config.schema import OutputMode
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event
from homelab_hooks.git.environment import user_command_env, without_location
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.terminal import Terminal
from homelab_hooks.text import url_secrets
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.views import View
from homelab_hooks.views.select import create_view, is_live_view

if TYPE_CHECKING:
    from homelab_hooks.app.ci_token import CiTokens
    from homelab_hooks.app.forge_setup import ForgeConnector
    from homelab_hooks.auth.lookup import Token, TokenNotFound
    from homelab_hooks.ci.connection import Connect
    from homelab_hooks.ci.provider import Provider
    from homelab_hooks.git.hook_config import HookConfig
    from homelab_hooks.git.repository import Repository
    from homelab_hooks.kubectl.client import Kubectl
    from homelab_hooks.net.http import HttpClient
    from homelab_hooks.net.probe_result import ProbeResult
    from homelab_hooks.system.output import OutputListener

TOKEN_VARIABLES = (*CI_TOKEN_VARIABLES, "VAULT_TOKEN", *FORGE_TOKEN_VARIABLES)
"""variables that hold tokens; child processes get them only if they need them"""
JOB_VARIABLE = "HOMELAB_WATCH_JOB"
"""the job of a background watcher, as JSON; a variable, because it may hold a URL with a password"""


_COERCED_LOCALES = ("C.UTF-8", "C.utf8", "UTF-8")


def _remove_coerced_locale() -> None:
    """Remove LC_CTYPE from the environment if Python has set it (PEP 538): other programs would see another locale.

    /proc shows the variables as they were when this process started. Without /proc, LC_CTYPE stays.
    """
    if os.environ.get("LC_CTYPE") not in _COERCED_LOCALES:
        return
    with contextlib.suppress(OSError):
        if b"\0LC_CTYPE=" not in b"\0" + Path("/proc/self/environ").read_bytes():
            del os.environ["LC_CTYPE"]


class Runtime:
    """This process's environment, terminal, clock, and git, and clients for the servers that the settings name.

    Args:
        environ: this process's variables.
        directory: the current directory.
    """

    def __init__(self, environ: Mapping[str, str], directory: Path) -> None:
        self.environ = dict(environ)
        self.directory = directory
        self.cwd_exists = True
        self.terminal = Terminal(environ)
        self.clock = SystemClock()
        self.redact = Redactor(environ.get(name, "").strip() for name in TOKEN_VARIABLES)
        self.redact.add(*url_secrets.find_secrets_in_proxy_variables(environ))
        self.tell: Callable[[Event], None] = lambda _: None
        """shows an event; set by the session"""
        self.is_live = False
        """whether the live view is shown"""
        self._ci_tokens: CiTokens | None = None
        self._token_lock = threading.Lock()
        self._child_environ = {
            name: value for name, value in self.environ.items() if name not in (*TOKEN_VARIABLES, JOB_VARIABLE)
        }
        self._git_environ = self._child_environ
        self.git_readonly = self._open_reader()
        """git that never prompts, changes nothing, and starts quickly"""
        self._git_environ = build_git_environ(
            self._child_environ, self.environ, self.git_readonly.location.config_entries
        )
        if len(self._git_environ) > len(self._child_environ):
            self.git_readonly = self._open_reader()

    @classmethod
    def from_process(cls) -> Runtime:
        """Return the runtime of this process; with the root directory if the current directory no longer exists.

        Tokens are removed from the process's own environment: libraries start programs too, some while imported. So are
        the settings of the user's other programs that use GitPython, which would name another git.
        """
        _remove_coerced_locale()
        environ = dict(os.environ)
        for name in (*TOKEN_VARIABLES, JOB_VARIABLE, *(name for name in environ if name.startswith("GIT_PYTHON_"))):
            os.environ.pop(name, None)
        try:
            return cls(environ, Path.cwd())
        except FileNotFoundError:
            runtime = cls(environ, Path("/"))
            runtime.cwd_exists = False
            return runtime

    def chdir(self, directory: Path) -> None:
        """Make this the current directory, in which git runs from now on."""
        self.directory = directory
        self.git_readonly = self._open_reader()

    def enter_git_dir(self, directory: Path) -> None:
        """Run git in the repository's git directory from now on: the worktree may be removed during a wait."""
        self.directory = directory
        self.git_readonly = self._open_reader(git_dir_is_known=True)

    @contextlib.contextmanager
    def inside(self, worktree: Path) -> Iterator[None]:
        """Run git in another worktree of the repository, as if the command had been started there."""
        changed = ("directory", "git_readonly", "git_interactive", "git_untrusted", "hook_config", "_git_environ")
        kept = {name: self.__dict__.pop(name) for name in changed if name in self.__dict__}
        try:
            self.directory = worktree
            self._git_environ = without_location(kept["_git_environ"])
            self.git_readonly = self._open_reader()
            yield
        finally:
            for name in changed:
                self.__dict__.pop(name, None)
            self.__dict__.update(kept)

    def require_directory(self) -> None:
        """Raise CommandError if the current directory no longer exists."""
        if not self.cwd_exists:
            raise CommandError("the current directory no longer exists", hint="cd to a directory that exists")

    @property
    def user(self) -> str:
        """Return the user name, for the branches of `work start`; empty if it is unknown."""
        return self.environ.get("USER") or self.environ.get("LOGNAME") or ""

    @property
    def home(self) -> Path:
        """Return the home directory."""
        return Path(self.environ.get("HOME") or "~")

    def _open_reader(self, *, git_dir_is_known: bool = False) -> ReadOnlyRepository:
        runner = DirectRunner(self._git_environ, self.directory, git_dir_is_known=git_dir_is_known)
        return ReadOnlyRepository(runner)

    @cached_property
    def git_interactive(self) -> Repository:
        """Return git through GitPython; it may prompt the user at the terminal."""
        from homelab_hooks.git.gitpython import GitPythonRunner
        from homelab_hooks.git.repository import Repository

        interactive = sys.stdin is not None and sys.stdin.isatty() and self.environ.get("GIT_TERMINAL_PROMPT") != "0"
        runner = GitPythonRunner(
            self._git_environ,
            self.directory,
            inherited=os.environ,
            interactive=interactive,
            create_listener=lambda: self._listen("git"),
        )
        return Repository(runner, self.git_readonly.location.facts)

    def _listen(self, source: str) -> OutputListener:
        """Return a listener that shows what git's helpers print; git's own error is in the message of the command."""
        from homelab_hooks.follow.child_output import ChildOutput
        from homelab_hooks.git.push_result import helper_lines

        return ChildOutput(source, emit=self.tell, clock=self.clock, waiting_for=source, choose_lines=helper_lines)

    @cached_property
    def git_untrusted(self) -> Repository:
        """Return git with all commands; it never prompts, and runs no program that the repository configures."""
        from homelab_hooks.git.repository import Repository

        return Repository(
            DirectRunner(
                self._child_environ,
                self.directory,
                without=find_repository_filters(self.git_readonly.location.config_entries()),
            )
        )

    @cached_property
    def hook_config(self) -> HookConfig:
        """Return git's settings for hooks, read and changed by `homelab hooks install`."""
        from homelab_hooks.git.hook_config import HookConfig

        return HookConfig(DirectRunner(self._child_environ, self.directory))

    @cached_property
    def process_runner(self) -> ProcessRunner:
        """Return a runner of programs without our tokens."""
        return ProcessRunner(self._child_environ)

    @cached_property
    def user_command_runner(self) -> ProcessRunner:
        """Return a runner of the user's commands, without our tokens and the variables that git sets for hooks."""
        return ProcessRunner(user_command_env(self._child_environ))

    @cached_property
    def hook_runner(self) -> ProcessRunner:
        """Return a runner of hooks that watch CI; they keep our tokens."""
        return ProcessRunner(user_command_env(self.environ))

    def config(self, options: Mapping[str, str | Sequence[str] | None], *, commit: str = "") -> Config:
        """Return the effective settings. Raises CommandError if one is malformed.

        Args:
            commit: the commit whose tracked file counts; empty: that of the working tree.
        """
        if commit:
            from homelab_hooks.app.tracked_file import load_settings_at

            tracked = load_settings_at(self.git_readonly, commit)
        else:
            tracked = files.load_tracked_settings(self.git_readonly.location.top_level())
        return resolve_config(self._sources(options, tracked))

    def resolve_leniently(
        self, options: Mapping[str, str | Sequence[str] | None]
    ) -> tuple[Config, tuple[CommandError, ...]]:
        """Return the effective settings that are valid, and an error for each other one."""
        problems: tuple[CommandError, ...] = ()
        tracked: Mapping[str, object] = {}
        try:
            tracked = files.load_tracked_settings(self.git_readonly.location.top_level())
        except CommandError as problem:
            problems = (problem,)
        config, more = resolve_config_leniently(self._sources(options, tracked))
        return config, (*problems, *more)

    def _sources(
        self, options: Mapping[str, str | Sequence[str] | None], tracked: Mapping[str, object]
    ) -> SettingSources:
        context = files.read_woodpecker_cli_server(Path(self.environ.get("XDG_CONFIG_HOME") or self.home / ".config"))
        entries = self.git_readonly.location.config_entries()
        self.redact.add(*url_secrets.find_secrets_in_git_config((entry.key, entry.value) for entry in entries))
        return SettingSources(
            options=options, environ=self.environ, git=entries, tracked=tracked, woodpecker_cli_server=context
        )

    def view(self, output: OutputMode) -> View:
        """Return the view for this output mode; `auto` is the live view if stderr can be redrawn."""
        self.is_live = is_live_view(output, self.terminal)
        return create_view(output, self.terminal, self.redact, self.clock)

    def token(self, config: Config) -> Token:
        """Return the CI token, looked up once. Raises CommandError (denied) with every place that was searched."""
        with self._token_lock:  # the doctor calls this from several threads
            return self._lookup().find(config)

    def token_from_vault(self, config: Config) -> Token | TokenNotFound:
        """Return the CI token from Vault. Raises CommandError if the settings or the token cannot be used."""
        return self._lookup().read_from_vault(config)

    def _lookup(self) -> CiTokens:
        if self._ci_tokens is None:
            from homelab_hooks.app.ci_token import CiTokens

            self._ci_tokens = CiTokens(self, self.home)
        return self._ci_tokens

    def credential_runner(self) -> ProcessRunner:
        """Return a runner of credential helpers, which shows their output unless the doctor runs it in a thread."""
        runner = ProcessRunner(self._git_environ)
        if threading.current_thread() is not threading.main_thread():
            return runner
        return runner.with_listener(self._listen("credential helper"))

    def server(self, config: Config) -> ServerUrl:
        """Return the address of the CI server. Raises CommandError if none is set."""
        if config.server is None:
            hint = "run git config --global homelab.ciServer https://ci.example.org, or set WOODPECKER_SERVER"
            raise CommandError("no CI server is set", hint=hint)
        return config.server

    def ci_provider(self, config: Config) -> Provider:
        """Return a client for the CI server. Raises CommandError if no token is found, or none can be obtained now."""
        from homelab_hooks.ci.connection import connect_now

        return self._connect_ci(config, connect_now(self.http_client(config), token_source=self.token(config).source))

    def waiting_ci_provider(self, config: Config) -> Provider:
        """Return a CI client for a command that waits: it retries a Vault that is down, like a CI server."""
        if not config.vault_addr:
            return self.ci_provider(config)
        from homelab_hooks.ci.connection import CiConnection, connect_when_possible

        return self._connect_ci(
            config,
            connect_when_possible(lambda: CiConnection(self.http_client(config), self.token(config).source)),
        )

    def _connect_ci(self, config: Config, connect: Connect) -> Provider:
        from homelab_hooks.ci.connection import CiServer
        from homelab_hooks.ci.providers import connect_provider

        return connect_provider(
            CiServer(
                url=str(self.server(config)),
                connect=connect,
                open_stream_client=lambda: self.http_client(config),
                wake=self.clock.wake,
                now=self.clock.now,
            )
        )

    def http_client(self, config: Config, *, token: str | None = None) -> HttpClient:
        """Return an HTTP client for the CI server.

        Args:
            token: sent with every request, unless it is empty; None: our token, which is looked up.
        """
        server = self.server(config)
        token = self.token(config).value if token is None else token
        from homelab_hooks.net.http import HttpClient

        self.check_file(config, "ca_file")
        return HttpClient(server, clock=self.clock, dial=config.dial, ca_file=config.ca_file, token=token)

    def probe_server(self, config: Config, *, timeout: float) -> ProbeResult:
        """Test DNS, TCP, and TLS to the CI server, without sending a request.

        Args:
            timeout: in seconds, for each address.
        """
        from homelab_hooks.net.probe import probe_server

        self.check_file(config, "ca_file")
        server = self.server(config)
        return probe_server(server, clock=self.clock, dial=config.dial, ca_file=config.ca_file, timeout=timeout)

    @cached_property
    def forges(self) -> ForgeConnector:
        """Return what connects to forges."""
        from homelab_hooks.app.forge_setup import ForgeConnector

        return ForgeConnector(self)

    def kubectl(self, *, context: str = "", kubeconfig: str = "") -> Kubectl:
        """Return a client for the user's kubectl."""
        from homelab_hooks.kubectl.client import Kubectl

        return Kubectl(self.process_runner, context=context, kubeconfig=kubeconfig)

    @staticmethod
    def seed() -> int:
        """Return a random number for the jitter of one watch."""
        return int.from_bytes(os.urandom(4), "big")

    @staticmethod
    def jitter() -> float:
        """Return a random number from 0 to 1."""
        import random

        return random.random()  # noqa: S311 - spreads retries, guards nothing

    @staticmethod
    def check_file(config: Config, name: str) -> None:
        """Raise CommandError for a CA bundle that cannot be used; it would be reported as a certificate error."""
        path: Path | None = getattr(config, name)
        if path is None:
            return
        try:
            files.check_ca_file(path)
        except OSError as error:
            reason = str(error.strerror).lower()
            is_hidden = isinstance(error, PermissionError)
            source = config.source(name)
            hint = (
                f"make {path} readable for this user"
                if is_hidden
                else f"set {source} to a PEM file that contains the CA"
            )
            raise CommandError(f"{path} from {source}: {reason}", hint=hint) from None
