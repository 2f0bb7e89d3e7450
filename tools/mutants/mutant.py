"""What a row of the register says."""

from __future__ import annotations

from typing import NamedTuple

ATTACK = "tests/security/test_hostile_repository.py"
ENDS = "tests/security/test_ends.py"
OUTCOMES = "tests/security/test_outcomes.py"
REQUESTS = "tests/security/test_requests.py"


class Change(NamedTuple):
    """A text of a file of the package's, and what stands instead when the defence is taken out."""

    file: str
    text: str
    instead: str


class Defence(NamedTuple):
    """One defence: in a sentence, where it is, and the tests of which one must fail without it."""

    name: str
    what: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]


def told(case: str) -> str:
    """The test of one case of the canaries: `work land-landed-json`."""
    return f"{OUTCOMES}::test_no_canary_is_given_away[{case}]"
