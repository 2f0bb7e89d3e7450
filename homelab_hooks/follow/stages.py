"""A watch and then the deploy waits, as stages that are announced and timed, with one verdict for both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from homelab_hooks.app.session import Session
from homelab_hooks.events import Progress, Stage, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict

_UNDECIDED = {ExitCode.TIMEOUT, ExitCode.UNREACHABLE}
"""codes that leave open how it ends; a second landing would find nothing to land"""


class StageCommand(NamedTuple):
    """One stage of the chain, and the command that takes it up again."""

    stage: Stage
    run: Callable[[], Verdict]
    resume_command: str


def run_stages(links: list[StageCommand], session: Session, verdict: Verdict) -> Verdict:
    """Each link if the one before ended well; the last one's verdict, with the pipelines of all.

    Args:
        verdict: what it comes to where there is no link.
    """
    for link in links:
        before, session.resume = verdict, link.resume_command
        with _run_stage(link.stage, session) as ended:
            verdict = link.run()
            ended.append(verdict)
        verdict = verdict._replace(pipelines=verdict.pipelines or before.pipelines, url=verdict.url or before.url)
        if verdict.exit in _UNDECIDED:
            return verdict._replace(hint=f"go on: {link.resume_command}")
        if verdict.exit is not ExitCode.OK:
            return verdict
    return verdict


@contextmanager
def _run_stage(stage: Stage, session: Session) -> Iterator[list[Verdict]]:
    """Announce and time a stage; what is appended within says how it ended."""
    tell, clock = session.tell, session.world.clock
    begin = clock.now()
    tell(StageChanged(stage=stage, progress=Progress.STARTED))
    ended: list[Verdict] = []
    try:
        yield ended
    finally:
        good = bool(ended) and ended[-1].exit is ExitCode.OK
        progress = Progress.DONE if good else Progress.FAILED
        detail = ended[-1].reason if ended else "cut short"
        tell(StageChanged(stage=stage, progress=progress, detail=detail, took=clock.now() - begin))
