"""Runs a started child to its end: keeps what it prints, and passes it to a listener as it comes."""

from __future__ import annotations

from collections.abc import Callable

from homelab_hooks.system.child import ChildEnd, ChildPipes, drain_pipes, wait_for_child
from homelab_hooks.system.clock import monotonic_seconds
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import MAX_STDOUT_BYTES, KeptEnds, KeptOutput, LineSplitter, OutputListener, Sink
from homelab_hooks.system.process import ChildProcess
from homelab_hooks.system.signals import raise_lost_interrupt


class CapturedChild:
    """A child whose output is kept.

    Of messages (standard error, and standard output if it is shown), the beginning and the end are kept. Standard
    output that is parsed is kept as a whole, up to a maximum.

    Args:
        child: the process.
        stdin: what it reads.
        listener: gets the lines of its messages.
        shows_stdout: its standard output holds messages too: that of `git push` holds what a pre-push hook prints.
        max_stdout_bytes: the maximum of standard output that is parsed; more ends the child.
    """

    def __init__(
        self,
        child: ChildProcess,
        *,
        stdin: bytes = b"",
        listener: OutputListener | None = None,
        shows_stdout: bool = False,
        max_stdout_bytes: int = MAX_STDOUT_BYTES,
    ) -> None:
        self._child, self._listener = child, listener
        self._lines: list[LineSplitter] = []
        self._out: KeptOutput | KeptEnds = KeptEnds() if shows_stdout else KeptOutput(max_stdout_bytes)
        self._err = KeptEnds()
        out = self._shown(self._out.feed) if shows_stdout else self._out.feed
        self._pipes = ChildPipes(child, [(child.stdout, out), (child.stderr, self._shown(self._err.feed))], stdin)

    def _shown(self, keep: Sink) -> Sink:
        """Return a sink that keeps an output and passes its lines to the listener."""
        if self._listener is None:
            return keep
        lines = LineSplitter(self._listener.on_line, now=monotonic_seconds)
        self._lines.append(lines)
        return lambda chunk: keep(chunk) and lines.feed(chunk)

    def complete(self, timeout: float | None, end: Callable[[ChildProcess], None]) -> Completed:
        """Wait for its end, or end it after `timeout` seconds, and return the result.

        After an exception, it keeps running and its pipes stay open: the caller decides whether to end it. An exception
        of a signal that was discarded while it ran is raised at its end.
        """
        how = wait_for_child(self._child, self._pipes, timeout=timeout, on_wait=self._on_wait)
        if how is not ChildEnd.EXITED:
            end(self._child)
            drain_pipes(self._pipes)
        for lines in self._lines:
            lines.close()
        self.close()
        raise_lost_interrupt()
        return Completed(
            self._child.wait(),
            self._out.value,
            self._err.value,
            timed_out=how is ChildEnd.TIMED_OUT,
            truncated=how is ChildEnd.STOPPED,
        )

    def close(self) -> None:
        """Close its pipes."""
        self._pipes.close()

    def _on_wait(self) -> None:
        for lines in self._lines:
            lines.pass_unfinished()
        if self._listener:
            self._listener.on_wait()
