"""Canaries at the ends that no case reaches by itself: signals, a fault of ours, a plain push and its waiter."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from homelab_hooks.simulators.git_http import PushedRef
from homelab_hooks.simulators.woodpecker import timelines
from tests.cli.shell import Ended, Shell
from tests.security.canaries import CI, URL, VAULT, found_in, variables_with
from tests.security.canary_clone import TOKENS, Place
from tests.waiting import FOREVER, wait_until

pytestmark = pytest.mark.slow

FAULT = """
import sys
from pathlib import Path
from homelab_hooks.app.session import Session
secret = {secret!r}
def inner():
    raise RuntimeError("it said\\n" + secret + " to " + {url!r}) from ValueError(secret[:9] + "\\x1b[1m" + secret[9:])
session = Session.open("homelab x", ["--output", sys.argv[1]])
session.config(type("Args", (), {{}})())
sys.exit(session.guard(inner))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("argv", "at"),
    [
        (("homelab-watch", "--output", "plain"), b"resume with"),
        (("git-land", "--output", "plain", "--verify-cmd", f"git remote -v; env; echo begun; {FOREVER}"), b"begun"),
    ],
    ids=["watch", "land"],
)
def test_an_interruption_gives_nothing_away(
    place: Place, number: signal.Signals, argv: tuple[str, ...], at: bytes
) -> None:
    place.pipeline(timelines.make_stuck())
    ended = place.interrupted(number, *argv, at=at)
    assert ended.code == 128 + number, ended
    assert place.gave_away(ended) == []


@pytest.mark.parametrize("view", ["plain", "json", "live"])
def test_a_fault_of_ours_gives_nothing_away_in_its_traceback(place: Place, view: str) -> None:
    """Its message, and that of its cause, may hold anything."""
    place.shell.more["HOMELAB_DEBUG"] = "1"
    program = place.folder / "kept/fault.py"
    program.parent.mkdir()
    program.write_text(FAULT.format(secret=CI.value, url=f"https://ann:{URL.in_url}@git.example.test/x"))
    ended = place.on_terminal(sys.executable, str(program), view)
    assert ended.code == 8, ended
    assert "Traceback" in ended.err
    assert "RuntimeError" in ended.err
    assert [line for line in ended.err.splitlines() if "secret" not in line and found_in(line.encode())] == []
    assert place.gave_away(ended) == []


def test_the_state_of_a_landing_has_no_password_and_is_its_users_alone(place: Place) -> None:
    """A conflict leaves it; whoever continues has the password from git's settings again."""
    place.configure("branch.topic.pushRemote", place.url)
    place.configure("homelab.target", "main")
    bob = place.workshop.clone("bob")
    bob.commit("a", "theirs\n")
    bob.git("push", "--quiet", "origin", "HEAD:main")
    place.known = place.files()
    land = ("git-land", "--no-ci-watch", "--verify-cmd", "true")
    assert place.shell(*land).code == 21
    state = place.clone.path / ".git/homelab/land.json"
    assert state.stat().st_mode & 0o777 == 0o600
    assert place.gave_away() == []
    place.clone.write("a", "both\n")
    place.clone.git("add", "a")
    ended = place.shell("git-land", "--continue", "--no-ci-watch")
    assert ended.code == 0, ended
    assert place.workshop.server_commit() == place.clone.head
    assert place.gave_away(ended) == []


def test_a_plain_push_and_its_waiter_give_nothing_away(place: Place) -> None:
    """Our hooks and the waiter keep our tokens, for they watch; what they leave behind has none."""
    shell = place.shell
    assert shell("homelab", "hooks", "install").code == 0
    heard = place.folder / "heard"
    place.configure("homelab.notify", f"env >{heard}.env; cat >{heard}.new; mv {heard}.new {heard}")
    place.configure("homelab.target", "main")
    place.configure("homelab.postPush", "background")
    place.git.plan.on_push = lambda update: _red(place, update)
    place.known = place.files()
    pushed = _git(place, "push", "origin", "HEAD:main")
    assert pushed.code == 0, pushed
    wait_until(heard.exists)
    wait_until(lambda: '"state": "ended"' in "".join(path.read_text() for path in _watches(place).glob("*.json")))
    assert CI.core.encode() not in heard.read_bytes()
    assert place.files() - place.known == set()
    modes = {path.stat().st_mode & 0o077 for path in _watches(place).iterdir()}
    assert modes == {0}
    by_us = [start for start in place.spies.starts() if b"credential" in start.words or b"ls-remote" in start.words]
    assert {core for start in by_us for _, core in variables_with(start.environ)} <= {URL.core}
    assert found_in((place.folder / "heard.env").read_bytes()) == []


def test_a_push_by_url_and_its_waiter_give_nothing_away(place: Place) -> None:
    """The waiter is told the URL, which has a password: by a variable that nobody whom it starts inherits."""
    url = place.url.replace("ann:", "bob:")  # no remote's own, which would be told by its name
    place.git.plan.credentials = f"bob:{URL.value}"
    hook = 'exec homelab hooks post-push --output plain "$@" >&2'
    place.workshop.write_hook("pre-push", hook, where=place.clone.path / ".git/hooks")
    heard = place.folder / "kept/heard"
    heard.parent.mkdir()
    told = (
        f"env >{heard}.env; tr '\\0' '\\n' </proc/$PPID/cmdline >{heard}.argv; cat >{heard}.new; mv {heard}.new {heard}"
    )
    place.configure("homelab.notify", told)
    place.configure("homelab.target", "main")
    place.git.plan.on_push = lambda update: _red(place, update)
    place.known = place.files()
    pushed = _git(place, "push", url, "HEAD:main")
    assert pushed.code == 0, pushed
    wait_until(heard.exists)
    assert b"waiter" in (heard.parent / "heard.argv").read_bytes()
    assert {name: found_in((heard.parent / name).read_bytes()) for name in ("heard", "heard.env", "heard.argv")} == {
        "heard": [], "heard.env": [], "heard.argv": [],
    }  # fmt: skip
    assert place.files() - place.known == set()


def _red(place: Place, update: PushedRef) -> None:
    said = f"{CI.value} {VAULT.value}"
    place.site.push("acme/app", "main", update.new, timelines.make_red(log=[said], error=said), after=-60.0)


def _watches(place: Place) -> Path:
    return place.clone.path / ".git/homelab/watches"


def _git(place: Place, *words: str) -> Ended:
    known = {name: value for name, value in place.shell.more.items() if name != "HOMELAB_NO_WATCH"}
    assert set(TOKENS) <= set(known)
    return Shell(place.shell.environ, place.clone.path, known)("/usr/bin/env", "git", *words)
