"""The chain of links as one row of the live view: a mark, a short name, and a time for each link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from homelab_hooks.events import Progress, StageChanged
from homelab_hooks.text.sanitize import elide_middle
from homelab_hooks.views.live.cells import Span, Style, make_state_symbol

PENDING, RUNNING = "pending", "running"
STATES = {
    Progress.STARTED: RUNNING,
    Progress.DONE: "done",
    Progress.FAILED: "failed",
    Progress.SKIPPED: "skipped",
}
MIN_NAME_COLUMNS = 8
"""columns of the shortest name; if those do not fit, only one link keeps its name"""


class ChainCell(NamedTuple):
    """One link of the chain; times in seconds."""

    link: str
    state: str = PENDING
    since: float = 0.0
    took: float | None = None


def update_chain(chain: Sequence[ChainCell], event: StageChanged, now: float) -> tuple[ChainCell, ...]:
    """Return the chain after a stage of one of its links has started or ended."""
    wanted = PENDING if event.progress is Progress.STARTED else RUNNING
    place = next((at for at, cell in enumerate(chain) if (cell.link, cell.state) == (event.link, wanted)), None)
    if place is None:
        return tuple(chain)
    since = now if event.progress is Progress.STARTED else chain[place].since
    changed = ChainCell(event.link, STATES[event.progress], since, event.took)
    return (*chain[:place], changed, *chain[place + 1 :])


def shorten_link(link: str) -> str:
    """Return a link's name for a row: of a URL the host, of a command the first word.

    >>> shorten_link("live:https://shop.example.test/version#commit"), shorten_link("run:make smoke")
    ('live:shop.example.test', 'run:make')
    """
    kind, _, rest = link.partition(":")
    if kind == "live":
        return f"live:{urlsplit(rest).netloc}"
    return f"run:{rest.split(' ')[0]}" if kind == "run" else link


def make_chain_spans(chain: Sequence[ChainCell], times: Sequence[str], columns: int) -> tuple[Span, ...]:
    """Return the row, at most `columns` wide: long names are cut in their middle, equally.

    Args:
        times: the time of each link; empty for one that has none.

    >>> cells = [ChainCell("ci", "done"), ChainCell("mirror:github", "running"), ChainCell("deploy:shop/web")]
    >>> for columns in (60, 44, 24):
    ...     print("".join(span.text for span in make_chain_spans(cells, ["2s", "7s", ""], columns)))
    ✓ ci 2s  ● mirror:github 7s  ○ deploy:shop/web
    ✓ ci 2s  ● mirror:github 7s  ○ deploy:…p/web
    ✓ ● mirror:github 7s ○
    """
    names = [shorten_link(cell.link) for cell in chain]
    fixed = sum(4 + (len(time) + 1 if time else 0) for time in times) - 2
    longest = max(map(len, names), default=0)
    while longest > MIN_NAME_COLUMNS and fixed + sum(min(len(name), longest) for name in names) > columns:
        longest -= 1
    if fixed + sum(min(len(name), longest) for name in names) > columns:
        return _make_narrow_spans(chain, names, times, columns)
    spans: list[Span] = []
    for cell, name, time in zip(chain, names, times, strict=True):
        gap = "  " if spans else ""
        shown = f" {elide_middle(name, longest)}"
        spans += [Span(gap), make_state_symbol(cell.state), Span(shown), Span(f" {time}" if time else "", Style.MUTED)]
    return tuple(spans)


def _make_narrow_spans(
    chain: Sequence[ChainCell], names: Sequence[str], times: Sequence[str], columns: int
) -> tuple[Span, ...]:
    """Return the marks of all links, and the name and time of the last one that has begun."""
    shown = max((at for at, cell in enumerate(chain) if cell.state != PENDING), default=0)
    time = f" {times[shown]}" if times[shown] else ""
    room = max(MIN_NAME_COLUMNS, columns - 2 * len(chain) - len(time))
    spans: list[Span] = []
    for at, cell in enumerate(chain):
        spans += [Span(" " if at else ""), make_state_symbol(cell.state)]
        if at == shown:
            spans += [Span(f" {elide_middle(names[at], room)}"), Span(time, Style.MUTED)]
    return tuple(spans)
