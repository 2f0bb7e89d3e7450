"""Finds CI's token: environment, Vault, git's credential helpers; says where it looked, never what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from homelab_hooks.config.address import ServerUrl
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.process import ProcessRunner

CI_TOKEN_VARIABLES = ("WOODPECKER_TOKEN", "WP_TOKEN")
HELPER_TIMEOUT_S = 10.0
"""seconds for a credential helper"""
NO_PROMPT_ENV = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "GCM_INTERACTIVE": "never"}
"""a credential helper must not ask anybody; an empty GIT_ASKPASS stands before core.askPass and SSH_ASKPASS"""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it comes from; its value is shown by nothing."""

    value: str = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class TokenNotFound:
    """A source without a token: what it said, and what to do."""

    source: str
    reason: str
    hint: str = ""
    unreachable: bool = False
    """it did not answer, so that it may well have one"""
    not_configured: bool = False
    """it was never given one, which is soon said"""


TokenSource = Callable[[], Token | TokenNotFound]


def find_token(sources: tuple[TokenSource, ...]) -> Token:
    """The first token there is. Raises CommandError with what each source said and one remedy.

    It is denied, or unreachable where a source did not answer.
    """
    failures = []
    for source in sources:
        found = source()
        if isinstance(found, Token):
            return found
        failures.append(found)
    failures.sort(key=lambda failure: (not failure.unreachable, failure.not_configured))
    summary = _summary(failures)
    hint = next((failure.hint for failure in failures if failure.hint), "set WOODPECKER_TOKEN")
    if any(failure.unreachable for failure in failures):
        raise CommandError(f"the token for CI cannot be had now: {summary}", hint=hint, exit=ExitCode.UNREACHABLE)
    raise CommandError(f"there is no token for CI: {summary}", hint=hint, exit=ExitCode.DENIED)


def _summary(failures: list[TokenNotFound]) -> str:
    """The reason that matters first, for a line has an end; where nothing was ever given there is none."""
    informative = [failure for failure in failures if not failure.not_configured]
    unconfigured = [failure.source for failure in failures if failure.not_configured]
    parts = [f"{failure.source}: {failure.reason}" for failure in informative or failures]
    return "; ".join([*parts, *([f"nothing in {', '.join(unconfigured)}"] if informative and unconfigured else [])])


def cache_source(source: TokenSource) -> TokenSource:
    """Asked at the first call only: what hangs may be asking a person, and is not waited for again."""
    answers: list[Token | TokenNotFound] = []

    def query() -> Token | TokenNotFound:
        if answers:
            found = answers[0]
            return replace(found, unreachable=False) if isinstance(found, TokenNotFound) else found
        answers.append(source())
        return answers[0]

    return query


def read_token_from_environment(environ: Mapping[str, str]) -> Token | TokenNotFound:
    """WOODPECKER_TOKEN, then WP_TOKEN. Raises CommandError where one holds what no header can carry."""
    for name in CI_TOKEN_VARIABLES:
        if value := environ.get(name, "").strip():
            return Token(validate_header_value(value, name), name)
    return TokenNotFound("the environment", "neither WOODPECKER_TOKEN nor WP_TOKEN is set", not_configured=True)


def read_token_from_git(
    server: ServerUrl, processes: ProcessRunner, *, timeout: float = HELPER_TIMEOUT_S
) -> Token | TokenNotFound:
    """Whatever git's credential helpers keep for the server's URL; nobody is prompted."""
    asked = [f"protocol={server.scheme}", f"host={server.origin.removeprefix(server.scheme + '://')}"]
    asked += [f"path={server.path[1:]}"] if server.path else []
    stdin = "\n".join([*asked, "", ""]).encode()
    done = processes.run(["git", "credential", "fill"], env=NO_PROMPT_ENV, stdin=stdin, timeout=timeout)
    source = "git's credential helpers"
    if done.not_found:
        return TokenNotFound(source, "git is not installed")
    if done.timed_out:
        return TokenNotFound(source, f"no answer within {timeout:g} s", unreachable=True)
    answer = dict(line.split("=", 1) for line in done.lines if "=" in line)
    if not (done.ok and answer.get("password")):
        hint = f"make one at {server}/user/cli-and-api and set WOODPECKER_TOKEN, or name a Vault (homelab.vaultAddr)"
        return TokenNotFound(source, f"nothing is kept for {server}", hint, not_configured=True)
    return Token(validate_header_value(answer["password"], source), source)


def validate_header_value(value: str, source: str) -> str:
    """The value, if a header can carry it. Raises CommandError (denied) otherwise."""
    if not value.isascii() or not value.isprintable() or " " in value:
        raise CommandError(
            f"the token from {source} holds characters that no token has",
            hint="look for a line break or a quote in it",
            exit=ExitCode.DENIED,
        )
    return value
