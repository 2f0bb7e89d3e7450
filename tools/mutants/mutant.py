"""A row of the mutation register."""

from __future__ import annotations

from typing import NamedTuple

ATTACK = "tests/security/test_hostile_repository.py"
ENDS = "tests/security/test_ends.py"
OUTCOMES = "tests/security/test_outcomes.py"
REQUESTS = "tests/security/test_requests.py"


class Change(NamedTuple):
    """A text in a file of the package, and the text that replaces it in the mutation."""

    file: str
    text: str
    instead: str


class Defence(NamedTuple):
    """One defence: a sentence, its mutation, and the tests; at least one of them must fail without the defence."""

    name: str
    what: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]


def canary_test(case: str) -> str:
    """The test of one case of the canaries: `work land-landed-json`."""
    return f"{OUTCOMES}::test_no_canary_is_given_away[{case}]"
