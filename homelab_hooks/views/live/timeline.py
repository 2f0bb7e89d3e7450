"""The timeline of the summary: one row with the time of each stage, without the shortest if they do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from homelab_hooks.events import Progress, StageChanged
from homelab_hooks.text import durations
from homelab_hooks.views.live.cells import Row
from homelab_hooks.views.live.chain_row import RUNNING, STATES, ChainCell, make_chain_spans, shorten_link

MIN_STAGES = 2
"""stages from which on there is a timeline; a single one has its own row"""


def add_to_timeline(timeline: tuple[ChainCell, ...], event: StageChanged) -> tuple[ChainCell, ...]:
    """Return the timeline after a stage has ended; skipped ones took no time, and a repeated one is added up."""
    name = event.link or str(event.stage)
    if event.progress in {Progress.STARTED, Progress.SKIPPED} or event.took is None:
        return timeline
    before = next((cell for cell in timeline if cell.link == name), None)
    others = tuple(cell for cell in timeline if cell.link != name)
    took = event.took + (before.took or 0.0 if before else 0.0)
    return (*others, ChainCell(name, STATES[event.progress], took=took))


def stop_clocks(chain: Sequence[ChainCell], now: float) -> list[ChainCell]:
    """Return the chain with the time so far of a link that is running: the command ends before it does."""
    return [cell._replace(took=now - cell.since) if cell.state == RUNNING else cell for cell in chain]


def build_timeline_rows(timeline: Sequence[ChainCell], chain: Sequence[ChainCell], columns: int) -> list[Row]:
    """Return the row, at most `columns` wide; none if nothing is on it that the rows above do not show.

    Args:
        chain: the links that follow the push; those that did not begin are added.

    >>> stages = [ChainCell("fetch", "done", took=0.2), ChainCell("verify", "done", took=75.0)]
    >>> links = [ChainCell("ci", "failed", took=9.0), ChainCell("deploy:shop/web")]
    >>> for columns in (60, 46):
    ...     print(build_timeline_rows([*stages, links[0]], links, columns)[0].text)
    ✓ fetch 0.2s  ✓ verify 1m15s  ✗ ci 9.0s  ○ deploy:shop/web
    ✓ verify 1m15s  ✗ ci 9.0s  ○ deploy:shop/web
    """
    ended = {cell.link for cell in timeline}
    cells = [*timeline, *(cell for cell in chain if cell.link not in ended)]
    if len(cells) < MIN_STAGES:
        return []
    links = {cell.link for cell in chain}
    while _count_columns(cells) > columns:
        # What did not succeed and the links of the chain stay.
        rest = [cell for cell in cells if cell.state == STATES[Progress.DONE] and cell.link not in links]
        if not rest:
            break
        cells.remove(min(rest, key=lambda cell: cell.took or 0.0))
    return [Row(make_chain_spans(cells, [_format_time(cell) for cell in cells], columns))]


def _count_columns(cells: Sequence[ChainCell]) -> int:
    return sum(4 + len(f"{shorten_link(cell.link)} {_format_time(cell)}".rstrip()) for cell in cells) - 2


def _format_time(cell: ChainCell) -> str:
    return "" if cell.took is None else durations.format_duration(cell.took)
