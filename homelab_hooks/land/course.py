"""One landing under way: its state kept before each effect, its stages told and timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from homelab_hooks.errors import Problem
from homelab_hooks.events import Level, Log, Progress, Stage, StageChanged
from homelab_hooks.git.repository import Git
from homelab_hooks.land.request import Parts, Request
from homelab_hooks.land.state import State, Store
from homelab_hooks.remote import shown
from homelab_hooks.text import clean

SHORT = 10
BACK = "git land --abort goes back to where the branch was"


class Note:
    """What a stage has to say at its end."""

    def __init__(self) -> None:
        self.detail = ""
        self.progress = Progress.DONE

    def fail(self) -> None:
        """It did not do what it is for, which is no end yet."""
        self.progress = Progress.FAILED

    def skip(self, why: str) -> None:
        """It was not needed, and why."""
        self.progress = Progress.SKIPPED
        self.detail = why


@contextmanager
def staged(parts: Parts, stage: Stage) -> Iterator[Note]:
    """Tell that a stage starts, and how it ended."""
    began = parts.clock.now()
    parts.tell(StageChanged(stage=stage, progress=Progress.STARTED))
    note = Note()

    def end(progress: Progress, detail: str) -> None:
        took = parts.clock.now() - began
        parts.tell(StageChanged(stage=stage, progress=progress, detail=clean(detail), took=took))

    try:
        yield note
    except Problem as problem:
        end(Progress.FAILED, problem.what)
        raise
    except BaseException:
        end(Progress.FAILED, "cut short")
        raise
    end(note.progress, note.detail)


class Course:
    """A landing's request, parts and state."""

    def __init__(self, parts: Parts, store: Store, state: State) -> None:
        self.parts = parts
        self.state = state
        self._store = store
        self._warned = ""

    @property
    def git(self) -> Git:
        """The repository."""
        return self.parts.git

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.state.request

    @property
    def upstream(self) -> str:
        """The target as a person knows it, and as the merge's message names it: `origin/main`."""
        return f"{shown(self.state.remote)}/{clean(self.state.target)}"

    def keep(self, **changes: Any) -> None:
        """Write down what is about to happen, or has.

        Raises Problem where that cannot be written, for what then happened could not be taken up again. Once a push may
        have reached the server, and at an end, it is only told: nothing may hide what became of it.
        """
        before, self.state = self.state, replace(self.state, **changes)
        done = before.in_doubt or before.landed or "ended" in changes
        with self._told() if done else nullcontext():
            self._store.save(self.state)

    def forget(self) -> None:
        """The landing is over: nothing is left of it, unless another has begun in the meantime."""
        with self._told():
            found = self._store.load()
            self.git.forget_pusher()
            if found is None or (found.branch, found.start) == (self.state.branch, self.state.start):
                self._store.clear()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A Problem within this is a warning, said once."""
        try:
            yield
        except Problem as problem:
            if problem.what != self._warned:
                self.say(problem.what, level=Level.WARNING)
            self._warned = problem.what

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[Note]:
        """A stage, written down and told."""
        self.keep(stage=stage)
        with staged(self.parts, stage) as note:
            yield note

    def say(self, text: str, *, source: str = "homelab", level: Level = Level.INFO) -> None:
        """A line for the user."""
        self.parts.tell(Log(source=source, text=clean(text), level=level))


def short_sha(sha: str) -> str:
    """A commit as a person reads it.

    >>> short_sha("0123456789abcdef")
    '0123456789'
    """
    return sha[:SHORT]
