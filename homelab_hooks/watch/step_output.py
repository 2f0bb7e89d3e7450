"""Shows the last lines of running steps: decides which logs are streamed, and opens and closes the streams."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from homelab_hooks.ci.model import LogLine, Pipeline, Repo, RunRef, Status, Step
from homelab_hooks.ci.provider import LogStream
from homelab_hooks.events import Log, format_running_source
from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.watch.log_tail import render_line

MAX_OPEN_STREAMS = 2
"""logs that are streamed at the same time: a terminal has no room for more"""
MAX_STREAMS = 8
"""streams that are opened in one watch: each is a request"""
_UNSHOWN_KINDS = frozenset({"clone", "service", "cache"})

StepKey = tuple[RunRef, Hashable]
"""what identifies a step within the repository"""
OpenLogStream = Callable[[Repo, RunRef, Step, Callable[[LogLine], None]], LogStream]


class RunningStep(NamedTuple):
    """A step whose log can be streamed."""

    number: int
    """of its pipeline"""
    run: RunRef
    step: Step

    @property
    def key(self) -> StepKey:
        """Return what identifies the step."""
        return self.run, self.step.id


class StepOutput:
    """The log streams of one watch. They are opened once for each step; a failure ends them silently.

    Args:
        emit: is called from other threads, and no more after `close`.
    """

    def __init__(self, open_stream: OpenLogStream, emit: Callable[[Log], None]) -> None:
        self._open_stream, self._emit = open_stream, emit
        self._streams: dict[StepKey, LogStream] = {}
        self._opened: set[StepKey] = set()

    def update(self, repo: Repo, pipelines: Sequence[Pipeline]) -> None:
        """Close the streams of steps that have ended, and open those of steps that run.

        Args:
            pipelines: those of which the workflows have just been read; nothing changes for others.
        """
        running = {step.key: step for step in find_running_steps(pipelines)}
        seen = {pipeline.run for pipeline in pipelines}
        for key in [key for key in self._streams if key not in running and key[0] in seen]:
            self._streams.pop(key).close()
        for key, step in running.items():
            is_room = len(self._streams) < MAX_OPEN_STREAMS and len(self._opened) < MAX_STREAMS
            if is_room and key not in self._opened:
                self._opened.add(key)
                self._streams[key] = self._open_stream(repo, step.run, step.step, self._line_handler(step))

    def close(self) -> None:
        """Close all streams."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()

    def _line_handler(self, step: RunningStep) -> Callable[[LogLine], None]:
        source = format_running_source(step.number, step.step.pid)

        def on_line(line: LogLine) -> None:
            if text := strip_control_chars(render_line(line.text)).rstrip():
                self._emit(Log(source=source, text=text))

        return on_line


def find_running_steps(pipelines: Iterable[Pipeline]) -> tuple[RunningStep, ...]:
    """Return the steps that run, in the order of the pipelines, without clones, services, and caches."""
    return tuple(
        RunningStep(pipeline.number, pipeline.run, step)
        for pipeline in pipelines
        for workflow in pipeline.workflows
        for step in workflow.steps
        if step.state is Status.RUNNING and step.kind not in _UNSHOWN_KINDS
    )
