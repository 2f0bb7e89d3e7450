"""The verification command of a repository: which one it is, why, and how it is run."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.config.files import read_bounded_file
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log, LogLevel
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.child_output import ChildOutput
from homelab_hooks.land.request import VerifyCommand
from homelab_hooks.polling.loop import Clock
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process import ProcessRunner
from homelab_hooks.text.sanitize import is_unfinished, strip_control_chars

PRE_COMMIT_CONFIG = ".pre-commit-config.yaml"
_MAKE_TEST = re.compile(r"^test\s*:(?!=)", re.MULTILINE)
_JUST_TEST = re.compile(r"^@?test(?:\s[^:\n]*)?:(?!=)", re.MULTILINE)
_PYTEST = re.compile(r"^[ \t]*\[tool\.pytest|[\"']pytest\b|^[ \t]*pytest\b", re.MULTILINE)
_NO_TEST = "no test specified"

ReadFile = Callable[[str], str | None]


def detect_command(read: ReadFile) -> VerifyCommand | None:
    """Return the command for the first of the files in contract, section 6, that is there; None if none is.

    Args:
        read: returns the text of a file at the repository's root, None if there is none.

    >>> detect_command({"go.mod": "module x"}.get)
    VerifyCommand(command='go test ./...', why='found a go.mod')
    """
    return next((found for sign in DETECTORS if (found := sign(read))), None)


def detect_in(top: Path | None, *, without: frozenset[str] = frozenset()) -> VerifyCommand | None:
    """Return the same for the files at a work tree's root, ignoring the names in `without`."""

    def read(name: str) -> str | None:
        if name in without:
            return None
        try:
            return read_bounded_file((top or Path()) / name).decode("utf-8", "replace")
        except OSError:
            return None

    return detect_command(read)


def _pre_commit(read: ReadFile) -> VerifyCommand | None:
    text = read(PRE_COMMIT_CONFIG)
    if not text:
        return None
    # Most repositories have no such file, and a hook that only asks starts faster without PyYAML.
    from homelab_hooks.land.pre_commit_config import has_pre_push_hooks

    if not has_pre_push_hooks(text):
        return None
    return VerifyCommand(
        "pre-commit run --all-files --hook-stage pre-push", "found a .pre-commit-config.yaml with pre-push hooks"
    )


def _make(read: ReadFile) -> VerifyCommand | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if _MAKE_TEST.search(read(name) or ""):
            return VerifyCommand("make test", f"found a {name} with a test target")
    return None


def _just(read: ReadFile) -> VerifyCommand | None:
    for name in ("justfile", "Justfile", ".justfile"):
        if _JUST_TEST.search(read(name) or ""):
            return VerifyCommand("just test", f"found a {name} with a test recipe")
    return None


def _python(read: ReadFile) -> VerifyCommand | None:
    if _PYTEST.search(read("pyproject.toml") or ""):
        return VerifyCommand("python -m pytest", "found a pyproject.toml that uses pytest")
    return None


def _node(read: ReadFile) -> VerifyCommand | None:
    try:
        package = json.loads(read("package.json") or "{}")
    except (ValueError, RecursionError):
        return None
    scripts = package.get("scripts") if isinstance(package, dict) else None
    test = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(test, str) or _NO_TEST in test:
        return None
    return VerifyCommand("npm test", "found a package.json with a test script")


def _go(read: ReadFile) -> VerifyCommand | None:
    return None if read("go.mod") is None else VerifyCommand("go test ./...", "found a go.mod")


def _rust(read: ReadFile) -> VerifyCommand | None:
    return None if read("Cargo.toml") is None else VerifyCommand("cargo test", "found a Cargo.toml")


DETECTORS = (_pre_commit, _make, _just, _python, _node, _go, _rust)


class VerificationRun(NamedTuple):
    """One run of a verification command."""

    command: str
    """for `sh -c`"""
    directory: Path | None
    """the work tree's root"""
    env: Mapping[str, str] = {}
    """variables added for the command"""
    tail_lines: int = 10
    """of a failed run, repeated at the end"""


class _VerificationOutput(ChildOutput):
    """Logs the output, and keeps its last lines."""

    def __init__(self, run: VerificationRun, emit: Callable[[Event], None], clock: Clock) -> None:
        super().__init__("verify", emit=emit, clock=clock, waiting_for=f"`{run.command}`")
        self.tail: deque[str] = deque(maxlen=run.tail_lines)

    def on_line(self, text: str) -> None:
        """Log a line, and keep it in place of its unfinished beginning."""
        if self.tail and is_unfinished(self.tail[-1], text):
            self.tail.pop()
        self.tail.append(text)
        super().on_line(text)


def run_verification(
    run: VerificationRun, runner: ProcessRunner, *, emit: Callable[[Event], None], clock: Clock
) -> Completed:
    """Run the command and log its output as it comes; if it fails, log the last lines again as errors.

    The tail is repeated because a live view, or other steps' output, may have pushed it off the screen.
    """
    output = _VerificationOutput(run, emit, clock)
    done = runner.stream(["sh", "-c", run.command], output, cwd=run.directory, env=run.env)
    if not done.ok:
        for line in output.tail:
            emit(Log(source="verify", text=strip_control_chars(line), level=LogLevel.ERROR))
    return done


def verification_error(run: VerificationRun, done: Completed, *, hint: str) -> CommandError:
    """The error for a command that failed (22)."""
    what = f"failed with exit code {done.code}: {run.command}"
    if done.start_error:
        what = f"could not be started: {done.start_error}"
    return CommandError(f"the verification {what}", hint=hint, exit=ExitCode.VERIFY_FAILED)
