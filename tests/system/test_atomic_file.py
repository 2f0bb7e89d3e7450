"""A file is replaced as a whole or not at all."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest

from homelab_hooks.system.atomic_file import replace_file, write_error_fix


def test_a_file_is_replaced_and_has_its_mode_whatever_the_old_one_had(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("old")
    path.chmod(0o644)
    replace_file(path, "new\udcff", mode=0o600, durable=True)
    assert path.read_bytes() == b"new\xff"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("theirs")
    (tmp_path / "link").symlink_to("hook")
    replace_file(tmp_path / "link", "ours", mode=0o755)
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "hook").read_text() == "theirs"


def test_what_cannot_be_renamed_leaves_the_old_and_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "folder", "x", mode=0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_cannot_be_encoded_leaves_the_old_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        replace_file(path, "\ud800", mode=0o600)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, "free up disk space"),
        (errno.EROFS, "fix the permissions"),
        (errno.ELOOP, "remove what is in its place"),
        (errno.EIO, "fix what the system reports"),
    ],
)
def test_the_fix_is_for_the_cause(number: int, fix: str) -> None:
    assert write_error_fix(OSError(number, "text")) == fix
