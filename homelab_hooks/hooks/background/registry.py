"""Records of background watches: those that run, and how the last ones ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from homelab_hooks.events import BackgroundWatch
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.background.chain_key import UNKNOWN_CHAIN, ChainKey
from homelab_hooks.system.atomic_file import replace_file
from homelab_hooks.system.file_lock import NO_LOCKS_ERRNOS
from homelab_hooks.system.process_table import boot_id, command_line, process_info
from homelab_hooks.text.durations import MAX_DURATION_S

MAX_RECORDS = 20
"""records, each with its log, kept for a repository"""
SCHEMA_VERSION = 1
_LOCK = "lock"
_ORPHAN_LOG_AGE_S = 3600.0
"""seconds after which a log without a record is deleted"""

_RECENT_S = 3600.0
"""seconds for which an ended watch is reported to a caller that asks about another commit"""


class WatchPhase(StrEnum):
    """The phase of a watch."""

    PUSHING = "pushing"
    """the push is running and may still fail"""
    WATCHING = "watching"
    ENDED = "ended"


class WatchRecord(NamedTuple):
    """A watch of one commit on one branch; times in unix seconds."""

    sha: str
    branch: str
    remote: str
    """a name, or a URL without credentials"""
    process: int
    host: str
    began_at: float
    expires_at: float
    """the latest time at which it can still run"""
    state: WatchPhase
    landed: bool | None = None
    """None: unknown"""
    ended: float = 0.0
    result: Mapping[str, Any] | None = None
    """the `result` object of --output json"""
    log: str = ""
    process_began: str = ""
    """the start time of the process, which distinguishes it from a later one with the same ID; empty: unknown"""
    boot: str = ""
    """the boot of the machine that the process belongs to; empty: unknown"""
    chain: ChainKey = UNKNOWN_CHAIN
    """what is followed, and by which settings"""
    scope: str = ""
    """distinguishes watches that `homelab follow` started; empty for the watch of a push"""
    delivered: bool = False
    """whether a caller has printed the result"""

    @property
    def name(self) -> str:
        """Return the name of its file and its log; the same for every watch of this commit on this branch."""
        return record_name(self.sha, self.branch, self.remote, self.scope)

    def is_alive(self, *, host: str, now: float) -> bool:
        """Return whether the watch still runs; for a process on another host, only the expiry time is checked."""
        if self.state is WatchPhase.ENDED or now > self.expires_at:
            return False
        if self.host != host:
            return True
        if not self.process_began:
            return self.sha in command_line(self.process)
        known = process_info(self.process) if self.boot == boot_id() else None
        return known is not None and known.began == self.process_began

    def is_same_watcher(self, other: WatchRecord) -> bool:
        """Return whether both are records of one process."""
        return (self.process, self.host, self.process_began) == (other.process, other.host, other.process_began)


def record_name(sha: str, branch: str, remote: str, scope: str = "") -> str:
    """Return the record's name for a commit on a branch of a remote.

    Args:
        scope: of a watch that `homelab follow` started; several chains of one commit are then watched at once.
    """
    about = f"{branch} {remote} {scope}".rstrip()
    return f"{sha}-{zlib.crc32(about.encode('utf-8', 'surrogatepass')):08x}"


class WatchRegistry:
    """The records of a repository.

    Args:
        common: the common git directory of all worktrees.
    """

    def __init__(self, common: Path) -> None:
        self.directory = common / "homelab" / "watches"
        self._host = os.uname().nodename

    def log_of(self, name: str) -> Path:
        """Create the log for the record of this name: empty, and readable only by the user."""
        self._prepare()
        path = self.directory / f"{name}.log"
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return path

    def claim(
        self, record: WatchRecord, *, over: frozenset[WatchPhase] = frozenset(), unless_ended_since: float = inf
    ) -> bool:
        """Try to become the only watch of this commit on this branch, and return whether that succeeded.

        Args:
            over: phases of a running watch that this one may take over from.
            unless_ended_since: unix seconds: a watch that has ended since then has watched this push already.
        """
        with self._locked():
            known = self._load(self._path(record))
            if known is not None and known.is_same_watcher(record) and known.state is not WatchPhase.ENDED:
                return True  # the process that started this one has claimed the watch for it
            if known is not None and known.state is WatchPhase.ENDED and known.ended >= unless_ended_since:
                return False
            others = known is not None and known.process != record.process and self._alive(known, record.began_at)
            if known is not None and others and known.state not in over:
                return False
            self._save(record)
            for path in self.directory.glob(f"{record.name}.*.events"):
                path.unlink(missing_ok=True)
            self._prune(record.began_at)
        return True

    def save(self, record: WatchRecord) -> bool:
        """Save the record of our watch; return False, without saving, if another process has claimed it since."""
        with self._locked():
            known = self.load_same(record)
            if known is None:
                return False
            self._save(record._replace(delivered=record.delivered or known.delivered))
        return True

    def mark_delivered(self, record: WatchRecord) -> None:
        """Record that a caller has printed the result, unless another process has claimed the watch since.

        The watcher may be about to save its result: `save` keeps the mark.
        """
        with self._locked():
            known = self.load_same(record)
            if known is not None:
                self._save(known._replace(delivered=True))

    def load_same(self, record: WatchRecord) -> WatchRecord | None:
        """Return the watch's record as it is now; None if another process has claimed the watch, or it is deleted."""
        known = self._load(self._path(record))
        return known if known is not None and known.is_same_watcher(record) else None

    def is_ours(self, record: WatchRecord) -> bool:
        """Return whether no other process has claimed the watch since."""
        return self.load_same(record) is not None

    def events_of(self, record: WatchRecord) -> Path:
        """Return the file of the watch's events, one for each process: a reader never continues in another's."""
        return self.directory / f"{record.name}.{record.process}.events"

    def records_of(self, sha: str) -> list[WatchRecord]:
        """Return the records of a commit."""
        return [record for record in self._all(f"{sha}-*.json") if record.sha == sha]

    def all_records(self) -> list[WatchRecord]:
        """Return every record, the oldest watch first."""
        return sorted(self._all(), key=lambda record: record.began_at)

    def is_running(self, record: WatchRecord, now: float) -> bool:
        """Return whether the watch runs now."""
        return self._alive(record, now)

    def delete(self, record: WatchRecord) -> None:
        """Delete the record, unless another process has claimed it since."""
        with self._locked():
            if self.is_ours(record):
                self._path(record).unlink(missing_ok=True)

    def is_watched(self, name: str, now: float) -> WatchRecord | None:
        """Return the record of this name, if its watch runs now."""
        known = self._load(self.directory / f"{name}.json")
        return known if known and self._alive(known, now) else None

    def summaries(self, now: float, *, sha: str = "") -> tuple[BackgroundWatch, ...]:
        """Return the running watches, oldest first, then the last one that ended, if it is recent or of this commit."""
        known = self.all_records()
        running = tuple(describe_running(record, now) for record in known if self._alive(record, now))
        ended = [record for record in known if record.state is WatchPhase.ENDED and record.landed and record.result]
        ended = [record for record in ended if record.sha == sha or now - record.ended < _RECENT_S]
        last = max(ended, key=lambda record: record.ended, default=None)
        return running if last is None else (*running, describe_ended(last, now))

    def _alive(self, record: WatchRecord, now: float) -> bool:
        return record.is_alive(host=self._host, now=now)

    def _all(self, pattern: str = "*.json") -> list[WatchRecord]:
        with contextlib.suppress(OSError):
            found = (self._load(path) for path in self.directory.glob(pattern))
            return [record for record in found if record]
        return []

    def _path(self, record: WatchRecord) -> Path:
        return self.directory / f"{record.name}.json"

    @staticmethod
    def _load(path: Path) -> WatchRecord | None:
        """Return a record; None if it is missing, damaged, or of another version."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            if raw.pop("schema") != SCHEMA_VERSION:
                return None
            chain = ChainKey.from_json(raw.pop("chain", {}))
            return _validate_record(WatchRecord(**{**raw, "state": WatchPhase(raw["state"]), "chain": chain}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def _save(self, record: WatchRecord) -> None:
        """Write the record completely or not at all."""
        fields = {**record._asdict(), "chain": record.chain._asdict()}
        text = json.dumps({"schema": SCHEMA_VERSION, **fields}, indent=1)
        replace_file(self._path(record), text, mode=0o600)

    def _prune(self, now: float) -> None:
        """Delete the oldest records, and logs without a record; running watches are kept."""
        kept = sorted(self._all(), key=lambda record: record.began_at, reverse=True)
        names = {record.name for place, record in enumerate(kept) if place < MAX_RECORDS or self._alive(record, now)}
        known = {record.name for record in kept}
        for path in self.directory.iterdir():
            stem = path.name.split(".")[0]
            with contextlib.suppress(FileNotFoundError):  # logs are created and replaced without the lock
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
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:  # without locks, two watches of one commit may both begin
                if error.errno not in NO_LOCKS_ERRNOS:
                    raise
            yield


def _validate_record(record: WatchRecord) -> WatchRecord:
    """Return the record. Raises TypeError or ValueError if a field has the wrong type, or a time is out of range."""
    raw: Any = record  # JSON values; the declared types are not checked yet
    texts = (raw.sha, raw.branch, raw.remote, raw.host, raw.log, raw.process_began, raw.boot, raw.scope)
    numbers = (raw.process, raw.began_at, raw.expires_at, raw.ended)
    known = all(isinstance(text, str) for text in texts) and isinstance(raw.result, dict | None)
    flags = isinstance(raw.landed, bool | None) and isinstance(raw.delivered, bool)
    if not (known and isinstance(raw.process, int) and flags):
        raise TypeError("not a record")
    if not all(-MAX_DURATION_S * MAX_DURATION_S < number < MAX_DURATION_S * MAX_DURATION_S for number in numbers):
        raise ValueError("time out of range")
    return record


def finish_record(record: WatchRecord, *, result: Mapping[str, Any] | None, now: float) -> WatchRecord:
    """Return the record of a watch that has ended with this result."""
    return record._replace(state=WatchPhase.ENDED, result=result, ended=now)


def describe_running(record: WatchRecord, now: float) -> BackgroundWatch:
    """Return the event of a watch that runs."""
    return BackgroundWatch(
        sha=record.sha, branch=record.branch, under_way=True, age=max(0.0, now - record.began_at), log=record.log
    )  # fmt: skip


def describe_ended(record: WatchRecord, now: float) -> BackgroundWatch:
    """Return the event of a watch that has ended, with its result."""
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
