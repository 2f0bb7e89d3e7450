"""Watches a simulated server whose time runs fast: `python -m tools.bench.hour URL SPEED`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from homelab_hooks.ci.connection import connect_now
from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.woodpecker.client import WoodpeckerClient
from homelab_hooks.ci.woodpecker.connect import make_provider
from homelab_hooks.ci.woodpecker.stream import EventStreamListener
from homelab_hooks.config.address import parse_server_url
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.containment import Containment
from homelab_hooks.net.http import HttpClient
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.terminal import Terminal
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.views.plain import PlainView
from homelab_hooks.watch.no_pipeline import CommitFacts
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.run import run_watch
from homelab_hooks.watch.state import WatchTimeouts
from tests.ci.values import scope_of
from tools.bench.fast import FastClock, FastHttps

PATIENT = WatchTimeouts(overall=1e9, appear=1e9, unreachable=1e9)
"""seconds of the fast clock; many may pass before a busy machine answers"""


def _contains(*, newer: str, ours: str) -> Containment:
    del newer, ours
    return Containment.UNKNOWN


def main(argv: Sequence[str]) -> int:
    """To the end; the verdict's code."""
    url, speed = argv[0], float(argv[1])
    clock = FastClock(speed)

    def connect() -> HttpClient:
        return HttpClient(parse_server_url(url), clock=SystemClock(), token="alice-token")

    def listen(repo: Repo) -> EventStreamListener:
        ear = EventStreamListener(connect(), repo, wake=clock.wake, now=clock.now)
        ear.start()
        return ear

    request = WatchRequest(scope=scope_of("a" * 40), repo_names=("acme/app",), timeouts=PATIENT)
    sources = WatchDependencies(
        ci=make_provider(
            WoodpeckerClient(connect_now(FastHttps(connect(), speed), token_source="a test"), server_url=url)
        ),
        contains=_contains,
        commit_facts=CommitFacts,
        open_stream=listen,
    )
    view = PlainView(Terminal({}), Redactor())
    verdict = run_watch(request, sources, clock=clock, emit=view.tell)
    return int(verdict.exit is not ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
