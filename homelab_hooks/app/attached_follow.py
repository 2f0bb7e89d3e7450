"""Follows a commit for a caller: by the watcher that runs, by the result of one that has ended, or from the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from homelab_hooks.app import options
from homelab_hooks.events import Event, Log, LogLevel, Result, Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.hooks.background.attach import (
    AttachToWatcher,
    BeginWatch,
    UseResult,
    WatcherState,
    WatchQuery,
    decide_attachment,
    describe_attached_end,
)
from homelab_hooks.hooks.background.chain_key import describe_chain
from homelab_hooks.hooks.background.event_log import EventLogReader
from homelab_hooks.hooks.background.registry import (
    WatchPhase,
    WatchRecord,
    WatchRegistry,
    describe_ended,
    describe_running,
)
from homelab_hooks.text.durations import format_duration
from homelab_hooks.verdict import Verdict, read_success_word
from homelab_hooks.views.event_reader import read_event

if TYPE_CHECKING:
    from homelab_hooks.app.session import Session
    from homelab_hooks.config.resolve import Config
    from homelab_hooks.land.landed import Landed

READ_INTERVAL_S = 0.2
"""seconds between two reads of the watcher's events"""
_MAX_STARTS = 2
"""watchers that one call starts, if they die; then the caller follows the commit itself"""


class FollowCall(NamedTuple):
    """What a caller asks for."""

    landed: Landed
    given: Mapping[str, Any]
    """the command's options by name"""
    detach: bool = False
    """leave a watcher running, and return"""
    slice_s: float | None = None
    """seconds after which the caller returns while a watcher continues; None: it waits for the end"""
    deploying: bool = True
    times_links: bool = False
    """whether --timeout is that of the links, as for git land; False: it bounds the call"""


class AttachedFollow:
    """Follows one commit, with the watchers of the repository.

    Args:
        config: the settings of the links.
        in_foreground: follows the commit in this process, and returns the verdict.
    """

    def __init__(
        self, call: FollowCall, config: Config, session: Session, in_foreground: Callable[[], Verdict]
    ) -> None:
        self._call = call
        self._config = config
        self._session = session
        self._in_foreground = in_foreground
        self._started_count = 0
        self._until = None if call.slice_s is None else session.runtime.clock.now() + call.slice_s
        self._chain = describe_chain(config, deploying=call.deploying)
        common = session.runtime.git_readonly.location.common_dir()
        self._registry = WatchRegistry(common) if common is not None else None
        self._delivered: WatchRecord | None = None

    def run(self) -> Verdict:
        """Return the verdict: of a watcher if there is one, else of the links."""
        registry, verdict = self._registry, None
        while registry is not None and verdict is None:
            match self._decide(registry):
                case AttachToWatcher(record):
                    verdict = self._hand_over(record) if self._call.detach else self._attach(registry, record)
                case UseResult(record, is_standing):
                    verdict = self._use_result(registry, record, is_standing=is_standing)
                case BeginWatch(died):
                    self._report_death(registry, died)
                    if not self._start_watcher(registry):
                        break
        return verdict or self._in_foreground()

    def mark_delivered(self) -> None:
        """Record that the result of the ended watcher was printed; call this after that."""
        record, registry = self._delivered, self._registry
        if record is None or registry is None:
            return
        try:
            registry.mark_delivered(record)
        except OSError as error:  # the result is printed once more
            self._tell(f"could not record that the result was printed: {error}", LogLevel.WARNING)

    def _decide(self, registry: WatchRegistry) -> AttachToWatcher | UseResult | BeginWatch:
        landed = self._call.landed
        query = WatchQuery(landed.sha, landed.branch, format_remote_url(landed.remote), self._chain)
        now = self._session.runtime.clock.wall()
        records = registry.records_of(landed.sha)
        return decide_attachment(records, query, is_running=lambda record: registry.is_running(record, now))

    def _start_watcher(self, registry: WatchRegistry) -> bool:
        """Start a watcher if the call wants one, and return whether that succeeded."""
        if not (self._call.detach or self._call.slice_s) or self._started_count >= _MAX_STARTS:
            return False
        from homelab_hooks.app.background import start_follow_watcher
        from homelab_hooks.hooks.background.job import WatchJob

        landed, runtime = self._call.landed, self._session.runtime
        kept: dict[str, str | list[str]] = dict(options.as_mapping(self._call.given, *options.FOLLOW_OPTIONS))
        if not self._call.times_links:
            kept.pop("timeout", None)
        if not self._call.deploying:
            kept["no_deploy"] = "1"
        job = WatchJob(
            sha=landed.sha,
            branch=landed.branch,
            remote=landed.remote,
            directory=str(runtime.git_readonly.location.top_level() or runtime.directory),
            options=kept,
            scope=self._chain.scope,
        )
        try:
            start_follow_watcher(runtime, registry, job, self._config)
        except OSError as error:
            self._tell(f"could not start a background watcher: {error}; following here", LogLevel.WARNING)
            return False
        self._started_count += 1
        return True

    def _attach(self, registry: WatchRegistry, record: WatchRecord) -> Verdict | None:
        """Replay and follow the watcher's events; return its verdict, or that of a slice; None if it died."""
        age = format_duration(max(0.0, self._session.runtime.clock.wall() - record.began_at))
        self._tell(f"attached to the background watcher (process {record.process}), which has run for {age}")
        reader = EventLogReader(registry.events_of(record))
        clock = self._session.runtime.clock
        self._session.watcher_notifies = True  # also after a slice, and after a signal: the watcher runs on
        try:
            while True:
                known = registry.load_same(record)
                is_running = known is not None and registry.is_running(known, clock.wall())
                result = self._replay(reader) or _result_of(known)
                left = None if self._until is None else self._until - clock.now()
                match describe_attached_end(WatcherState(result is not None, is_running, left)):
                    case "result":
                        self._delivered = record
                        return verdict_of(result) if result else None
                    case "died":
                        self._session.watcher_notifies = False
                        return None
                    case "slice":
                        return self._slice_verdict(record)
                    case _:
                        clock.sleep(READ_INTERVAL_S)
        finally:
            reader.close()

    def _replay(self, reader: EventLogReader) -> Result | None:
        """Show the new events, and return the result if it is among them."""
        skipped = reader.skipped_count
        for event in map(read_event, reader.read()):
            if reader.skipped_count > skipped:
                self._tell(f"{reader.skipped_count - skipped} events of the watcher were not kept")
                skipped = reader.skipped_count
            if isinstance(event, Result):
                return event
            if event is not None and not isinstance(event, Start):
                self._session.tell(event)
        return None

    def _use_result(self, registry: WatchRegistry, record: WatchRecord, *, is_standing: bool) -> Verdict | None:
        """Return the result of a watcher that has ended; None if a newer pipeline has replaced it."""
        if is_standing and self._has_newer_pipeline(record):
            self._tell("the commit has a newer pipeline than the background watcher's result; following from the start")
            registry.delete(record)
            return None
        ended = format_duration(max(0.0, self._session.runtime.clock.wall() - record.ended))
        self._tell(f"a background watcher ended {ended} ago; its result:")
        reader = EventLogReader(registry.events_of(record))
        result = self._replay(reader) or _result_of(record)
        reader.close()
        self._delivered = record
        self._session.watcher_notifies = True
        if result is None:  # damaged, although it has an exit code
            registry.delete(record)
            return None
        return verdict_of(result)

    def _hand_over(self, record: WatchRecord) -> Verdict:
        resume = options.follow_command(self._call.given, record.sha)
        return Verdict(
            exit=ExitCode.OK,
            label="watching",
            sha=record.sha,
            reason=f"a background watcher (process {record.process}) follows the commit; log: {record.log}",
            hint=f"to resume, run: {resume}",
        )

    def _slice_verdict(self, record: WatchRecord) -> Verdict:
        resume = options.follow_command(self._call.given, record.sha)
        reason = f"the commit is still being followed in the background (process {record.process})"
        return Verdict(exit=ExitCode.TIMEOUT, sha=record.sha, reason=reason, hint=f"to resume, run: {resume}")

    def _report_death(self, registry: WatchRegistry, died: WatchRecord | None) -> None:
        if died is None:
            return
        text = f"the background watcher (process {died.process}) ended without a result; following from the start"
        self._tell(text, LogLevel.WARNING)
        registry.delete(died)

    def _has_newer_pipeline(self, record: WatchRecord) -> bool:
        """Return whether CI has a newer pipeline of the commit than the result names.

        CI is asked only about a result other than 0: people restart what failed. A success is answered from the record.
        """
        code = (record.result or {}).get("exit")
        if code == ExitCode.OK or not any(name.split(":")[0] == "ci" for name in self._chain.links):
            return False
        from homelab_hooks.app.newer_pipeline import has_newer_pipeline

        result = _result_of(record)
        known = max((pipeline.number for pipeline in result.pipelines), default=0) if result else 0
        return has_newer_pipeline(self._call.landed, known, self._config, self._session)

    def _tell(self, text: str, level: LogLevel = LogLevel.INFO) -> None:
        self._session.tell(Log(source="homelab", text=text, level=level))


def _result_of(record: WatchRecord | None) -> Result | None:
    event: Event | None = None
    if record is not None and record.state is WatchPhase.ENDED and record.result:
        event = read_event(record.result)
    return event if isinstance(event, Result) else None


def verdict_of(result: Result) -> Verdict:
    """Return the verdict that a watcher's result stands for."""
    return Verdict(
        exit=result.exit,
        reason=result.reason,
        hint=result.hint,
        label=read_success_word(result.verdict),
        sha=result.sha,
        pipelines=result.pipelines,
        deploys=result.deploys,
        url=result.url,
        link=result.link,
        links=result.links,
    )


def list_watchers(session: Session) -> Verdict:
    """Show the running watchers and how the last ones ended; the verdict is `ok`."""
    common, now = session.runtime.git_readonly.location.common_dir(), session.runtime.clock.wall()
    registry = WatchRegistry(common) if common is not None else None
    records = registry.all_records() if registry is not None else []
    running = [record for record in records if registry is not None and registry.is_running(record, now)]
    ended = [record for record in records if record.state is WatchPhase.ENDED and record.landed and record.result]
    for record in running:
        session.tell(describe_running(record, now))
    for record in ended:
        session.tell(describe_ended(record, now))
    for record in records:
        if record not in running and record.state is WatchPhase.WATCHING:
            text = f"the watcher of {record.sha} (process {record.process}) ended without a result"
            hint = f"to follow the commit from the start, run: homelab follow {record.sha}"
            session.tell(Log(source="homelab", text=f"{text}; {hint}", level=LogLevel.WARNING))
    reason = f"running: {len(running)}, ended: {len(ended)}"
    return Verdict(exit=ExitCode.OK, label="ok", reason=reason)
