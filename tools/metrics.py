"""Prints the architecture's metrics beside their limits and ends with 1 if one is missed: `python -m tools.metrics`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.test_house import (
    LARGEST,
    LONGEST,
    MOST_ARE_UNDER,
    cycles,
    effects,
    lengths,
    most,
    patches,
    several_meanings,
    sizes,
    unnamed_numbers,
    wrong_way,
)
from tools.docs import modules

MAX_EFFECT_PACKAGES = 3
"""app reads the environment, system and net do the rest"""
MAX_CHECK_S = 45
"""for format, lint, types and the fast tests on two quick, idle cores; missing it is reported, and is not a failure"""


def main(argv: Sequence[str]) -> int:
    """Print them; `argv` may hold the seconds that the check took."""
    known = lengths()
    rows = [
        ("patches in tests", len(patches()), 0),
        ("packages with an effect", len({where for _, _, where in effects()} | {"app"}), MAX_EFFECT_PACKAGES),
        ("longest function", known[-1][0], LONGEST),
        ("90th percentile", most(known), MOST_ARE_UNDER),
        ("largest file", max(sizes().values()), LARGEST),
        ("imports up or sideways", sum(1 for path in modules() for _ in wrong_way(path)), 0),
        ("package cycles", len(cycles()), 0),
        ("class names used twice", len(several_meanings()), 0),
        ("constants without a unit", len(unnamed_numbers()), 0),
    ]
    timed = [("seconds of the check", int(text), MAX_CHECK_S) for text in argv]
    for name, found, limit in [*rows, *timed]:
        sys.stdout.write(f"{name:<26}{found:>5}  (at most {limit}){'' if found <= limit else '  MISSED'}\n")
    return int(any(found > limit for _, found, limit in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
