"""What is said after Ctrl-C or SIGTERM: whether it is landed, asked for where that is in doubt."""

from __future__ import annotations

from collections.abc import Callable

from homelab_hooks.errors import Terminated
from homelab_hooks.exits import Exit
from homelab_hooks.git.remotes import Remotes
from homelab_hooks.git.repository import Git
from homelab_hooks.land.land import pending
from homelab_hooks.land.resume import LATE, whole
from homelab_hooks.land.state import State
from homelab_hooks.looks import Absent, Denied, Missed, Seen
from homelab_hooks.loop import Clock
from homelab_hooks.verdict import Verdict

DYING = 1.5
"""seconds that a push has to end after the signal that it got as well"""
ANSWER = 2.0
"""seconds that the server has to answer, each time; somebody waits for the last words"""
_BACK = "go on: git land --continue; go back: git land --abort"

Asked = Callable[[State], bool | None]


def interrupted(
    git: Git,
    *,
    earlier: State | None = None,
    ask: Asked = lambda _: None,
    exit: Exit = Exit.INTERRUPTED,  # noqa: A002 - the glossary's word
) -> Verdict:
    """What to say: whether it is landed, and how to go on.

    Args:
        earlier: what was written down before this landing began: as long as it still stands, it is another's truth.
        ask: whether a push that was cut short has arrived; None where nobody can tell.
    """
    state = pending(git)
    if state is None:
        return Verdict(exit=exit, reason="interrupted", landed=False)
    if state == earlier and git.head() not in {state.landed, state.candidate}:
        return Verdict(exit=exit, reason="interrupted before anything was changed", sha=git.head(), landed=False)
    there = bool(state.landed) or (ask(state) if state.in_doubt else False)
    if there:
        sha = state.landed or state.candidate
        reason = f"interrupted after landing {sha} on {state.target}"
        again = state.request.watching(sha)
        return Verdict(exit=exit, reason=reason, hint=f"go on: {again}" if again else "", sha=sha, landed=True)
    if there is None:
        reason = f"interrupted while pushing: unknown whether {state.candidate} is on {state.target}"
        return Verdict(exit=exit, reason=reason, hint=_BACK, sha=state.candidate)
    return Verdict(exit=exit, reason=f"interrupted at {state.stage}", hint=_BACK, sha=state.start, landed=False)


def arrived_by_now(state: State, *, git: Git, asking: Remotes, clock: Clock) -> bool | None:
    """Whether the pushed commit is on the target; None where that cannot be told within a few seconds.

    A no counts where nothing pushes any more and it was asked for twice: a server may work on what it has got.

    Args:
        asking: asks the server, and prompts nobody.
    """
    try:
        until = clock.now() + DYING
        while git.pusher(state.candidate) and clock.now() < until:
            clock.sleep(0.1)
        there = _on_target(state, git, asking)
        if there is False:
            clock.sleep(LATE)
            there = _on_target(state, git, asking)
        return None if there is False and git.pusher(state.candidate) else there
    except (KeyboardInterrupt, Terminated):  # somebody insists
        return None


def _on_target(state: State, git: Git, asking: Remotes) -> bool | None:
    match asking.tip(whole(state, git).push_url, state.target, timeout=ANSWER):
        case Seen(tip):
            if tip == state.candidate:
                return True
            return git.is_ancestor(older=state.candidate, newer=tip) if git.knows(tip) else None
        case Absent():
            return False
        case Missed() | Denied():
            return None
