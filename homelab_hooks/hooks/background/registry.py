"""Watches of pushes, written down: those under way, and how the last ones ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from homelab_hooks.events import BackgroundWatch
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.atomic_file import replace_file
from homelab_hooks.system.process_table import command_line
from homelab_hooks.text.durations import MAX_DURATION_S

MAX_RECORDS = 20
"""records, each with its log, that a repository keeps"""
SCHEMA_VERSION = 1
_LOCK = "lock"
_ORPHAN_LOG_AGE_S = 3600.0
"""seconds for which a log may wait for its record"""

_RECENT_S = 3600.0
"""seconds for which a watch that has ended is told whatever commit is asked about"""


class WatchPhase(StrEnum):
    """Where a watch is."""

    PUSHING = "pushing"
    """the push goes on, and may yet fail"""
    WATCHING = "watching"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRecord:
    """A watch of one commit on one branch; times in unix seconds."""

    sha: str
    branch: str
    remote: str
    """a name, or a URL without its user part"""
    process: int
    host: str
    began_at: float
    expires_at: float
    """when it has ended for certain, whatever happened to it"""
    state: WatchPhase
    landed: bool | None = None
    """None: not known"""
    ended: float = 0.0
    result: Mapping[str, Any] | None = None
    """the `result` object of --output json"""
    log: str = ""

    @property
    def name(self) -> str:
        """Of its file, and of its log's: the same for every watch of this commit on this branch."""
        return record_name(self.sha, self.branch, self.remote)

    def is_alive(self, *, host: str, now: float) -> bool:
        """Whether somebody still watches; of a process of another machine only its time is known."""
        if self.state is WatchPhase.ENDED or now > self.expires_at:
            return False
        return self.host != host or self.sha in command_line(self.process)


def record_name(sha: str, branch: str, remote: str) -> str:
    """A file's name for a commit on a branch of a remote."""
    return f"{sha}-{zlib.crc32(f'{branch} {remote}'.encode('utf-8', 'surrogatepass')):08x}"


class WatchRegistry:
    """The records of a repository.

    Args:
        common: the directory that all work trees share.
    """

    def __init__(self, common: Path) -> None:
        self.directory = common / "homelab" / "watches"
        self._host = os.uname().nodename

    def log_of(self, which: str) -> Path:
        """The log for records of this name: there, empty, and the user's alone to read."""
        self._prepare()
        path = self.directory / f"{which}.log"
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return path

    def claim(self, record: WatchRecord, *, over: frozenset[WatchPhase] = frozenset()) -> bool:
        """Become the only watch of this commit on this branch; no where another is alive, and in none of `over`."""
        with self._locked():
            known = self._load(self._path(record))
            others = known is not None and known.process != record.process and self._alive(known, record.began_at)
            if known is not None and others and known.state not in over:
                return False
            self._save(record)
            self._prune(record.began_at)
        return True

    def save(self, record: WatchRecord) -> bool:
        """Write down where our watch is; no, and nothing written, where another has claimed it since."""
        with self._locked():
            if not self.is_ours(record):
                return False
            self._save(record)
        return True

    def is_ours(self, record: WatchRecord) -> bool:
        """Whether no other process has claimed it since."""
        known = self._load(self._path(record))
        return known is not None and (known.process, known.host) == (record.process, record.host)

    def delete(self, record: WatchRecord) -> None:
        """As if there had been none."""
        with self._locked():
            if self.is_ours(record):
                self._path(record).unlink(missing_ok=True)

    def is_watched(self, which: str, now: float) -> WatchRecord | None:
        """The record of this name, if somebody watches now."""
        known = self._load(self.directory / f"{which}.json")
        return known if known and self._alive(known, now) else None

    def summaries(self, now: float, *, sha: str = "") -> tuple[BackgroundWatch, ...]:
        """Those under way, the oldest first, then the one that ended last, if it is of this commit or still news."""
        known = sorted(self._all(), key=lambda record: record.began_at)
        running = tuple(_running_event(record, now) for record in known if self._alive(record, now))
        ended = [record for record in known if record.state is WatchPhase.ENDED and record.landed and record.result]
        ended = [record for record in ended if record.sha == sha or now - record.ended < _RECENT_S]
        last = max(ended, key=lambda record: record.ended, default=None)
        return running if last is None else (*running, _ended_event(last, now))

    def _alive(self, record: WatchRecord, now: float) -> bool:
        return record.is_alive(host=self._host, now=now)

    def _all(self) -> list[WatchRecord]:
        with contextlib.suppress(OSError):
            found = (self._load(path) for path in self.directory.glob("*.json"))
            return [record for record in found if record]
        return []

    def _path(self, record: WatchRecord) -> Path:
        return self.directory / f"{record.name}.json"

    @staticmethod
    def _load(path: Path) -> WatchRecord | None:
        """A record, None where it is missing, damaged or another version's."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            if raw.pop("schema") != SCHEMA_VERSION:
                return None
            return _validate_record(WatchRecord(**{**raw, "state": WatchPhase(raw["state"])}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def _save(self, record: WatchRecord) -> None:
        """As a whole or not at all."""
        text = json.dumps({"schema": SCHEMA_VERSION, **asdict(record)}, indent=1)
        replace_file(self._path(record), text, mode=0o600)

    def _prune(self, now: float) -> None:
        """Let the oldest go, and every log that has had no record for long; what is alive stays."""
        kept = sorted(self._all(), key=lambda record: record.began_at, reverse=True)
        names = {record.name for place, record in enumerate(kept) if place < MAX_RECORDS or self._alive(record, now)}
        known = {record.name for record in kept}
        for path in self.directory.iterdir():
            stem = path.name.split(".")[0]
            with contextlib.suppress(FileNotFoundError):  # a log is made, and made anew, without the lock
                if stem in known - names or (
                    stem not in {*names, _LOCK} and path.stat().st_mtime < now - _ORPHAN_LOG_AGE_S
                ):
                    path.unlink()

    def _prepare(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._prepare()
        with os.fdopen(os.open(self.directory / _LOCK, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _validate_record(record: WatchRecord) -> WatchRecord:
    """The record. Raises TypeError or ValueError where a value is not of its kind, or no time is so large."""
    read: Any = record  # what JSON gave, whatever the fields are declared as
    texts = (read.sha, read.branch, read.remote, read.host, read.log)
    numbers = (read.process, read.began_at, read.expires_at, read.ended)
    known = all(isinstance(text, str) for text in texts) and isinstance(read.result, dict | None)
    if not (known and isinstance(read.process, int) and isinstance(read.landed, bool | None)):
        raise TypeError("no record")
    if not all(-MAX_DURATION_S * MAX_DURATION_S < number < MAX_DURATION_S * MAX_DURATION_S for number in numbers):
        raise ValueError("no such time")
    return record


def finish_record(record: WatchRecord, *, result: Mapping[str, Any] | None, now: float) -> WatchRecord:
    """The record of a watch that has ended."""
    return replace(record, state=WatchPhase.ENDED, result=result, ended=now)


def _running_event(record: WatchRecord, now: float) -> BackgroundWatch:
    return BackgroundWatch(
        sha=record.sha, branch=record.branch, under_way=True, age=max(0.0, now - record.began_at), log=record.log
    )  # fmt: skip


def _ended_event(record: WatchRecord, now: float) -> BackgroundWatch:
    result = record.result or {}
    code = result.get("exit")
    return BackgroundWatch(
        sha=record.sha,
        branch=record.branch,
        under_way=False,
        age=max(0.0, now - record.ended),
        verdict=str(result.get("verdict", "")),
        exit=ExitCode(code) if isinstance(code, int) and code in tuple(ExitCode) else None,
        url=str(result.get("url", "")),
        log=record.log,
    )
