"""Decides when a landing that lost a race tries again: after another landing, or after a time without one."""

from __future__ import annotations

from dataclasses import dataclass, replace

CERTAIN_AFTER_LANDINGS = 10
"""landings of others after which an attempt begins for certain"""
CHANCE_EXPONENT = 4
"""how steeply the chance grows: of several that wait, the one that has waited longest is to go alone"""
ROUND_POLLS_COUNT = 4
MIN_POLL_INTERVAL_S = 0.2
MAX_POLL_INTERVAL_S = 15.0
QUIET_ROUNDS = 4
"""rounds without a landing after which no other landing is expected"""
MAX_FIRST_QUIET_S = 10.0
"""the same after the first lost race: usually only two landings met"""
MAX_QUIET_S = 600.0
"""the same after further ones, when others land one after the other"""


@dataclass(frozen=True, slots=True)
class Contention:
    """What a landing knows of the others that push to its target.

    A push is accepted if no other landing came between its fetch and its push. So a longer wait does not improve an
    attempt, and waits that grow let the last to land overtake repeatedly. An attempt that begins right
    after a landing of another has the best chance, for whatever else is under way then will be refused. Should all that
    wait begin at that moment, all but one would lose. So each begins with a chance that grows with the landings that
    have overtaken it. The others wait for the next landing, which costs them no attempt.
    """

    lost_races: int = 0
    round_s: float = 0.0
    """seconds from the fetch to the refused push, at the last attempt"""
    overtaken: int = 0
    """landings of others that were seen since this one began"""
    tip: str = ""
    """the target's commit at the last poll; empty: not polled since the last lost race"""
    tip_since: float = 0.0

    def lost_race(self, round_s: float) -> Contention:
        """After a push that was refused because another came first."""
        return Contention(self.lost_races + 1, round_s, self.overtaken + 1)

    @property
    def quiet_s(self) -> float:
        """Seconds without a landing after which it begins whatever the chance."""
        return min(QUIET_ROUNDS * self.round_s, MAX_FIRST_QUIET_S if self.lost_races <= 1 else MAX_QUIET_S)

    def poll_interval_s(self, jitter: float) -> float:
        """Seconds until the next poll.

        Args:
            jitter: from 0 to 1.
        """
        interval = min(max(self.round_s / ROUND_POLLS_COUNT, MIN_POLL_INTERVAL_S), MAX_POLL_INTERVAL_S)
        return interval * (0.5 + jitter)

    def polled(self, tip: str, now: float) -> Contention:
        """After a poll of the target."""
        if tip == self.tip:
            return self
        return replace(self, tip=tip, tip_since=now, overtaken=self.overtaken + bool(self.tip))


def begins_attempt(before: Contention, after: Contention, *, now: float, draw: float) -> bool:
    """Whether the next attempt begins at once, from what was known before and after a poll.

    Args:
        draw: a random number from 0 to 1.

    >>> waiting = Contention(lost_races=1, round_s=1.0, overtaken=5, tip="a", tip_since=0.0)
    >>> begins_attempt(waiting, waiting.polled("b", 1.0), now=1.0, draw=0.5)
    False
    >>> begins_attempt(waiting, waiting.polled("a", 4.0), now=4.0, draw=0.5)
    True
    """
    if before.tip and after.tip != before.tip:
        return draw < (after.overtaken / CERTAIN_AFTER_LANDINGS) ** CHANCE_EXPONENT
    return now - after.tip_since >= after.quiet_s
