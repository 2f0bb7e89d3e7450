"""What is under a hook's name, read without blocking."""

from __future__ import annotations

import os
from pathlib import Path

from homelab_hooks.hooks.install.discover import read_hook_file
from homelab_hooks.hooks.install.managers import HookManager


def test_a_pipe_under_a_hooks_name_is_the_users_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pre-push").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "pre-push"):
        found = read_hook_file(tmp_path / name)
        assert found.text is None
        assert found.owner is HookManager.USER
