"""A landing's state file, and the lock that allows one landing at a time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.request import (
    DetectVerification,
    LandRequest,
    SkipVerification,
    VerifyChoice,
    VerifyCommand,
)
from homelab_hooks.system.atomic_file import replace_file, write_error_fix
from homelab_hooks.system.file_lock import LockHeldError, describe_process, hold_lock, lock_holder
from homelab_hooks.text.json_fields import require_types
from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.text.url_secrets import strip_web_userinfo

SCHEMA_VERSION = 1
_LOCK = "land.lock"
MAX_COUNT = 10**6
"""largest number that a state file may hold"""


class LandingState(NamedTuple):
    """The progress of a landing, as it is saved for --continue and --abort."""

    request: LandRequest
    branch: str
    target: str
    remote: str
    push_url: str
    original_commit: str
    """the branch's commit before the landing"""
    stage: Stage = Stage.PREFLIGHT
    target_commit: str = ""
    """the target's commit that is being or was merged"""
    merge_began_at: str = ""
    """the branch's commit when the merge or rebase with `target_commit` began; empty if none is unfinished"""
    operation_mark: str = ""
    """the `mark` of the merge or rebase that was left unfinished; empty if none is, or the landing was killed"""
    merged_commit: str = ""
    """the branch's commit after the landing's last merge or rebase"""
    verified_tree: str = ""
    pushed_commit: str = ""
    """the commit that is being or was pushed"""
    landed_commit: str = ""
    ended_with: str = ""
    """the verdict of the landing; empty while it runs, and after it was killed"""
    push_attempts: int = 0
    push_unconfirmed: bool = False
    """whether a push or a merge may have reached the server, and the server has not been queried since"""
    pull_number: int = 0
    """the pull request of this landing; 0: none"""
    pull_url: str = ""
    keeps_commit: bool = True
    """whether the merge puts the proposed commit itself on the target, which a squash or rebase does not"""
    tree_differs: bool = False
    """whether the merged files differ from those that were checked"""

    @property
    def landed(self) -> bool | None:
        """Return whether the commit is on the target; None while a push may have reached the server unconfirmed.

        For a landing that is still running, this is the only source; once it has ended, `Verdict.landed` is.
        """
        return True if self.landed_commit else None if self.push_unconfirmed else False

    @property
    def is_reverting(self) -> bool:
        """Return whether the landing is to make the commit that takes another one back, and has not made it yet."""
        return bool(self.request.revert) and not self.merged_commit

    @property
    def is_unmodified(self) -> bool:
        """Return whether the landing has not changed anything, so that it cannot be resumed or aborted."""
        return self.stage in {Stage.PREFLIGHT, Stage.FETCH} and not self.merged_commit and not self.pushed_commit

    @property
    def nothing_done(self) -> bool:
        """Return whether the landing has not merged, verified, or pushed anything."""
        return not self.merged_commit and not self.verified_tree and not self.pushed_commit

    @property
    def was_interrupted(self) -> bool:
        """Return whether the landing has no result: it was killed or interrupted, or its push was not confirmed."""
        return (
            not self.landed_commit
            and not self.is_unmodified
            and self.ended_with in {"", ExitCode.UNREACHABLE.verdict, ExitCode.INTERRUPTED.verdict}
        )


class StateFile:
    """The state file of one worktree.

    Args:
        directory: `git rev-parse --git-path homelab`.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "land.json"

    def load(self) -> LandingState | None:
        """Return the state, None if there is none. Raises CommandError if the file cannot be read."""
        try:
            text = self._path.read_text(encoding="utf-8", errors="surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._unreadable(f"{write_error_fix(error)}, then run the same command again") from error
        try:
            return _parse_state(json.loads(text))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._unreadable("check git log and git status, then remove the state file") from error

    def _unreadable(self, hint: str) -> CommandError:
        return CommandError(
            f"cannot read the state of an earlier landing: {strip_control_chars(str(self._path))}",
            hint=hint,
            exit=ExitCode.REFUSED,
        )

    def save(self, state: LandingState) -> None:
        """Replace the state file atomically and durably. Raises CommandError if it cannot be written.

        Passwords in URLs are not written; `resume.with_credentials` restores them from git's settings.
        """
        urls = {"remote": strip_web_userinfo(state.remote), "push_url": strip_web_userinfo(state.push_url)}
        raw = {"schema": SCHEMA_VERSION, **state._asdict(), **urls, "request": _request_to_json(state.request)}
        with reporting_disk_errors(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._path, json.dumps(raw, indent=1), mode=0o600, durable=True)

    def clear(self) -> None:
        """Remove the state file, and temporary files of killed writers. Raises CommandError if it cannot be written."""
        with reporting_disk_errors(self._path.parent):
            for path in [self._path, *self._path.parent.glob("land.json.*")]:
                if path.exists():
                    path.unlink()
        with contextlib.suppress(OSError):  # the lock, or a file of another program, may be in it
            self._path.parent.rmdir()


@contextlib.contextmanager
def reporting_disk_errors(place: Path) -> Iterator[None]:
    """Turn an OSError about a landing's own files into a CommandError (20)."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CommandError(
            f"cannot write the landing's state in {strip_control_chars(str(place))}: {reason}",
            hint=f"{write_error_fix(error)}, then run the same command again",
            exit=ExitCode.REFUSED,
        ) from error


def _parse_state(raw: Any) -> LandingState:
    if not isinstance(raw, dict) or raw.pop("schema") != SCHEMA_VERSION:
        raise ValueError("state of another version")
    require_types(
        raw,
        max_int=MAX_COUNT,
        request=dict,
        push_attempts=int,
        push_unconfirmed=bool,
        pull_number=int,
        keeps_commit=bool,
        tree_differs=bool,
    )
    return LandingState(**{**raw, "request": _parse_request(raw["request"]), "stage": Stage(raw["stage"])})


def _request_to_json(request: LandRequest) -> dict[str, Any]:
    return {**asdict(request), "verify": _verify_to_json(request.verify)}


def _verify_to_json(verify: VerifyChoice) -> Any:
    match verify:
        case VerifyCommand(command, why):
            return [command, why]
        case SkipVerification():
            return "skip"
        case DetectVerification():
            return "detect"


def _parse_request(raw: Any) -> LandRequest:
    verify = raw["verify"]
    found: VerifyChoice = (
        SkipVerification()
        if verify == "skip"
        else DetectVerification()
        if verify == "detect"
        else _parse_command(*verify)
    )
    options = tuple(str(option) for option in raw["push_options"])
    plain = {key: value for key, value in raw.items() if key != "verify"}
    require_types(plain, max_int=MAX_COUNT, push_options=list, dry_run=bool, max_retries=int, caller_state=dict)
    return LandRequest(**{**raw, "verify": found, "strategy": Strategy(raw["strategy"]), "push_options": options})


def _parse_command(command: str, why: str) -> VerifyCommand:
    require_types({"command": command, "why": why})
    return VerifyCommand(command, why)


def lock_held_error(holder: str) -> CommandError:
    """Return the error for a second landing."""
    return CommandError(
        f"another landing is running in this repository: {strip_control_chars(holder) or 'unknown process'}",
        hint="wait for the other landing to finish or stop it, then run git land again",
        exit=ExitCode.REFUSED,
    )


def landing_holder(directory: Path) -> str:
    """Return who holds the lock of this repository's landings; empty if it is free. Changes nothing."""
    return lock_holder(directory / _LOCK)


@contextlib.contextmanager
def landing_lock(directory: Path, *, who: str) -> Iterator[None]:
    """Hold the lock of this repository's landings. Raises CommandError (refused) if another landing holds it.

    Args:
        directory: for the lock file; a directory below the common git directory, which all worktrees share.
        who: describes this landing in the error message of a second one.
    """
    with contextlib.ExitStack() as stack:
        with reporting_disk_errors(directory):
            directory.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(hold_lock(directory / _LOCK, describe_process(who)))
            except LockHeldError as held:
                raise lock_held_error(str(held)) from held
        yield
