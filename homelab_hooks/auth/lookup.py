"""Looks up the CI token: environment, Vault, git's credential helpers. Messages name the source, never the token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from homelab_hooks.auth.token_variables import CI_TOKEN_VARIABLES
from homelab_hooks.config.address import ServerUrl
from homelab_hooks.errors import CommandError, WrongServerError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.process_runner import ProcessRunner

MAX_TOKEN_CHARS = 16384
"""characters of the longest token; servers reject headers that are longer (nginx and Apache: 8 KiB, Go: 1 MiB)"""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its source. The value is never displayed."""

    value: str = field(repr=False)
    source: str


class TokenNotFound(NamedTuple):
    """A source without a token: the reason, and what to do."""

    source: str
    reason: str
    hint: str = ""
    unreachable: bool = False
    """it did not respond, so it may have a token"""
    not_configured: bool = False
    """it was never configured"""
    wrong_server: bool = False
    """another server responds at its address: a proxy, a portal, a login page"""


TokenSource = Callable[[], Token | TokenNotFound]


def order_sources(
    environ: Mapping[str, str], *, vault: TokenSource | None, credential_helpers: TokenSource
) -> tuple[TokenSource, ...]:
    """Return the sources of the CI token in the order in which they are tried; `vault` is None if it is not set."""
    from_environment = partial(read_token_from_environment, environ)
    return (from_environment, *([vault] if vault else []), credential_helpers)


def find_token(sources: tuple[TokenSource, ...]) -> Token:
    """Return the token of the first source that has one.

    Raises CommandError with the reason of each source and one hint: unreachable if a source did not respond, otherwise
    denied; WrongServerError if another server responds for a source.
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
        raise CommandError(f"cannot obtain the CI token now: {summary}", hint=hint, exit=ExitCode.UNREACHABLE)
    error = WrongServerError if any(failure.wrong_server for failure in failures) else CommandError
    raise error(f"no CI token found: {summary}", hint=hint, exit=ExitCode.DENIED)


def _summary(failures: list[TokenNotFound]) -> str:
    """Return the reasons, the most important first; sources that are not configured are only named."""
    informative = [failure for failure in failures if not failure.not_configured]
    unconfigured = [failure.source for failure in failures if failure.not_configured]
    parts = [f"{failure.source}: {failure.reason}" for failure in informative or failures]
    return "; ".join(
        [*parts, *([f"no token in {_join_with_or(unconfigured)}"] if informative and unconfigured else [])]
    )


def _join_with_or(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def cache_source(source: TokenSource) -> TokenSource:
    """Return a source that is queried once only: a helper that hangs may be waiting for input, now and later."""
    answers: list[Token | TokenNotFound] = []

    def query() -> Token | TokenNotFound:
        if answers:
            found = answers[0]
            return found._replace(unreachable=False) if isinstance(found, TokenNotFound) else found
        answers.append(source())
        return answers[0]

    return query


def read_token_from_environment(environ: Mapping[str, str]) -> Token | TokenNotFound:
    """Look up WOODPECKER_TOKEN, then WP_TOKEN. Raises CommandError if one cannot be sent in a header."""
    for name in CI_TOKEN_VARIABLES:
        if value := environ.get(name, "").strip():
            return Token(validate_header_value(value, name), name)
    return TokenNotFound("the environment", "neither WOODPECKER_TOKEN nor WP_TOKEN is set", not_configured=True)


def read_token_from_git(
    server: ServerUrl, processes: ProcessRunner, *, token_page: str, timeout: float | None = None
) -> Token | TokenNotFound:
    """Look up the token in git's credential helpers, by the server's URL and without a prompt.

    Args:
        server: the CI server.
        processes: runs git.
        token_page: the path of the web page on which a user creates a token.
        timeout: seconds that the helpers may take; None: as long as usual.
    """
    from homelab_hooks.auth.git_credentials import HELPER_TIMEOUT_S, GitCredentials, fill_git_credentials

    source = "git's credential helpers"
    found = fill_git_credentials(server, processes, timeout=HELPER_TIMEOUT_S if timeout is None else timeout)
    if isinstance(found, GitCredentials):
        return Token(validate_header_value(found.password, source), source)
    if found.has_no_response:
        return TokenNotFound(source, found.reason, unreachable=True)
    if found.is_missing_git:
        return TokenNotFound(source, found.reason)
    hint = f"create a token at {server}{token_page} and set WOODPECKER_TOKEN, or configure Vault (homelab.vaultAddr)"
    return TokenNotFound(source, found.reason, hint, not_configured=found.is_silent)


def validate_header_value(value: str, source: str) -> str:
    """Return the value if it can be sent in a header. Raises CommandError (denied) otherwise."""
    if len(value) > MAX_TOKEN_CHARS:
        raise CommandError(
            f"the token from {source} is longer than {MAX_TOKEN_CHARS} characters",
            hint="check that it is a token, and not the name or the content of another file",
            exit=ExitCode.DENIED,
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        raise CommandError(
            f"the token from {source} contains invalid characters",
            hint="check the token for line breaks and quotes",
            exit=ExitCode.DENIED,
        )
    return value
