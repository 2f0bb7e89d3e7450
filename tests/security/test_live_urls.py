"""The query of a live URL may be a secret: it reaches the service, and no output, file, argv, or other server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.security.canaries import LIVE, found_in
from tests.security.canary_clone import CanarySandbox
from tests.security.recording_servers import RecordingServer, Reply
from tests.security.test_outcomes import conflict, deployed
from tests.waiting import wait_until

pytestmark = pytest.mark.slow
LAND = ("git-land", "--verify-cmd", "true")
FOLLOW = ("homelab", "follow", "--onto", "main")


class Call(NamedTuple):
    """A command whose last word is the link, and how it ends."""

    name: str
    code: int
    argv: tuple[str, ...]
    arrange: Callable[[CanarySandbox], object] = lambda _: None


CALLS = [
    Call("follow", 0, (*FOLLOW, "--follow")),
    Call("proof", 0, ("homelab", "deploy", "wait", "shop/web", "--image-proof"), deployed),
    Call("land", 0, (*LAND, "--follow")),
    Call("conflict", 21, (*LAND, "--no-ci-watch", "--image-proof"), conflict),
    Call("config", 0, ("homelab", "config", "--follow")),
    Call("malformed", 2, (*FOLLOW, "--follow", "live:nothing", "--follow")),
]


@pytest.fixture
def live(sandbox: CanarySandbox) -> Iterator[RecordingServer]:
    """A service that runs the commit, and serves only who knows the query."""

    def answer(path: str, _: dict[str, str]) -> Reply:
        return Reply(200, sandbox.clone.head.encode()) if LIVE.core in path else Reply(403)

    with RecordingServer(answer) as server:
        yield server
        assert {core for request in server.heard for core in found_in(request)} <= {LIVE.core}


def link(live: RecordingServer) -> str:
    return f"live:{live.url}/version?key={LIVE.in_url}"


@pytest.mark.parametrize("view", ["plain", "json"])
@pytest.mark.parametrize("call", CALLS, ids=[call.name for call in CALLS])
def test_the_query_is_sent_and_in_no_output_and_no_file(
    sandbox: CanarySandbox, live: RecordingServer, call: Call, view: str
) -> None:
    call.arrange(sandbox)
    ended = sandbox.run(*call.argv, link(live), HOMELAB_OUTPUT=view)
    assert ended.code == call.code, ended
    assert sandbox.gave_away(ended) == []


def test_a_background_watcher_knows_the_query_and_saves_it_nowhere(
    sandbox: CanarySandbox, live: RecordingServer
) -> None:
    """The resume command, which does not have the query, attaches to the watcher."""
    detached = sandbox.run(*FOLLOW, "--follow", link(live), "--detach", HOMELAB_OUTPUT="json")
    watches = sandbox.clone.path / ".git/homelab/watches"
    wait_until(lambda: '"state": "ended"' in "".join(path.read_text() for path in watches.glob("*.json")))
    resumed = sandbox.shell(*json.loads(detached.lines[-1])["resume"])
    assert (detached.code, resumed.code, resumed.result["verdict"]) == (0, 0, "live"), resumed
    assert sandbox.gave_away(detached, resumed) == []
