"""Detects the verification command of a repository, and runs it."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
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
from homelab_hooks.system.exit_status import describe_exit
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.text.humanize import join_names
from homelab_hooks.text.sanitize import is_unfinished, strip_control_chars

PRE_COMMIT_CONFIG = ".pre-commit-config.yaml"
_MAKE_TEST = re.compile(r"^test\s*:(?!=)", re.MULTILINE)
_JUST_TEST = re.compile(r"^@?test(?:\s[^:\n]*)?:(?!=)", re.MULTILINE)
_PYTEST = re.compile(r"^[ \t]*\[tool\.pytest|[\"']pytest\b|^[ \t]*pytest\b", re.MULTILINE)
_NO_TEST = "no test specified"

PROBE_TIMEOUT_S = 20.0
"""seconds for a program to print its version"""

ReadFile = Callable[[str], str | None]
CanRun = Callable[[Sequence[str]], bool]
"""returns whether a command succeeds"""


class Candidate(NamedTuple):
    """A verification command that fits the repository's files."""

    program: str
    """for messages"""
    command: str
    """for `sh -c`"""
    probe: tuple[str, ...]
    """a command that succeeds if the program can be run"""


class Detection(NamedTuple):
    """The commands that the repository's files suggest for its verification."""

    why: str
    candidates: tuple[Candidate, ...]
    """the preferred one first"""


def detect_command(read: ReadFile) -> Detection | None:
    """Return the commands for the first file in the order of docs/landing.md that exists; None if none does.

    Args:
        read: returns the text of a file at the repository's root, None if there is none.

    >>> detect_command({"go.mod": "module x"}.get).candidates[0].command
    'go test ./...'
    """
    return next((found for sign in DETECTORS if (found := sign(read))), None)


def detect_in(top: Path | None, *, without: frozenset[str] = frozenset()) -> Detection | None:
    """Detect the verification command from the files at the root of a working tree, without those in `without`."""

    def read(name: str) -> str | None:
        if name in without:
            return None
        try:
            return read_bounded_file((top or Path()) / name).decode("utf-8", "replace")
        except OSError:
            return None

    return detect_command(read)


def choose_candidate(found: Detection, can_run: CanRun) -> VerifyCommand:
    """Return the first of the commands whose program can be run.

    Raises:
        CommandError: (refused) none can be run; a weaker check does not replace the one that the repository names.
    """
    for candidate in found.candidates:
        if can_run(candidate.probe):
            return VerifyCommand(candidate.command, found.why)
    names = join_names(candidate.program for candidate in found.candidates)
    needs = dict.fromkeys(candidate.program.rpartition(" -m ")[2] for candidate in found.candidates)
    raise CommandError(
        f"found {found.why}, but cannot run {names}",
        hint=f"install {' or '.join(needs)}, or set another verification command with git config homelab.verify CMD",
        exit=ExitCode.REFUSED,
    )


def probe_with(runner: ProcessRunner) -> CanRun:
    """Return a function that runs a probe, in a directory where it finds no file of the repository.

    That a program is on PATH does not mean that it can be run: a shim of pyenv is there for every version.
    """
    return lambda probe: runner.run(probe, cwd=Path("/"), timeout=PROBE_TIMEOUT_S).ok


def _pre_commit(read: ReadFile) -> Detection | None:
    text = read(PRE_COMMIT_CONFIG)
    if not text:
        return None
    # Most repositories have no such file, and a hook that only asks starts faster without PyYAML.
    from homelab_hooks.land.pre_commit_config import has_pre_push_hooks

    if not has_pre_push_hooks(text):
        return None
    options = "run --all-files --hook-stage pre-push"
    return Detection(
        "a .pre-commit-config.yaml with pre-push hooks",
        tuple(Candidate(name, f"{name} {options}", (name, "--version")) for name in ("pre-commit", "prek")),
    )


def _make(read: ReadFile) -> Detection | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if _MAKE_TEST.search(read(name) or ""):
            return _detection(f"a {name} with a test target", "make test", ("make", "--version"))
    return None


def _just(read: ReadFile) -> Detection | None:
    for name in ("justfile", "Justfile", ".justfile"):
        if _JUST_TEST.search(read(name) or ""):
            return _detection(f"a {name} with a test recipe", "just test", ("just", "--version"))
    return None


def _python(read: ReadFile) -> Detection | None:
    if not _PYTEST.search(read("pyproject.toml") or ""):
        return None
    commands = [f"{name} -m pytest" for name in ("python", "python3")]
    candidates = tuple(Candidate(command, command, (*command.split(), "--version")) for command in commands)
    return Detection("a pyproject.toml that uses pytest", candidates)


def _node(read: ReadFile) -> Detection | None:
    try:
        package = json.loads(read("package.json") or "{}")
    except (ValueError, RecursionError):
        return None
    scripts = package.get("scripts") if isinstance(package, dict) else None
    test = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(test, str) or _NO_TEST in test:
        return None
    return _detection("a package.json with a test script", "npm test", ("npm", "--version"))


def _go(read: ReadFile) -> Detection | None:
    return None if read("go.mod") is None else _detection("a go.mod", "go test ./...", ("go", "version"))


def _rust(read: ReadFile) -> Detection | None:
    return None if read("Cargo.toml") is None else _detection("a Cargo.toml", "cargo test", ("cargo", "--version"))


def _detection(why: str, command: str, probe: tuple[str, ...]) -> Detection:
    return Detection(why, (Candidate(probe[0], command, probe),))


DETECTORS = (_pre_commit, _make, _just, _python, _node, _go, _rust)


class VerificationRun(NamedTuple):
    """One run of a verification command."""

    command: str
    """for `sh -c`"""
    directory: Path | None
    """the working tree's root"""
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
    """Return the error for a command that failed (22)."""
    what = f"verification failed: `{run.command}` {describe_exit(done.code)}"
    if done.start_error:
        what = f"verification could not be started: {done.start_error}"
    return CommandError(what, hint=hint, exit=ExitCode.VERIFY_FAILED)
