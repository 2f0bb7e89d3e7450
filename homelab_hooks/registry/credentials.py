"""Reads registry credentials from the user's own docker configuration and credential helpers.

As docker does it, a configuration that cannot be read and a helper that fails leave the registry to be asked without
credentials. What went wrong is kept for the message in case the registry refuses that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homelab_hooks.config.files import MAX_FILE_BYTES, read_bounded_file
from homelab_hooks.registry.docker_config import (
    CredentialEntry,
    CredentialHelper,
    LoginProblem,
    RegistryLogin,
    find_credential_entry,
    parse_docker_config,
    parse_helper_output,
)
from homelab_hooks.registry.reference import ImageReference
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

HELPER_TIMEOUT_S = 10.0
"""seconds for a credential helper"""
MAX_HELPER_OUTPUT_BYTES = 64 * 1024
"""bytes of a helper's answer"""
_NOT_FOUND_TEXT = "credentials not found"
"""what helpers print if they have none (github.com/docker/docker-credential-helpers, credentials/error.go)"""
_MAX_REASON_COLUMNS = 120


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file that may contain credentials, and its name in messages."""

    path: Path
    name: str


def list_config_files(environ: Mapping[str, str]) -> tuple[ConfigFile, ...]:
    """Return docker's configuration and those of podman, in the order in which they are read.

    Each is the user's own: no file of a repository is among them unless a variable names it.

    >>> [file.name for file in list_config_files({"HOME": "/home/ann", "DOCKER_CONFIG": "/etc/docker-ci"})]
    ['$DOCKER_CONFIG/config.json', '~/.config/containers/auth.json']
    """
    files = []
    if named := environ.get("REGISTRY_AUTH_FILE"):
        files.append(ConfigFile(Path(named), "$REGISTRY_AUTH_FILE"))
    home = environ.get("HOME", "")
    if folder := environ.get("DOCKER_CONFIG"):
        files.append(ConfigFile(Path(folder) / "config.json", "$DOCKER_CONFIG/config.json"))
    elif home:
        files.append(ConfigFile(Path(home) / ".docker" / "config.json", "~/.docker/config.json"))
    if run := environ.get("XDG_RUNTIME_DIR"):
        files.append(ConfigFile(Path(run) / "containers" / "auth.json", "$XDG_RUNTIME_DIR/containers/auth.json"))
    if home:
        files.append(ConfigFile(Path(home) / ".config" / "containers" / "auth.json", "~/.config/containers/auth.json"))
    return tuple(files)


class DockerCredentials:
    """The credentials of a user, by registry.

    Args:
        files: the configuration files, in their order.
        processes: runs credential helpers, without our tokens in their environment.
    """

    def __init__(self, files: tuple[ConfigFile, ...], processes: ProcessRunner) -> None:
        self._files, self._processes = files, processes
        self._known_helpers: dict[tuple[str, str], RegistryLogin | LoginProblem | None] = {}

    def find_login(self, image: ImageReference) -> RegistryLogin | LoginProblem | None:
        """Return the credentials for the registry of an image, or why there are none; None if none are configured."""
        problem: LoginProblem | None = None
        for file in self._files:
            entry = _read_entry(file, image)
            found = self._ask_helper(entry, image) if isinstance(entry, CredentialHelper) else entry
            if isinstance(found, RegistryLogin):
                return found
            problem = problem or found
        return problem

    def _ask_helper(self, helper: CredentialHelper, image: ImageReference) -> RegistryLogin | LoginProblem | None:
        """Return a helper's answer; it is run once for each registry, because it may wait for input again."""
        key = helper.name, image.credential_key
        if key not in self._known_helpers:
            self._known_helpers[key] = run_credential_helper(helper, image.credential_key, self._processes)
        return self._known_helpers[key]


def _read_entry(file: ConfigFile, image: ImageReference) -> CredentialEntry | None:
    try:
        content = read_bounded_file(file.path, MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # ValueError: a null byte in a variable
        return LoginProblem(f"{file.name} cannot be read: {getattr(error, 'strerror', None) or 'not a valid path'}")
    if len(content) > MAX_FILE_BYTES:
        return LoginProblem(f"{file.name} is larger than {MAX_FILE_BYTES} bytes")
    config = parse_docker_config(content, file.name)
    return config if isinstance(config, LoginProblem) else find_credential_entry(config, image, file.name)


def run_credential_helper(
    helper: CredentialHelper, server: str, processes: ProcessRunner, *, timeout: float = HELPER_TIMEOUT_S
) -> RegistryLogin | LoginProblem | None:
    """Return the credentials that `docker-credential-NAME get` prints for a registry; None if it has none."""
    program = f"docker-credential-{helper.name}"
    bounded = processes.with_output_limit(MAX_HELPER_OUTPUT_BYTES)
    done = bounded.run([program, "get"], stdin=f"{server}\n".encode(), timeout=timeout)
    if done.ok and not done.timed_out and not done.truncated:
        return parse_helper_output(done.stdout, helper)
    words = " ".join(strip_control_chars(done.out or done.err).split())
    if _NOT_FOUND_TEXT in words.lower():
        return None
    if done.not_found:
        return LoginProblem(f"{program}, which {helper.source} names, is not installed")
    return LoginProblem(f"{program} {_explain_end(done, words, timeout)}")


def _explain_end(done: Completed, words: str, timeout: float) -> str:
    """Return how a helper failed. What it printed may contain a secret if it is an object, and is left out then."""
    if done.start_error:
        return f"cannot be started: {strip_control_chars(done.start_error)}"
    if done.timed_out:
        return f"did not answer within {timeout:g} s"
    if done.truncated:
        return f"printed more than {MAX_HELPER_OUTPUT_BYTES} bytes"
    said = "" if not words or "{" in words else f": {truncate_text(words, _MAX_REASON_COLUMNS)}"
    return f"failed with exit code {done.code}{said}"
