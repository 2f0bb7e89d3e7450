"""A figure with what it is held against, and the table of them."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple


class Figure(NamedTuple):
    """A measured figure; `limit` is empty if there is none."""

    what: str
    found: str
    limit: str = ""
    held: bool | None = None

    @property
    def row(self) -> str:
        """A row of the table."""
        word = {None: "", True: "yes", False: "**no**"}[self.held]
        return f"| {self.what} | {self.found} | {self.limit} | {word} |"


def ratio(what: str, ours: Sequence[float], bare: Sequence[float], most: float) -> Figure:
    """Medians of runs that took turns."""
    mine, its = statistics.median(ours), statistics.median(bare)
    found = f"{mine / its:.1f} times ({mine * 1000:.0f} ms and {its * 1000:.0f} ms)"
    return Figure(what, found, f"{most:g} times", mine / its <= most)


def compared(figure: Figure, value: float, reference: float, limit: tuple[float, str]) -> Figure:
    """The figure of a value with a limit: so many times what this reference took in the same run."""
    most, name = limit
    return figure._replace(limit=f"{most:.2g} times {name} ({reference:.3g} s)", held=value <= most * reference)


def delays(what: str, found: Sequence[float], limit: tuple[float, float] | None = None) -> Figure:
    """Seconds: median and worst."""
    median, worst = statistics.median(found), max(found)
    said = f"median {median:.2f} s, worst {worst:.2f} s ({len(found)} pipelines)"
    if limit is None:
        return Figure(what, said)
    held = median <= limit[0] and worst <= limit[1]
    return Figure(what, said, f"median {limit[0]:g} s, worst {limit[1]:g} s", held)


def at_most(what: str, found: float, most: float, unit: str) -> Figure:
    """One number under another."""
    return Figure(what, f"{found:.1f} {unit}".replace(".0 ", " "), f"{most:g} {unit}", found <= most)


def document(figures: Iterable[Figure], command: str) -> str:
    """The table with the date, the machine in words and the command."""
    cores = os.cpu_count()
    machine = f"{cores} cores, {platform.python_implementation()} {platform.python_version()}, {platform.system()}"
    lines = [
        "# Benchmarks",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with `{command}`: {machine} {platform.machine()}.",
        "",
        "Where there is an alternative (a bare Python process, plain git, another way to poll,",
        "`kubectl rollout status`), both are measured in the same run, so that the ratio is comparable between",
        "machines. The 15-second poller requests the 25 newest pipelines every 15 seconds. The 3-second poller",
        "requests the pipelines, the details, and the log of every step every 3 seconds. Both pollers are in",
        '`tools/bench/pollers.py`. "Duration known" means that CI has earlier pipelines of the branch, from which',
        "homelab estimates when the pipeline will end.",
        "",
        "| what | measured | limit | met |",
        "|---|---|---|---|",
        *(figure.row for figure in figures),
    ]
    return "\n".join(lines) + "\n"
