"""Canaries in endings that no case reaches: signals, an internal error, a plain push and its background watcher."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from homelab_hooks.simulators.git_http import PushedRef
from homelab_hooks.simulators.woodpecker import timelines
from tests.cli.shell import CommandResult, Shell
from tests.security.canaries import CI, URL, VAULT, found_in, variables_with
from tests.security.canary_clone import TOKENS, CanarySandbox
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
session.config({{}})
sys.exit(session.run_guarded(inner))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("argv", "at"),
    [
        (("homelab-watch", "--output", "plain"), b"to resume"),
        (("git-land", "--output", "plain", "--verify-cmd", f"git remote -v; env; echo begun; {FOREVER}"), b"begun"),
    ],
    ids=["watch", "land"],
)
def test_an_interruption_gives_nothing_away(
    sandbox: CanarySandbox, number: signal.Signals, argv: tuple[str, ...], at: bytes
) -> None:
    sandbox.pipeline(timelines.make_stuck())
    ended = sandbox.interrupted(number, *argv, at=at)
    assert ended.code == 128 + number, ended
    assert sandbox.gave_away(ended) == []


@pytest.mark.parametrize("view", ["plain", "json", "live"])
def test_an_internal_error_gives_nothing_away_in_its_traceback(sandbox: CanarySandbox, view: str) -> None:
    """Its message, and that of its cause, may hold anything."""
    sandbox.shell.more["HOMELAB_DEBUG"] = "1"
    program = sandbox.folder / "kept/fault.py"
    program.parent.mkdir()
    program.write_text(FAULT.format(secret=CI.value, url=f"https://ann:{URL.in_url}@git.example.test/x"))
    ended = sandbox.on_terminal(sys.executable, str(program), view)
    assert ended.code == 8, ended
    assert "Traceback" in ended.err
    assert "RuntimeError" in ended.err
    assert [line for line in ended.err.splitlines() if "secret" not in line and found_in(line.encode())] == []
    assert sandbox.gave_away(ended) == []


def test_the_state_of_a_landing_has_no_password_and_is_its_users_alone(sandbox: CanarySandbox) -> None:
    """A conflict leaves it; a resumed landing reads the password from git's settings again."""
    sandbox.configure("branch.topic.pushRemote", sandbox.url)
    sandbox.configure("homelab.target", "main")
    bob = sandbox.workshop.clone("bob")
    bob.commit("a", "theirs\n")
    bob.git("push", "--quiet", "origin", "HEAD:main")
    sandbox.known = sandbox.files()
    land = ("git-land", "--no-ci-watch", "--verify-cmd", "true")
    assert sandbox.shell(*land).code == 21
    state = sandbox.clone.path / ".git/homelab/land.json"
    assert state.stat().st_mode & 0o777 == 0o600
    assert sandbox.gave_away() == []
    sandbox.clone.write("a", "both\n")
    sandbox.clone.git("add", "a")
    ended = sandbox.shell("git-land", "--continue", "--no-ci-watch")
    assert ended.code == 0, ended
    assert sandbox.workshop.server_commit() == sandbox.clone.head
    assert sandbox.gave_away(ended) == []


def test_a_plain_push_and_its_watcher_give_nothing_away(sandbox: CanarySandbox) -> None:
    """Our hooks and the background watcher keep our tokens because they watch; the files they write have none."""
    shell = sandbox.shell
    assert shell("homelab", "hooks", "install").code == 0
    heard = sandbox.folder / "heard"
    sandbox.configure("homelab.notify", f"env >{heard}.env; cat >{heard}.new; mv {heard}.new {heard}")
    sandbox.configure("homelab.target", "main")
    sandbox.configure("homelab.postPush", "background")
    sandbox.git.plan.on_push = lambda update: _red(sandbox, update)
    sandbox.known = sandbox.files()
    pushed = _git(sandbox, "push", "origin", "HEAD:main")
    assert pushed.code == 0, pushed
    wait_until(heard.exists)
    wait_until(lambda: '"state": "ended"' in "".join(path.read_text() for path in _watches(sandbox).glob("*.json")))
    assert CI.core.encode() not in heard.read_bytes()
    assert sandbox.files() - sandbox.known == set()
    modes = {path.stat().st_mode & 0o077 for path in _watches(sandbox).iterdir()}
    assert modes == {0}
    by_us = [start for start in sandbox.spies.starts() if b"credential" in start.words or b"ls-remote" in start.words]
    assert {core for start in by_us for _, core in variables_with(start.environ)} <= {URL.core}
    assert found_in((sandbox.folder / "heard.env").read_bytes()) == []


def test_a_push_by_url_and_its_watcher_give_nothing_away(sandbox: CanarySandbox) -> None:
    """The background watcher gets the URL, which has a password, in a variable that its children do not inherit."""
    url = sandbox.url.replace("ann:", "bob:")  # no remote's own, which would be told by its name
    sandbox.git.plan.credentials = f"bob:{URL.value}"
    hook = 'exec homelab hooks post-push --output plain "$@" >&2'
    sandbox.workshop.write_hook("pre-push", hook, where=sandbox.clone.path / ".git/hooks")
    heard = sandbox.folder / "kept/heard"
    heard.parent.mkdir()
    told = (
        f"env >{heard}.env; tr '\\0' '\\n' </proc/$PPID/cmdline >{heard}.argv; cat >{heard}.new; mv {heard}.new {heard}"
    )
    sandbox.configure("homelab.notify", told)
    sandbox.configure("homelab.target", "main")
    sandbox.git.plan.on_push = lambda update: _red(sandbox, update)
    sandbox.known = sandbox.files()
    pushed = _git(sandbox, "push", url, "HEAD:main")
    assert pushed.code == 0, pushed
    wait_until(heard.exists)
    assert b"watcher" in (heard.parent / "heard.argv").read_bytes()
    assert {name: found_in((heard.parent / name).read_bytes()) for name in ("heard", "heard.env", "heard.argv")} == {
        "heard": [], "heard.env": [], "heard.argv": [],
    }  # fmt: skip
    assert sandbox.files() - sandbox.known == set()


def _red(sandbox: CanarySandbox, update: PushedRef) -> None:
    said = f"{CI.value} {VAULT.value}"
    sandbox.woodpecker.push("acme/app", "main", update.new, timelines.make_red(log=[said], error=said), after=-60.0)


def _watches(sandbox: CanarySandbox) -> Path:
    return sandbox.clone.path / ".git/homelab/watches"


def _git(sandbox: CanarySandbox, *words: str) -> CommandResult:
    known = {name: value for name, value in sandbox.shell.more.items() if name != "HOMELAB_NO_WATCH"}
    assert set(TOKENS) <= set(known)
    return Shell(sandbox.shell.environ, sandbox.clone.path, known)("/usr/bin/env", "git", *words)
