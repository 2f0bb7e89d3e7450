"""Reads credentials for a server from git's credential helpers, without a prompt."""

from __future__ import annotations

from dataclasses import dataclass, field

from homelab_hooks.config.address import ServerUrl
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.text.helper_output import helper_words
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

HELPER_TIMEOUT_S = 10.0
"""seconds for a credential helper"""
NO_PROMPT_ENV = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "GCM_INTERACTIVE": "never"}
"""a credential helper must not prompt; an empty GIT_ASKPASS takes precedence over core.askPass and SSH_ASKPASS"""
_ENGLISH_ENV = {"GIT_TEXTDOMAINDIR": "/dev/null"}
"""git's own messages begin in English then, and can be distinguished from a helper's"""


@dataclass(frozen=True, slots=True)
class GitCredentials:
    """A user name and a password, or a token in its place. The password is never displayed."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoGitCredentials:
    """Why git has no credentials."""

    reason: str
    has_no_response: bool = False
    """the helpers did not respond, so they may have some"""
    is_missing_git: bool = False
    """git is not installed"""
    is_silent: bool = False
    """the helpers printed nothing, so none may be configured"""


def fill_git_credentials(
    server: ServerUrl, processes: ProcessRunner, *, timeout: float = HELPER_TIMEOUT_S
) -> GitCredentials | NoGitCredentials:
    """Return the credentials for a server's URL.

    Args:
        processes: runs git.
        timeout: seconds that the helpers may take.
    """
    asked = [f"protocol={server.scheme}", f"host={server.origin.removeprefix(server.scheme + '://')}"]
    asked += [f"path={server.path[1:]}"] if server.path else []
    stdin = "\n".join([*asked, "", ""]).encode()
    environ = {**_ENGLISH_ENV, **NO_PROMPT_ENV}
    done = processes.run(["git", "credential", "fill"], env=environ, stdin=stdin, timeout=timeout)
    if done.not_found:
        return NoGitCredentials("git is not installed", is_missing_git=True)
    if done.start_error:
        return NoGitCredentials(f"git cannot be started: {done.start_error}", has_no_response=True)
    if done.timed_out:
        return NoGitCredentials(f"no response within {timeout:g} s", has_no_response=True)
    answer = dict(line.split("=", 1) for line in done.lines if "=" in line)
    if done.ok and answer.get("password"):
        return GitCredentials(answer.get("username", ""), answer["password"])
    lines = [strip_control_chars(line) for line in done.err.splitlines()]
    words = helper_words(lines)
    reason = f"no credentials for {server}{f': {truncate_text(words)}' if words else ''}"
    return NoGitCredentials(reason, is_silent=not words)
