"""Reads the text of a job's log: lines with a time in front (forge recording 07b-actions-success)."""

from __future__ import annotations

import re
from datetime import datetime

from homelab_hooks.ci.model import LogLine

_TIMED_LINE = re.compile(r"\ufeff?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z ?(.*)", re.DOTALL)


def parse_job_log(text: str, *, until: int = 0) -> tuple[LogLine, ...]:
    r"""Return the lines without their times, up to the end of a step.

    Args:
        until: unix seconds after which lines belong to later steps; 0: all lines.

    >>> text = "2026-11-30T09:01:48.88Z hi\n2026-11-30T09:02:10.1Z bye"
    >>> [line.text for line in parse_job_log(text, until=1796029308)]
    ['hi']
    """
    found: list[str] = []
    for line in text.splitlines():
        timed = _TIMED_LINE.fullmatch(line)
        if timed and until and _to_unix(timed[1]) > until:
            break
        found.append(timed[2] if timed else line)
    return tuple(LogLine(number, line) for number, line in enumerate(found))


def _to_unix(text: str) -> float:
    try:
        return datetime.fromisoformat(f"{text}+00:00").timestamp()
    except ValueError:
        return 0.0
