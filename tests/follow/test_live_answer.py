"""What an answer shows about a commit."""

from __future__ import annotations

import json

import pytest

from homelab_hooks.follow.live_answer import read_answer
from homelab_hooks.git.containment import Containment
from homelab_hooks.net.live import Shown
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind

SHA, NEWER, OLDER, FOREIGN = "9f2c1d0a" * 5, "b" * 40, "c" * 40, "d" * 40
KNOWN = {NEWER: Containment.CONTAINS, OLDER: Containment.NOT_CONTAINED}


def compare(name: str) -> Containment:
    """The local repository, which knows abbreviated names too."""
    return next((found for sha, found in KNOWN.items() if sha.startswith(name)), Containment.UNKNOWN)


def shown(body: str | bytes, *path: str, status: int = 200) -> Shown:
    content = body if isinstance(body, bytes) else body.encode()
    return read_answer(HttpResponse(status, {}, content, 0.1), sha=SHA, path=path, compare=compare).shown


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (SHA, Shown.OURS),
        (SHA[:7], Shown.OURS),
        (f"v1.4.2-{SHA[:8]}", Shown.OURS),
        (f"v1.4.2-g{SHA[:8]}\n", Shown.OURS),
        (f'<meta name="commit" content="{SHA}">', Shown.OURS),
        (f"{OLDER} {SHA}", Shown.OURS),
        (NEWER, Shown.OURS),
        (NEWER[:9], Shown.OURS),
        (OLDER, Shown.OTHER),
        (OLDER[:8], Shown.OTHER),
        (FOREIGN, Shown.OTHER),
        (FOREIGN[:8], Shown.NAMELESS),
        (SHA[:6], Shown.NAMELESS),
        (SHA.upper(), Shown.NAMELESS),
        (f"x{SHA[:8]}", Shown.NAMELESS),
        (f"{SHA}00", Shown.NAMELESS),
        ("hello", Shown.NAMELESS),
        ("", Shown.NAMELESS),
        (b"\xff\xfe\0", Shown.NAMELESS),
    ],
)
def test_a_body_names_a_commit(body: str | bytes, expected: Shown) -> None:
    assert shown(body) is expected


@pytest.mark.parametrize(
    ("value", "path", "expected"),
    [
        ({"build": {"commit": SHA}}, ("build", "commit"), Shown.OURS),
        ({"builds": [{"sha": SHA[:10]}]}, ("builds", "0", "sha"), Shown.OURS),
        ({"commit": FOREIGN[:8]}, ("commit",), Shown.OTHER),
        ({"commit": OLDER, "other": SHA}, ("commit",), Shown.OTHER),
        ({"commit": "unknown"}, ("commit",), Shown.NAMELESS),
        ({"commit": None}, ("commit",), Shown.NAMELESS),
        ({"commit": True}, ("commit",), Shown.NAMELESS),
        ({"commit": [SHA]}, ("commit",), Shown.NAMELESS),
        ({"commit": SHA}, ("build", "commit"), Shown.NAMELESS),
        ([SHA], ("1",), Shown.NAMELESS),
        ([SHA], ("-1",), Shown.NAMELESS),
        (SHA, ("commit",), Shown.NAMELESS),
        ({"number": 1234567}, ("number",), Shown.OTHER),
        ({"version": f"v1.4-3-g{SHA[:8]}"}, ("version",), Shown.OURS),
        ({"version": f"v1.4-3-g{SHA[:8]}-dirty"}, ("version",), Shown.NAMELESS),
    ],
)
def test_a_json_value_names_a_commit(value: object, path: tuple[str, ...], expected: Shown) -> None:
    assert shown(json.dumps(value), *path) is expected


@pytest.mark.parametrize("body", ["{", "[" * 100_000, "<html>", ""])
def test_what_is_no_json_names_nothing(body: str) -> None:
    assert shown(body, "commit") is Shown.NAMELESS


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, Shown.NAMELESS), (401, Shown.NAMELESS), (302, Shown.NAMELESS), (500, Shown.SILENT), (503, Shown.SILENT)],
)
def test_a_status_without_an_answer_names_nothing_whatever_its_body_says(status: int, expected: Shown) -> None:
    assert shown(SHA, status=status) is expected


def test_no_answer_is_silence_and_a_value_from_outside_reaches_no_terminal_raw() -> None:
    failed = RequestFailed(FailureKind.CONNECTION, "connection refused")
    assert read_answer(failed, sha=SHA, path=(), compare=compare) == (Shown.SILENT, "connection refused")
    body = json.dumps({"commit": "\x1b[2J" + "x" * 500}).encode()
    seen = read_answer(HttpResponse(200, {}, body, 0.1), sha=SHA, path=("commit",), compare=compare).seen
    assert "\x1b" not in seen
    assert len(seen) < 120
