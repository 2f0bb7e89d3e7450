"""Runs one stage: announces it, times it, and reports how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Progress, Stage, StageChanged
from homelab_hooks.polling.loop import Clock
from homelab_hooks.text.sanitize import strip_control_chars


class StageReport:
    """How a stage ended, filled in while it runs."""

    def __init__(self) -> None:
        self.detail = ""
        self.progress = Progress.DONE

    def mark_failed(self) -> None:
        """Mark the stage as failed; the caller decides whether the command continues."""
        self.progress = Progress.FAILED

    def mark_skipped(self, reason: str) -> None:
        """Mark the stage as not needed, with the reason."""
        self.progress = Progress.SKIPPED
        self.detail = reason


@contextmanager
def run_stage(
    stage: Stage, *, emit: Callable[[Event], None], clock: Clock, detail: str = "", link: str = ""
) -> Iterator[StageReport]:
    """Emit the stage's start, then its end with the seconds it took.

    An exception ends the stage as failed and is raised again, so that a view never shows a stage as running after the
    command has ended.

    Args:
        detail: text for the start event.
        link: the link of the chain that the stage waits for.
    """
    began = clock.now()
    emit(StageChanged(stage=stage, progress=Progress.STARTED, detail=detail, link=link))
    report = StageReport()

    def end(progress: Progress, text: str) -> None:
        took = clock.now() - began
        text = strip_control_chars(text)
        emit(StageChanged(stage=stage, progress=progress, detail=text, took=took, link=link))

    try:
        yield report
    except CommandError as problem:
        end(Progress.FAILED, report.detail or problem.message)
        raise
    except BaseException:
        end(Progress.FAILED, "interrupted")
        raise
    end(report.progress, report.detail)
