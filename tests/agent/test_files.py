"""What is written for a coding agent, and the receipts of it, agree also where writing fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab_hooks.agent.files import InstallReceipts, apply_change, read_state
from homelab_hooks.agent.model import InstallReceipt, OwnedFile
from homelab_hooks.agent.plan import FileChange, digest_of, plan_install


def test_an_upgrade_that_cannot_be_written_can_be_repeated(tmp_path: Path) -> None:
    """The name is so long that no temporary file beside it can be created, whoever runs the test."""
    path, store = tmp_path / ("n" * 250), InstallReceipts(tmp_path / "receipts")
    path.write_text("old\n")
    earlier = InstallReceipt(before=None, after_digest=digest_of(b"old\n"))
    store.save(path, earlier)
    for _ in range(2):
        change = plan_install(OwnedFile(path, "new\n"), read_state(path), store.load(path))
        assert isinstance(change, FileChange), change
        with pytest.raises(OSError, match="File name too long"):
            apply_change(change, store)
        assert (path.read_text(), store.load(path)) == ("old\n", earlier)
