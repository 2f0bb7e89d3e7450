"""Landings, watches, deploy waits and pushes under random faults: `python -m tools.soak [--count N] [--seed N]`."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence

from tools.soak.soak import Report, Soak


def main(argv: Sequence[str] | None = None) -> int:
    """Run them, and print what happened; 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="runs (default: 300)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="which runs")
    parser.add_argument("--minutes", type=float, default=30.0, help="begin no run after that many (default: 30)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one run again, with all that was said")
    given = parser.parse_args(argv)
    sys.stderr.write(f"seed {given.seed}\n")
    soak = Soak(given.seed, minutes=given.minutes, tell=sys.stderr.write)
    report: Report = soak.one(given.only) if given.only is not None else soak.all(given.count)
    sys.stdout.write(report.text)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
