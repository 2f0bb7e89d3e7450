"""Finds CI's token: environment, Vault, git's credential helpers; says where it looked, never what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.proc import ProcessRunner
from homelab_hooks.server import Server

VARIABLES = ("WOODPECKER_TOKEN", "WP_TOKEN")
PATIENCE = 10.0
"""seconds for a credential helper"""
SILENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "GCM_INTERACTIVE": "never"}
"""a credential helper must not ask anybody; an empty GIT_ASKPASS stands before core.askPass and SSH_ASKPASS"""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it comes from; its value is shown by nothing."""

    value: str = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """A source without a token: what it said, and what to do."""

    source: str
    reason: str
    hint: str = ""
    silent: bool = False
    """it did not answer, so that it may well have one"""
    bare: bool = False
    """it was never given one, which is soon said"""


Source = Callable[[], Token | NotThere]


def find(sources: tuple[Source, ...]) -> Token:
    """The first token there is. Raises Problem with what each source said and one remedy.

    It is denied, or unreachable where a source did not answer.
    """
    failures = []
    for source in sources:
        found = source()
        if isinstance(found, Token):
            return found
        failures.append(found)
    failures.sort(key=lambda failure: (not failure.silent, failure.bare))
    told = _told(failures)
    hint = next((failure.hint for failure in failures if failure.hint), "set WOODPECKER_TOKEN")
    if any(failure.silent for failure in failures):
        raise Problem(f"the token for CI cannot be had now: {told}", hint=hint, exit=Exit.UNREACHABLE)
    raise Problem(f"there is no token for CI: {told}", hint=hint, exit=Exit.DENIED)


def _told(failures: list[NotThere]) -> str:
    """The reason that matters first, for a line has an end; where nothing was ever given there is none."""
    telling = [failure for failure in failures if not failure.bare]
    bare = [failure.source for failure in failures if failure.bare]
    words = [f"{failure.source}: {failure.reason}" for failure in telling or failures]
    return "; ".join([*words, *([f"nothing in {', '.join(bare)}"] if telling and bare else [])])


def once(source: Source) -> Source:
    """Asked at the first call only: what hangs may be asking a person, and is not waited for again."""
    said: list[Token | NotThere] = []

    def ask() -> Token | NotThere:
        if said:
            found = said[0]
            return replace(found, silent=False) if isinstance(found, NotThere) else found
        said.append(source())
        return said[0]

    return ask


def from_environment(environ: Mapping[str, str]) -> Token | NotThere:
    """WOODPECKER_TOKEN, then WP_TOKEN. Raises Problem where one holds what no header can carry."""
    for name in VARIABLES:
        if value := environ.get(name, "").strip():
            return Token(fit(value, name), name)
    return NotThere("the environment", "neither WOODPECKER_TOKEN nor WP_TOKEN is set", bare=True)


def from_git(server: Server, processes: ProcessRunner, *, patience: float = PATIENCE) -> Token | NotThere:
    """Whatever git's credential helpers keep for the server's URL; nobody is prompted."""
    asked = [f"protocol={server.scheme}", f"host={server.origin.removeprefix(server.scheme + '://')}"]
    asked += [f"path={server.path[1:]}"] if server.path else []
    stdin = "\n".join([*asked, "", ""]).encode()
    done = processes.run(["git", "credential", "fill"], env=SILENT, stdin=stdin, timeout=patience)
    source = "git's credential helpers"
    if done.not_found:
        return NotThere(source, "git is not installed")
    if done.timed_out:
        return NotThere(source, f"no answer within {patience:g} s", silent=True)
    answer = dict(line.split("=", 1) for line in done.lines if "=" in line)
    if not (done.ok and answer.get("password")):
        hint = f"make one at {server}/user/cli-and-api and set WOODPECKER_TOKEN, or name a Vault (homelab.vaultAddr)"
        return NotThere(source, f"nothing is kept for {server}", hint, bare=True)
    return Token(fit(answer["password"], source), source)


def fit(value: str, source: str) -> str:
    """The value, if a header can carry it. Raises Problem (denied) otherwise."""
    if not value.isascii() or not value.isprintable() or " " in value:
        raise Problem(
            f"the token from {source} holds characters that no token has",
            hint="look for a line break or a quote in it",
            exit=Exit.DENIED,
        )
    return value
