"""Measures the figures in docs/benchmarks.md: `python -m tools.bench [--quick] [--write]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.bench import deploying, serving, starting, watching
from tools.bench.figures import Figure, document
from tools.bench.place import ROOT, BenchClone

WRITTEN = ROOT / "docs" / "benchmarks.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer of each, in less than a minute")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    given = parser.parse_args(argv)
    found = []
    with tempfile.TemporaryDirectory(prefix="homelab-bench-") as folder:
        for figure in _all(BenchClone.at(Path(folder)), quick=given.quick):
            found.append(figure)
            sys.stderr.write(figure.row + "\n")
    text = document(found, "python -m tools.bench" + (" --quick" if given.quick else ""))
    sys.stdout.write(text)
    if given.write:
        WRITTEN.write_text(text, encoding="utf-8")
    return 0


def _all(place: BenchClone, *, quick: bool) -> Iterator[Figure]:
    yield from starting.figures(place, 5 if quick else 21)
    yield from watching.requests()
    yield from watching.latency(place, watching.lengths(4, 6.0) if quick else watching.lengths(16, 20.0))
    yield from deploying.requests()
    yield from deploying.latency(place, watching.lengths(4, 6.0) if quick else watching.lengths(12, 30.0))
    yield serving.latency(place, watching.lengths(4, 5.0) if quick else watching.lengths(12, 8.0))
    yield watching.hour(place, 400.0 if quick else 60.0)


if __name__ == "__main__":
    sys.exit(main())
