"""What a push came to, read from what real servers and git said."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.git.push import Kind, read

RECORDINGS = Path(__file__).parent.parent / "recordings" / "git-push"
REF = "refs/heads/main"
ZERO = "0" * 40

# The outcome that each recording's note implies, for the ref that the case is about.
IMPLIED: dict[str, Kind] = {
    "03a": Kind.LOST_RACE, "03b": Kind.LOST_RACE, "03c": Kind.LOST_RACE, "03d": Kind.LOST_RACE,
    "04-": Kind.PROTECTED, "04b": Kind.PROTECTED, "04c": Kind.PROTECTED, "04e": Kind.PROTECTED,
    "04f": Kind.REFUSED, "04g": Kind.REFUSED, "04h": Kind.REFUSED, "04i": Kind.REFUSED, "04j": Kind.REFUSED,
    "05b": Kind.PROTECTED, "05c": Kind.PROTECTED, "06-": Kind.REFUSED,
    "07-": Kind.DENIED, "07a": Kind.DENIED, "07b": Kind.DENIED, "07c": Kind.DENIED, "07d": Kind.DENIED,
    "07e": Kind.DENIED, "07h": Kind.DENIED,
    "08a": Kind.REFUSED, "08b": Kind.REFUSED, "08e": Kind.PROTECTED,
    "09a": Kind.REFUSED, "09b": Kind.REFUSED, "09d": Kind.UNREACHABLE, "10-": Kind.REFUSED, "10b": Kind.REFUSED,
    "11a": Kind.REFUSED, "11b": Kind.REFUSED, "11c": Kind.REFUSED, "11d": Kind.REFUSED, "11f": Kind.PROTECTED,
    "12a": Kind.LOST_RACE, "12b": Kind.LOST_RACE, "12d": Kind.LOST_RACE, "12f": Kind.LOST_RACE,
    "14e": Kind.REFUSED, "14g": Kind.REFUSED, "15c": Kind.REFUSED, "15e": Kind.REFUSED, "15h": Kind.REFUSED,
    "16a": Kind.REFUSED, "16b": Kind.PROTECTED, "16c": Kind.PROTECTED, "16d": Kind.LOST_RACE,
    "16e": Kind.LOST_RACE, "16f": Kind.LOST_RACE,
    "17a": Kind.LOST_RACE, "17b": Kind.PROTECTED, "17c": Kind.DENIED, "17d": Kind.REFUSED,
}  # fmt: skip
BY_TRANSPORT = {
    ("08c", "http"): Kind.REFUSED,  # looks missing
    ("08c", "http-helper"): Kind.REFUSED,
    ("08c", "ssh"): Kind.DENIED,
    ("08d", "ssh"): Kind.DENIED,
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
    implied = BY_TRANSPORT.get((case, row["transport"])) or IMPLIED.get(case, Kind.LANDED)
    outcome = read(row["exit"], row["stdout"], row["stderr"], ref=target(row))
    assert outcome.kind is implied, row["note"]
    assert (row["exit"] == 0) == (implied is Kind.LANDED)
    assert all(not line.startswith("hint:") and line == line.strip() for line in outcome.said)


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
    assert why in read(code, out, err, ref=REF).why


def test_a_second_ref_of_the_same_push_is_read_by_itself() -> None:
    """One was refused by a hook, the other landed, and git ended with 1 for both."""
    outcome = read(*said("11d"), ref="refs/heads/other")
    assert outcome.kind is Kind.LANDED
    assert not outcome.sure


def test_the_link_to_a_pull_request_is_taken_from_what_the_server_said() -> None:
    assert read(*said("14a"), ref="refs/heads/x").link.startswith("http://git.example.test/acme/")
    assert "/pulls/" in read(*said("14b"), ref="refs/heads/x").link


def test_a_server_that_refuses_our_own_commit_has_it() -> None:
    """A push that was sent again because its answer was lost."""
    mine, old = "a" * 40, "b" * 40
    err = f"remote: error: cannot lock ref '{REF}': is at {mine} but expected {old}        \n"
    line = f"!\t{mine}:{REF}\t[remote rejected] (failed to update ref)\n"
    assert read(1, line, err, ref=REF, sha=mine).kind is Kind.LANDED
    assert read(1, line, err, ref=REF, sha="c" * 40).kind is Kind.LOST_RACE


def rejected(reason: str) -> str:
    return f"To x\n!\t{ZERO}:{REF}\t{reason}\nDone\n"


@pytest.mark.parametrize(
    ("code", "out", "err", "kind"),
    [
        (1, rejected("[remote rejected] (protected branch hook declined)"),
         "remote: error: GH006: Protected branch update failed for refs/heads/main.\n", Kind.PROTECTED),
        (1, rejected("[remote rejected] (push declined due to repository rule violations)"),
         "remote: error: GH013: Repository rule violations found for refs/heads/main.\n", Kind.PROTECTED),
        (1, rejected("[remote rejected] (pre-receive hook declined)"),
         "remote: GitLab: You are not allowed to push code to protected branches on this project.\n", Kind.PROTECTED),
        (1, rejected("[remote rejected] (pre-receive hook declined)"),
         "remote: Forgejo: Not allowed to push to protected branch main\n", Kind.PROTECTED),
        (1, rejected("[remote rejected] (failed to update ref)"),
         f"remote: error: cannot lock ref '{REF}': Unable to create '/r/{REF}.lock': File exists.\n", Kind.REF_LOCKED),
        (1, rejected("[remote rejected] (incorrect old value provided)"), "", Kind.LOST_RACE),
        (1, rejected("[remote rejected] (reference already exists)"), "", Kind.LOST_RACE),
        (1, rejected("[remote rejected] (branch is currently checked out)"), "", Kind.REFUSED),
        (1, rejected("[remote rejected] (non-fast-forward)"), "", Kind.REFUSED),
        (1, rejected("[remote rejected] (shallow update not allowed)"), "", Kind.REFUSED),
        (1, rejected("[remote failure] (remote failed to report status)"), "", Kind.UNKNOWN),
        (1, "", "the tests failed\nfatal: not today\nerror: failed to push some refs to 'x'\n", Kind.LOCAL_HOOK),
        (1, "linting\nfailed\n", "error: failed to push some refs to 'x'\n", Kind.LOCAL_HOOK),
        (1, "", "error: failed to push some refs to 'x'\n", Kind.LOCAL_HOOK),
        (1, "", "error: RPC failed; curl 52 Empty reply from server\nfatal: the remote end hung up unexpectedly\n",
         Kind.UNKNOWN),
        (128, "", "error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\n", Kind.UNKNOWN),
        (128, "", "fatal: the remote end hung up unexpectedly\n", Kind.UNKNOWN),
        (-9, "", "", Kind.UNKNOWN),
        (-2, "", "", Kind.UNKNOWN),
        (128, "", "fatal: unable to access 'x': The requested URL returned error: 503\n", Kind.UNREACHABLE),
        (128, "", "fatal: unable to access 'x': The requested URL returned error: 429\n", Kind.UNREACHABLE),
        (128, "", "fatal: unable to access 'x': Could not resolve host: git.example.test\n", Kind.UNREACHABLE),
        (128, "", "ssh: connect to host h port 22: Connection refused\nfatal: Could not read\n", Kind.UNREACHABLE),
        (128, "", "fatal: the receiving end does not support push options\n", Kind.REFUSED),
        (128, "", "fatal: '/nowhere' does not appear to be a git repository\n", Kind.REFUSED),
        (1, f" \t{ZERO}:{REF}\t1..2\nDone\n", "error: remote unpack failed\n", Kind.LANDED),
    ],
)  # fmt: skip
def test_what_other_forges_and_git_itself_say_is_told_apart(code: int, out: str, err: str, kind: Kind) -> None:
    assert read(code, out, err, ref=REF).kind is kind


def test_git_that_ends_well_without_a_word_about_the_ref_makes_no_landing_certain() -> None:
    """A setting may have made it push something else, or nothing: the server is asked."""
    assert not read(*said("16h"), ref=REF).sure
    assert read(*said("01-"), ref=REF).sure


def test_words_of_the_server_cannot_reach_the_terminal_as_commands() -> None:
    err = "remote: error: no\x1b]0;owned\x07 way\u202e https://bob:pw@h/x\n"
    (line,) = read(1, rejected("[remote rejected] (hook declined)"), err, ref=REF).said
    assert line == "remote: error: no way https://h/x"


def test_a_hook_that_prints_what_git_prints_makes_no_landing_certain() -> None:
    """A pre-push hook's standard output arrives among git's own lines."""
    outcome = read(1, f" \t{ZERO}:{REF}\t1..2\nDone\n", "error: failed to push some refs to 'x'\n", ref=REF)
    assert not outcome.sure
