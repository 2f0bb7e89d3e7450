"""The result of a push, parsed from the output of real servers and git."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.git.push_result import PushStatus, parse_push_output

RECORDINGS = Path(__file__).parent.parent / "recordings" / "git-push"
REF = "refs/heads/main"
ZERO = "0" * 40

# The outcome that each recording's note implies, for the ref that the case is about.
IMPLIED: dict[str, PushStatus] = {
    "03a": PushStatus.LOST_RACE,
    "03b": PushStatus.LOST_RACE,
    "03c": PushStatus.LOST_RACE,
    "03d": PushStatus.LOST_RACE,
    "04-": PushStatus.PROTECTED,
    "04b": PushStatus.PROTECTED,
    "04c": PushStatus.PROTECTED,
    "04e": PushStatus.PROTECTED,
    "04f": PushStatus.REFUSED,
    "04g": PushStatus.REFUSED,
    "04h": PushStatus.REFUSED,
    "04i": PushStatus.REFUSED,
    "04j": PushStatus.REFUSED,
    "05b": PushStatus.PROTECTED,
    "05c": PushStatus.PROTECTED,
    "06-": PushStatus.REFUSED,
    "07-": PushStatus.DENIED,
    "07a": PushStatus.DENIED,
    "07b": PushStatus.DENIED,
    "07c": PushStatus.DENIED,
    "07d": PushStatus.DENIED,
    "07e": PushStatus.DENIED,
    "07h": PushStatus.DENIED,
    "08a": PushStatus.REFUSED,
    "08b": PushStatus.REFUSED,
    "08e": PushStatus.PROTECTED,
    "09a": PushStatus.REFUSED,
    "09b": PushStatus.REFUSED,
    "09d": PushStatus.UNREACHABLE,
    "10-": PushStatus.REFUSED,
    "10b": PushStatus.REFUSED,
    "11a": PushStatus.REFUSED,
    "11b": PushStatus.REFUSED,
    "11c": PushStatus.REFUSED,
    "11d": PushStatus.REFUSED,
    "11f": PushStatus.PROTECTED,
    "12a": PushStatus.LOST_RACE,
    "12b": PushStatus.LOST_RACE,
    "12d": PushStatus.LOST_RACE,
    "12f": PushStatus.LOST_RACE,
    "14e": PushStatus.REFUSED,
    "14g": PushStatus.REFUSED,
    "15c": PushStatus.REFUSED,
    "15e": PushStatus.REFUSED,
    "15h": PushStatus.REFUSED,
    "16a": PushStatus.REFUSED,
    "16b": PushStatus.PROTECTED,
    "16c": PushStatus.PROTECTED,
    "16d": PushStatus.LOST_RACE,
    "16e": PushStatus.LOST_RACE,
    "16f": PushStatus.LOST_RACE,
    "17a": PushStatus.LOST_RACE,
    "17b": PushStatus.PROTECTED,
    "17c": PushStatus.DENIED,
    "17d": PushStatus.REFUSED,
}
BY_TRANSPORT = {
    ("08c", "http"): PushStatus.REFUSED,  # looks missing
    ("08c", "http-helper"): PushStatus.REFUSED,
    ("08c", "ssh"): PushStatus.DENIED,
    ("08d", "ssh"): PushStatus.DENIED,
}


def recordings() -> list[dict[str, Any]]:
    with gzip.open(RECORDINGS / "gitea-1.27.3.json.gz", "rt", encoding="utf-8") as file:
        found: list[dict[str, Any]] = json.load(file)["recordings"]
    return found


def target(row: dict[str, Any]) -> str:
    """The full name of the ref that a recorded push is about: the first it names."""
    words = [word for word in row["args"] if not word.startswith("-")]
    name = words[words.index("origin") + 1].rpartition(":")[2]
    if name.startswith("refs/"):
        return str(name)
    return f"refs/tags/{name}" if re.fullmatch(r"v[\d.]+", name) else f"refs/heads/{name}"


ROWS = recordings()


def test_there_are_as_many_recordings_as_were_made() -> None:
    assert len(ROWS) == 187


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['case']}-{row['transport']}" for row in ROWS])
def test_a_recorded_push_has_the_outcome_that_its_note_implies(row: dict[str, Any]) -> None:
    case = row["case"][:3]
    implied = BY_TRANSPORT.get((case, row["transport"])) or IMPLIED.get(case, PushStatus.ACCEPTED)
    outcome = parse_push_output(row["exit"], row["stdout"], row["stderr"], ref=target(row))
    assert outcome.status is implied, row["note"]
    assert (row["exit"] == 0) == (implied is PushStatus.ACCEPTED)
    assert all(not line.startswith("hint:") and line == line.strip() for line in outcome.output)


def said(case: str, transport: str = "http") -> tuple[int, str, str]:
    row = next(row for row in ROWS if row["case"].startswith(case) and row["transport"] == transport)
    return row["exit"], row["stdout"], row["stderr"]


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("04-", "Not allowed to push to protected branch main"),
        ("04i", "Internal Server Error (no message for end users)"),
        ("06-", "branch main is protected from changing file .woodpecker/build.yaml"),
        ("08a", "User permission denied for writing."),
        ("10-", "This repo is archived."),
        ("11a", "policy: tickets must be referenced (stderr)"),
        ("11b", "pre-receive hook declined"),
        ("16a", "pack exceeds maximum allowed size"),
    ],
)
def test_a_refusal_keeps_the_words_of_the_server(case: str, why: str) -> None:
    code, out, err = said(case)
    assert why in parse_push_output(code, out, err, ref=REF).reason


def test_a_second_ref_of_the_same_push_is_read_by_itself() -> None:
    """One was refused by a hook, the other landed, and git ended with 1 for both."""
    outcome = parse_push_output(*said("11d"), ref="refs/heads/other")
    assert outcome.status is PushStatus.ACCEPTED
    assert not outcome.confirmed


def test_the_link_to_a_pull_request_is_taken_from_what_the_server_said() -> None:
    assert parse_push_output(*said("14a"), ref="refs/heads/x").link.startswith("http://git.example.test/acme/")
    assert "/pulls/" in parse_push_output(*said("14b"), ref="refs/heads/x").link


def test_a_server_that_refuses_our_own_commit_has_it() -> None:
    """A push that was sent again because its answer was lost."""
    mine, old = "a" * 40, "b" * 40
    err = f"remote: error: cannot lock ref '{REF}': is at {mine} but expected {old}        \n"
    line = f"!\t{mine}:{REF}\t[remote rejected] (failed to update ref)\n"
    assert parse_push_output(1, line, err, ref=REF, sha=mine).status is PushStatus.ACCEPTED
    assert parse_push_output(1, line, err, ref=REF, sha="c" * 40).status is PushStatus.LOST_RACE


def rejected(reason: str) -> str:
    return f"To x\n!\t{ZERO}:{REF}\t{reason}\nDone\n"


@pytest.mark.parametrize(
    ("code", "out", "err", "kind"),
    [
        (
            1,
            rejected("[remote rejected] (protected branch hook declined)"),
            "remote: error: GH006: Protected branch update failed for refs/heads/main.\n",
            PushStatus.PROTECTED,
        ),
        (
            1,
            rejected("[remote rejected] (push declined due to repository rule violations)"),
            "remote: error: GH013: Repository rule violations found for refs/heads/main.\n",
            PushStatus.PROTECTED,
        ),
        (
            1,
            rejected("[remote rejected] (pre-receive hook declined)"),
            "remote: GitLab: You are not allowed to push code to protected branches on this project.\n",
            PushStatus.PROTECTED,
        ),
        (
            1,
            rejected("[remote rejected] (pre-receive hook declined)"),
            "remote: Forgejo: Not allowed to push to protected branch main\n",
            PushStatus.PROTECTED,
        ),
        (
            1,
            rejected("[remote rejected] (failed to update ref)"),
            f"remote: error: cannot lock ref '{REF}': Unable to create '/r/{REF}.lock': File exists.\n",
            PushStatus.REF_LOCKED,
        ),
        (1, rejected("[remote rejected] (incorrect old value provided)"), "", PushStatus.LOST_RACE),
        (1, rejected("[remote rejected] (reference already exists)"), "", PushStatus.LOST_RACE),
        (1, rejected("[remote rejected] (branch is currently checked out)"), "", PushStatus.REFUSED),
        (1, rejected("[remote rejected] (non-fast-forward)"), "", PushStatus.REFUSED),
        (1, rejected("[remote rejected] (shallow update not allowed)"), "", PushStatus.REFUSED),
        (1, rejected("[remote failure] (remote failed to report status)"), "", PushStatus.UNKNOWN),
        (1, "", "the tests failed\nfatal: not today\nerror: failed to push some refs to 'x'\n", PushStatus.LOCAL_HOOK),
        (1, "linting\nfailed\n", "error: failed to push some refs to 'x'\n", PushStatus.LOCAL_HOOK),
        (1, "", "error: failed to push some refs to 'x'\n", PushStatus.LOCAL_HOOK),
        (
            1,
            "",
            "error: RPC failed; curl 52 Empty reply from server\nfatal: the remote end hung up unexpectedly\n",
            PushStatus.UNKNOWN,
        ),
        (128, "", "error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\n", PushStatus.UNKNOWN),
        (128, "", "fatal: the remote end hung up unexpectedly\n", PushStatus.UNKNOWN),
        (-9, "", "", PushStatus.UNKNOWN),
        (-2, "", "", PushStatus.UNKNOWN),
        (128, "", "fatal: unable to access 'x': The requested URL returned error: 503\n", PushStatus.UNREACHABLE),
        (128, "", "fatal: unable to access 'x': The requested URL returned error: 429\n", PushStatus.UNREACHABLE),
        (128, "", "fatal: unable to access 'x': Could not resolve host: git.example.test\n", PushStatus.UNREACHABLE),
        (
            128,
            "",
            "ssh: connect to host h port 22: Connection refused\nfatal: Could not read\n",
            PushStatus.UNREACHABLE,
        ),
        (128, "", "fatal: the receiving end does not support push options\n", PushStatus.REFUSED),
        (128, "", "fatal: '/nowhere' does not appear to be a git repository\n", PushStatus.REFUSED),
        (1, f" \t{ZERO}:{REF}\t1..2\nDone\n", "error: remote unpack failed\n", PushStatus.ACCEPTED),
    ],
)
def test_what_other_forges_and_git_itself_say_is_distinguished(code: int, out: str, err: str, kind: PushStatus) -> None:
    assert parse_push_output(code, out, err, ref=REF).status is kind


def test_a_web_server_that_is_not_gits_is_no_refusal_of_a_hook() -> None:
    """As a captive portal; git then falls back to plain HTTP (measured with git 2.39)."""
    err = "error: Cannot access URL https://h.test/a.git/, return code 22\nfatal: git-http-push failed\n"
    found = parse_push_output(1, "", err, ref="refs/heads/m")
    assert (found.status, "not from a git server" in found.hint) == (PushStatus.REFUSED, True)


def test_git_that_ends_well_without_a_word_about_the_ref_makes_no_landing_certain() -> None:
    """A setting may have made it push something else, or nothing: the server is asked."""
    assert not parse_push_output(*said("16h"), ref=REF).confirmed
    assert parse_push_output(*said("01-"), ref=REF).confirmed


def test_words_of_the_server_cannot_reach_the_terminal_as_commands() -> None:
    err = "remote: error: no\x1b]0;owned\x07 way\u202e https://bob:pw@h/x\n"
    (line,) = parse_push_output(1, rejected("[remote rejected] (hook declined)"), err, ref=REF).output
    assert line == "remote: error: no way https://h/x"


def test_a_hook_that_prints_what_git_prints_makes_no_landing_certain() -> None:
    """A pre-push hook's standard output arrives among git's own lines."""
    outcome = parse_push_output(
        1, f" \t{ZERO}:{REF}\t1..2\nDone\n", "error: failed to push some refs to 'x'\n", ref=REF
    )
    assert not outcome.confirmed


@pytest.mark.parametrize(
    ("err", "reason"),
    [
        ("remote: no changes on Fridays\nremote: fatal: ref updates aborted by hook\n", "no changes on Fridays"),
        ("fatal: ref updates aborted by hook\n", "fatal: ref updates aborted by hook"),
    ],
)
def test_a_reference_transaction_hook_of_the_server_refuses(err: str, reason: str) -> None:
    """The server dies without an answer for the ref, so it is queried; the push is not repeated."""
    end = "send-pack: unexpected disconnect while reading sideband packet\nfatal: the remote end hung up unexpectedly\n"
    found = parse_push_output(128, "", err + end, ref=REF)
    assert (found.status, found.reason, found.may_have_arrived) == (PushStatus.REFUSED, reason, True)


@pytest.mark.parametrize(
    ("feature", "setting"), [("push options", "push.pushOption"), ("--signed push", "push.gpgSign")]
)
def test_what_a_setting_asks_of_the_server_is_unset_here(feature: str, setting: str) -> None:
    found = parse_push_output(128, "", f"fatal: the receiving end does not support {feature}\n", ref=REF)
    assert (found.status, setting in found.hint) == (PushStatus.REFUSED, True)
