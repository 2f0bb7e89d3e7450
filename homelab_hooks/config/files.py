"""Reads the files that contain settings: .homelab.toml, woodpecker-cli's context, Vault's token."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homelab_hooks.config.resolve import TRACKED_FILE
from homelab_hooks.errors import CommandError

MAX_FILE_BYTES = 1024 * 1024
"""bytes of a file that are read"""
MAX_TRACKED_FILE_BYTES = 64 * 1024
"""bytes of a .homelab.toml; one with every setting has about two thousand"""
MAX_LINE_DOTS = 1_000
"""dots in a line of it: for a key of n parts, tomllib takes time and memory in proportion to n * n"""
MAX_CA_FILE_BYTES = 8 * 1024 * 1024
"""bytes of the largest CA bundle; that of a system has 0.2 million, and a few times that with its comments"""
_PEM_CERTIFICATE = re.compile(rb"^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----", re.MULTILINE)
"""the labels that OpenSSL reads a certificate from (RFC 7468, 5.1; crypto/pem)"""


def load_tracked_settings(top: Path | None) -> Mapping[str, object]:
    """Return the settings in .homelab.toml at the root of the working tree. Raises CommandError if it is malformed."""
    try:
        return parse_tracked_settings(read_bounded_file(top / TRACKED_FILE)) if top else {}
    except OSError:
        return {}


def parse_tracked_settings(content: bytes) -> Mapping[str, object]:
    """Return the settings in the text of a .homelab.toml. Raises CommandError if it is malformed."""
    import tomllib  # it takes 2 ms, and most repositories have no such file

    try:
        _require_small(content)
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:  # malformed TOML or UTF-8, or endless brackets
        raise CommandError(
            f"{TRACKED_FILE} is malformed: {error}", hint=f"fix the syntax of {TRACKED_FILE}, or remove the file"
        ) from None


def _require_small(content: bytes) -> None:
    """Raise ValueError for a text that would take tomllib minutes, or more memory than there is."""
    if len(content) > MAX_TRACKED_FILE_BYTES:
        raise ValueError(f"larger than {MAX_TRACKED_FILE_BYTES} bytes")
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.count(b".") > MAX_LINE_DOTS:
            raise ValueError(f"line {number} has more than {MAX_LINE_DOTS} dots")


def read_bounded_file(path: Path, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return the first `max_bytes` of a regular file. Raises OSError if it is not one.

    A tracked symbolic link, or a setting, may name a device that never ends or a pipe that nothing is written to.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file")
    with path.open("rb") as file:
        return file.read(max_bytes)


def check_ca_file(path: Path) -> None:
    """Check that a file may be read as a CA bundle. Raises OSError with the reason.

    OpenSSL opens a file by its name and reads it to its end, whatever it is.
    """
    content = read_bounded_file(path, MAX_CA_FILE_BYTES + 1)
    if len(content) > MAX_CA_FILE_BYTES:
        raise OSError(errno.EFBIG, f"larger than {MAX_CA_FILE_BYTES} bytes")
    if not _PEM_CERTIFICATE.search(content):
        raise OSError(errno.EINVAL, "it contains no certificate in PEM format")


def read_woodpecker_cli_server(config_home: Path) -> str:
    """Return the server of woodpecker-cli's current context, or of its older configuration; empty if there is none."""
    folder = config_home / "woodpecker"
    match _read_json(folder / "contexts.json"):
        case {"current_context": str(current), "contexts": dict(contexts)}:
            found = contexts.get(current)
        case _:
            found = None
    for place in (found, _read_json(folder / "config.json")):
        match place:
            case {"server_url": str(url)} if url.strip():
                return url.strip()
            case _:
                pass
    return ""


def read_token_file(path: Path) -> str:
    """Return the text of a file that contains a token; empty if the file does not exist.

    Raises ValueError with the reason if it cannot be read as text.
    """
    try:
        return read_bounded_file(path.expanduser()).decode()
    except (FileNotFoundError, NotADirectoryError, RuntimeError):  # RuntimeError: the home directory is unknown
        return ""
    except OSError as error:
        raise ValueError(str(error.strerror).lower()) from None
    except UnicodeDecodeError:
        raise ValueError("not text in UTF-8") from None


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_bounded_file(path.expanduser()))
    except (OSError, ValueError, RecursionError, RuntimeError):
        return {}
