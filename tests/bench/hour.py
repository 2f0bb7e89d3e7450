"""Watches a stand-in that plays in fast motion: `python -m tests.bench.hour URL SPEED`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from homelab_hooks.clock import SystemClock
from homelab_hooks.exits import Exit
from homelab_hooks.history import Containment
from homelab_hooks.https import Https
from homelab_hooks.server import parse_server
from homelab_hooks.terminal import Terminal
from homelab_hooks.text import Redactor
from homelab_hooks.views.plain import Plain
from homelab_hooks.watch.absence import CommitFacts
from homelab_hooks.watch.state import Patience, Scope
from homelab_hooks.watch.watch import Request, Sources, run
from homelab_hooks.woodpecker.client import Woodpecker
from homelab_hooks.woodpecker.ear import Ear
from homelab_hooks.woodpecker.entry import entered
from tests.bench.fast import FastClock, FastHttps

PATIENT = Patience(timeout=1e9, appear=1e9, unreachable=1e9)
"""seconds of the fast clock, of which a busy machine may let many pass before it answers"""


def _contains(*, newer: str, ours: str) -> Containment:
    del newer, ours
    return Containment.UNKNOWN


def main(argv: Sequence[str]) -> int:
    """To the end; the verdict's code."""
    url, speed = argv[0], float(argv[1])
    clock = FastClock(speed)

    def connect() -> Https:
        return Https(parse_server(url), clock=SystemClock(), token="alice-token")

    def listen(repo: int) -> Ear:
        ear = Ear(connect(), repo, wake=clock.wake, now=clock.now)
        ear.start()
        return ear

    request = Request(scope=Scope(sha="a" * 40), names=("acme/app",), patience=PATIENT, web=url)
    sources = Sources(
        ci=Woodpecker(entered(FastHttps(connect(), speed), token="a test")),
        contains=_contains,
        facts=CommitFacts,
        listen=listen,
    )
    view = Plain(Terminal({}), Redactor())
    verdict = run(request, sources, clock=clock, tell=view.tell)
    return int(verdict.exit is not Exit.OK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
