"""The one place that builds the real thing and reads the environment."""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from homelab_hooks import credentials, files
from homelab_hooks.clock import SystemClock
from homelab_hooks.config import Config, Sources, own_filters, resolve, survey
from homelab_hooks.errors import Problem
from homelab_hooks.git.environment import user_command_env
from homelab_hooks.git.executor import DirectRunner
from homelab_hooks.git.reader import Reader
from homelab_hooks.proc import ProcessRunner
from homelab_hooks.server import Server
from homelab_hooks.settings import Output
from homelab_hooks.terminal import Terminal
from homelab_hooks.text import Redactor
from homelab_hooks.tokens.find import VARIABLES, NotThere, Source, Token, find, from_environment, from_git, once
from homelab_hooks.views import View
from homelab_hooks.views.choice import choose

if TYPE_CHECKING:
    from homelab_hooks.git.repository import Git
    from homelab_hooks.https import Https
    from homelab_hooks.kubectl.kubectl import Kubectl
    from homelab_hooks.way import Way
    from homelab_hooks.woodpecker.client import Woodpecker
    from homelab_hooks.woodpecker.ear import Ear

OURS = (*VARIABLES, "VAULT_TOKEN")
"""variables that hold our tokens; children do not get them unless they need them"""
TICKET = "HOMELAB_TICKET"
"""what a waiter is told; it may hold a URL with a password, so it is neither an argument nor a file"""


class World:
    """The real thing: this process's environment, terminal, clock, git, and what the settings name.

    Args:
        environ: this process's variables.
        directory: where the command was given.
    """

    def __init__(self, environ: Mapping[str, str], directory: Path) -> None:
        self.environ = dict(environ)
        self.directory = directory
        self.somewhere = True
        self.terminal = Terminal(environ)
        self.clock = SystemClock()
        self.redact = Redactor(environ.get(name, "").strip() for name in OURS)
        self.redact.learn(*credentials.of_environment(environ))
        self._token: Token | None = None
        self._helpers: Source | None = None
        self._looking = threading.Lock()
        self._shared = {name: value for name, value in self.environ.items() if name not in (*OURS, TICKET)}

    @classmethod
    def real(cls) -> World:
        """The world this process lives in; the root stands for a directory that is gone.

        Our tokens are taken out of the process's own environment: libraries start programs too, some while imported.
        """
        environ = dict(os.environ)
        for name in (*OURS, TICKET):
            os.environ.pop(name, None)
        try:
            return cls(environ, Path.cwd())
        except FileNotFoundError:
            world = cls(environ, Path("/"))
            world.somewhere = False
            return world

    def move(self, directory: Path) -> None:
        """From now on git runs there: a work tree may be removed while somebody waits."""
        self.directory = directory
        self.__dict__.pop("git", None)

    def require_directory(self) -> None:
        """Raises Problem where this process's directory is gone."""
        if not self.somewhere:
            raise Problem("the current directory is gone", hint="cd to one that exists")

    @property
    def user(self) -> str:
        """Whose branches `work start` makes; empty where nobody says."""
        return self.environ.get("USER") or self.environ.get("LOGNAME") or ""

    @property
    def _home(self) -> Path:
        return Path(self.environ.get("HOME") or "~")

    @cached_property
    def git(self) -> Reader:
        """Git that never prompts, changes nothing and starts quickly."""
        return Reader(DirectRunner(self._shared, self.directory))

    @cached_property
    def landing_git(self) -> Git:
        """Git through GitPython, which may ask the person at the terminal."""
        from homelab_hooks.git.gitpython import GitPythonRunner
        from homelab_hooks.git.repository import Git

        interactive = sys.stdin.isatty() and self.environ.get("GIT_TERMINAL_PROMPT") != "0"
        return Git(GitPythonRunner(self._shared, self.directory, inherited=os.environ, interactive=interactive))

    @cached_property
    def quiet_git(self) -> Git:
        """All verbs on git; nobody is ever asked, and nothing of the repository's is run."""
        from homelab_hooks.git.repository import Git

        return Git(DirectRunner(self._shared, self.directory, without=own_filters(self.git.config_entries())))

    @cached_property
    def processes(self) -> ProcessRunner:
        """For programs that need none of our tokens."""
        return ProcessRunner(self._shared)

    @cached_property
    def commands(self) -> ProcessRunner:
        """For the user's commands: neither our tokens nor what git set for a call of its own."""
        return ProcessRunner(user_command_env(self._shared))

    @cached_property
    def hooks(self) -> ProcessRunner:
        """For hooks that watch: they keep our tokens."""
        return ProcessRunner(user_command_env(self.environ))

    def config(self, options: Mapping[str, str | Sequence[str] | None]) -> Config:
        """The settings in force for this command. Raises Problem where one is malformed."""
        return resolve(self._sources(options, files.tracked(self.git.top_level())))

    def survey(self, options: Mapping[str, str | Sequence[str] | None]) -> tuple[Config, tuple[Problem, ...]]:
        """The settings as far as they can be used, and everything that is wrong with them."""
        problems: tuple[Problem, ...] = ()
        tracked: Mapping[str, object] = {}
        try:
            tracked = files.tracked(self.git.top_level())
        except Problem as problem:
            problems = (problem,)
        config, more = survey(self._sources(options, tracked))
        return config, (*problems, *more)

    def _sources(self, options: Mapping[str, str | Sequence[str] | None], tracked: Mapping[str, object]) -> Sources:
        context = files.context_server(Path(self.environ.get("XDG_CONFIG_HOME") or self._home / ".config"))
        entries = self.git.config_entries()
        self.redact.learn(*credentials.of_settings((entry.key, entry.value) for entry in entries))
        return Sources(options=options, environ=self.environ, git=entries, tracked=tracked, context_server=context)

    def view(self, output: Output) -> View:
        """The view that was asked for; `auto` is live where stderr can be redrawn."""
        return choose(output, self.terminal, self.redact, self.clock)

    def token(self, config: Config) -> Token:
        """CI's token, looked for once. Raises Problem (denied) with every place that was looked at."""
        with self._looking:  # the doctor asks from several threads
            if self._token is None:
                self._token = self._find_token(config)
            return self._token

    def _find_token(self, config: Config) -> Token:
        server = self.server(config)
        vault = (lambda: self.from_vault(config),) if config.vault_addr else ()
        self._helpers = self._helpers or once(lambda: from_git(server, ProcessRunner(self._shared)))
        token = find((lambda: from_environment(self.environ), *vault, self._helpers))
        self.redact.learn(token.value)
        return token

    def server(self, config: Config) -> Server:
        """The CI server. Raises Problem where none is set."""
        if config.server is None:
            hint = "git config --global homelab.ciServer https://ci.example.org, or set WOODPECKER_SERVER"
            raise Problem("no CI server is set", hint=hint)
        return config.server

    def ci(self, config: Config) -> Woodpecker:
        """The CI server as our token sees it. Raises Problem where there is no token, or none can be had now."""
        from homelab_hooks.woodpecker.client import Woodpecker
        from homelab_hooks.woodpecker.entry import entered

        enter = entered(self.https(config), token=self.token(config).source)
        return Woodpecker(enter, web=str(self.server(config)))

    def listener(self, config: Config) -> Callable[[int], Ear]:
        """Opens the event stream for a repository's id; its news cut this clock's sleep short."""
        from homelab_hooks.woodpecker.ear import Ear

        def listen(repo: int) -> Ear:
            ear = Ear(self.https(config), repo, wake=self.clock.wake, now=self.clock.now)
            ear.start()
            return ear

        return listen

    def https(self, config: Config) -> Https:
        """The CI server, to be asked with our token."""
        server, token = self.server(config), self.token(config)
        from homelab_hooks.https import Https

        self._check_file(config, "ca_file")
        return Https(server, clock=self.clock, dial=config.dial, ca_file=config.ca_file, token=token.value)

    def way(self, config: Config, *, within: float) -> Way:
        """How far one comes on the way to the CI server, in so many seconds for each address; nothing is sent."""
        from homelab_hooks.https.probe import probe

        self._check_file(config, "ca_file")
        server = self.server(config)
        return probe(server, clock=self.clock, dial=config.dial, ca_file=config.ca_file, within=within)

    def kubectl(self, *, context: str = "", kubeconfig: str = "") -> Kubectl:
        """The user's kubectl."""
        from homelab_hooks.kubectl.kubectl import Kubectl

        return Kubectl(self.processes, context=context, kubeconfig=kubeconfig)

    def seed(self) -> int:
        """Another number for each process."""
        return random.getrandbits(32)

    def jitter(self) -> float:
        """A number from 0 to 1, another each time."""
        return random.random()  # noqa: S311 - spreads retries, guards nothing

    def from_vault(self, config: Config) -> Token | NotThere:
        """CI's token as Vault keeps it. Raises Problem where the settings or the token cannot be used."""
        from homelab_hooks.tokens.vault import chosen, door, from_vault

        self._check_file(config, "vault_ca")
        vault = chosen(config, self.environ, self._home)
        self.redact.learn(vault.token)
        found = from_vault(vault, door(vault, self.clock))
        if isinstance(found, Token):
            self.redact.learn(found.value)
        return found

    @staticmethod
    def _check_file(config: Config, name: str) -> None:
        """Trust anchors that are not there are a mistake in the setting, not in the certificate."""
        path = getattr(config, name)
        if path is not None and not path.is_file():
            raise Problem(f"{path} from {config.source(name)} is no file", hint="name a PEM file with the CA in it")
