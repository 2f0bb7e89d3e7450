"""A link that polls one source until its machine has decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from homelab_hooks.config.link_spec import LinkKind
from homelab_hooks.events import Event, Stage
from homelab_hooks.polling.loop import Clock, poll_until_decided
from homelab_hooks.polling.outcome import Decision, Poll
from homelab_hooks.verdict import Verdict

V_co = TypeVar("V_co", covariant=True)


class WaitState(Protocol):
    """The state of a machine; `verdict` is set once it is settled."""

    @property
    def verdict(self) -> Verdict | None:
        """Return the verdict; None while the machine waits."""


S = TypeVar("S", bound=WaitState)


class PollSource(Protocol[V_co]):
    """What a link polls."""

    def poll(self) -> Poll[V_co]:
        """Send one request, and return its result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledLink(Generic[S, V_co]):
    """Polls until the machine `decide` has settled.

    Args:
        start: returns what is polled, and the initial state; called when the link begins.
    """

    kind: LinkKind
    name: str
    start: Callable[[], tuple[PollSource[V_co], S]]
    decide: Callable[[S, Poll[V_co], float], Decision[S]]
    resume_command: str
    clock: Clock
    emit: Callable[[Event], None]

    @property
    def stage(self) -> Stage:
        """Return the stage that the views show."""
        return Stage(self.kind.value)

    def run(self) -> Verdict:
        """Poll until the machine has a verdict, and return it."""
        source, state = self.start()
        state = poll_until_decided(
            state, fetch=lambda _: source.poll(), decide=self.decide, emit=self.emit, clock=self.clock
        )
        assert state.verdict is not None  # noqa: S101 - the loop returns only settled states
        return state.verdict
