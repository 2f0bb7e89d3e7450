"""One holder at a time, with flock and on file systems without it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab_hooks.system.file_lock import LockHeldError, describe_process, hold_lock, lock_holder
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

HOLDS = """
import sys
from pathlib import Path
from homelab_hooks.system.file_lock import LockHeldError, describe_process, hold_lock, lock_holder
try:
    with hold_lock(Path(sys.argv[1]), describe_process("one")):
        print("held", lock_holder(Path(sys.argv[1])), flush=True)
        sys.stdin.readline()
except LockHeldError as held:
    print("refused", held)
"""


@pytest.fixture(scope="session")
def no_flock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library whose flock fails as on a file system without locks."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler here")
    folder = tmp_path_factory.mktemp("noflock")
    (folder / "noflock.c").write_text(
        "#include <errno.h>\n#include <stdlib.h>\nint flock(int fd, int op) { (void)fd; (void)op;"
        ' errno = atoi(getenv("FLOCK_ERRNO")); return -1; }\n'
    )
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(folder / "noflock.so"), str(folder / "noflock.c")], check=True
    )
    return folder / "noflock.so"


@pytest.fixture(params=[0, errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS], ids=["flock", "ENOLCK", "ENOTSUP", "ENOSYS"])
def environ(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == 0:
        return dict(os.environ)
    library: Path = request.getfixturevalue("no_flock")
    return {**os.environ, "LD_PRELOAD": str(library), "FLOCK_ERRNO": str(request.param)}


@pytest.fixture
def holder(environ: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environ, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"held process {process.pid} on ")
        yield process
        process.kill()


def attempt(environ: dict[str, str], path: Path) -> str:
    return ProcessRunner(environ).run([sys.executable, "-c", HOLDS, str(path)], timeout=HANG_S).out


@pytest.mark.slow
def test_a_second_process_learns_who_holds_the_lock(
    environ: dict[str, str], holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert attempt(environ, tmp_path / "lock").startswith(f"refused process {holder.pid} on ")
    holder.communicate("\n", timeout=HANG_S)
    assert attempt(environ, tmp_path / "lock").startswith("held ")
    assert lock_holder(tmp_path / "lock") == ""


@pytest.mark.slow
def test_a_killed_process_leaves_no_lock(
    environ: dict[str, str], holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    holder.kill()
    holder.wait()
    assert attempt(environ, tmp_path / "lock").startswith("held ")


def test_the_lock_of_another_machine_is_not_taken_for_a_stale_one(tmp_path: Path) -> None:
    """Its processes cannot be seen from here."""
    (tmp_path / "lock.held").write_text("process 4194305 on elsewhere, landing topic")
    assert lock_holder(tmp_path / "lock") == "process 4194305 on elsewhere, landing topic"


def test_a_lock_is_held_once(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "lock", describe_process("one")):
        assert lock_holder(tmp_path / "lock").endswith("one")
        with pytest.raises(LockHeldError, match="one"), hold_lock(tmp_path / "lock", "two"):
            pass
