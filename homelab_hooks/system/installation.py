"""Tells how this program was installed, and so which command adds an optional extra to it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

DISTRIBUTION = "homelab-hooks"
_PIPX_FILE, _UV_TOOL_FILE = "pipx_metadata.json", "uv-receipt.toml"
"""what each tool writes into the environment that it makes"""


class InstalledProgram(NamedTuple):
    """Where the program is installed, from what, and what each extra needs."""

    prefix: Path
    """the environment"""
    python: str
    source: str
    """the folder or URL that it was installed from; empty for a package index"""
    requirements: Sequence[str]
    """as the package's metadata lists them"""


def find_installation() -> InstalledProgram:
    """Return the installation of this process."""
    package = metadata.distribution(DISTRIBUTION)
    return InstalledProgram(
        Path(sys.prefix), sys.executable, _read_source(package.read_text("direct_url.json")), package.requires or ()
    )


def _read_source(text: str | None) -> str:
    """Read the source from direct_url.json (PEP 610); empty if there is none.

    >>> _read_source('{"url": "file:///home/ann/my%20code", "dir_info": {}}')
    '/home/ann/my code'
    >>> _read_source('{"url": "https://git.example.test/hooks", "vcs_info": {"vcs": "git"}}')
    'git+https://git.example.test/hooks'
    """
    try:
        raw = json.loads(text or "{}")
        url = str(raw.get("url", ""))
        vcs = (raw.get("vcs_info") or {}).get("vcs", "")
    except (ValueError, AttributeError):
        return ""
    if url.startswith("file://"):
        return unquote(urlsplit(url).path)
    return f"{vcs}+{url}" if vcs else url


def format_install_command(extra: str, installation: InstalledProgram | None = None) -> str:
    """Return the command that adds an extra: pipx and uv keep each program in an environment of its own.

    >>> place = InstalledProgram(Path("/nosuch"), "/usr/bin/python3", "", ("rich", "mcp<3,>=2.3; extra == 'mcp'"))
    >>> format_install_command("mcp", place)
    "/usr/bin/python3 -m pip install 'mcp<3,>=2.3'"
    """
    found = installation or find_installation()
    if (found.prefix / _UV_TOOL_FILE).exists():
        return shlex.join(["uv", "tool", "install", "--force", _format_requirement(extra, found.source)])
    is_of_extra = re.compile(rf"""extra\s*==\s*['"]{re.escape(extra)}['"]""")
    packages = [one.partition(";")[0].strip() for one in found.requirements if is_of_extra.search(one)]
    if (found.prefix / _PIPX_FILE).exists():
        return shlex.join(["pipx", "inject", DISTRIBUTION, *packages])
    return shlex.join([found.python, "-m", "pip", "install", *packages])


def _format_requirement(extra: str, source: str) -> str:
    """Return the requirement of this program with an extra, from where it came from."""
    if source.startswith("/"):
        return f"{source}[{extra}]"
    return f"{DISTRIBUTION}[{extra}] @ {source}" if source else f"{DISTRIBUTION}[{extra}]"
