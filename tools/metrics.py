"""Prints the house's six numbers beside their goals; ends with 1 where one is missed: `python -m tools.metrics`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.test_house import LARGEST, LONGEST, MOST_ARE_UNDER, effects, lengths, most, patches, sizes, wrong_way
from tools.docs import modules

DOORS = 5
SECONDS = 40
"""for format, lint, types and the fast tests, on two cores; style.md wishes for 30"""


def main(argv: Sequence[str]) -> int:
    """Print them; the seconds of the check are given by whoever ran it."""
    known = lengths()
    rows = [
        ("patches in tests", len(patches()), 0),
        ("rooms that reach out", len({where for _, _, where in effects()} | {"world", "terminal"}), DOORS),
        ("longest function", known[-1][0], LONGEST),
        ("nine of ten functions", most(known), MOST_ARE_UNDER),
        ("largest file", max(sizes().values()), LARGEST),
        ("imports up or sideways", sum(1 for path in modules() for _ in wrong_way(path)), 0),
        *[("seconds of the check", int(text), SECONDS) for text in argv],
    ]
    for name, found, goal in rows:
        sys.stdout.write(f"{name:<24}{found:>5}  (at most {goal}){'' if found <= goal else '  MISSED'}\n")
    return int(any(found > goal for _, found, goal in rows[:6]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
