"""Looks up the CI token: environment, Vault, git's credential helpers. Messages name the source, never the token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from homelab_hooks.config.address import ServerUrl
from homelab_hooks.errors import CommandError, WrongServerError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.text.helper_output import helper_words
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

CI_TOKEN_VARIABLES = ("WOODPECKER_TOKEN", "WP_TOKEN")
MAX_TOKEN_CHARS = 16384
"""characters of the longest token; servers reject headers that are longer (nginx and Apache: 8 KiB, Go: 1 MiB)"""
HELPER_TIMEOUT_S = 10.0
"""seconds for a credential helper"""
NO_PROMPT_ENV = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "GCM_INTERACTIVE": "never"}
"""a credential helper must not prompt; an empty GIT_ASKPASS takes precedence over core.askPass and SSH_ASKPASS"""
_ENGLISH_ENV = {"GIT_TEXTDOMAINDIR": "/dev/null"}
"""git's own messages begin in English then, and can be distinguished from a helper's"""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its source. The value is never displayed."""

    value: str = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class TokenNotFound:
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
            return replace(found, unreachable=False) if isinstance(found, TokenNotFound) else found
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
    server: ServerUrl, processes: ProcessRunner, *, token_page: str, timeout: float = HELPER_TIMEOUT_S
) -> Token | TokenNotFound:
    """Look up the token in git's credential helpers, by the server's URL and without a prompt.

    Args:
        server: the CI server.
        processes: runs git.
        token_page: the path of the web page on which a user creates a token.
        timeout: seconds that the helpers may take.
    """
    asked = [f"protocol={server.scheme}", f"host={server.origin.removeprefix(server.scheme + '://')}"]
    asked += [f"path={server.path[1:]}"] if server.path else []
    stdin = "\n".join([*asked, "", ""]).encode()
    environ = {**_ENGLISH_ENV, **NO_PROMPT_ENV}
    done = processes.run(["git", "credential", "fill"], env=environ, stdin=stdin, timeout=timeout)
    source = "git's credential helpers"
    if done.not_found:
        return TokenNotFound(source, "git is not installed")
    if done.start_error:
        return TokenNotFound(source, f"git cannot be started: {done.start_error}", unreachable=True)
    if done.timed_out:
        return TokenNotFound(source, f"no response within {timeout:g} s", unreachable=True)
    answer = dict(line.split("=", 1) for line in done.lines if "=" in line)
    if not (done.ok and answer.get("password")):
        hint = (
            f"create a token at {server}{token_page} and set WOODPECKER_TOKEN, or configure Vault (homelab.vaultAddr)"
        )
        lines = [strip_control_chars(line) for line in done.err.splitlines()]
        words = helper_words(lines)
        reason = f"no credentials for {server}{f': {truncate_text(words)}' if words else ''}"
        return TokenNotFound(source, reason, hint, not_configured=not words)
    return Token(validate_header_value(answer["password"], source), source)


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
