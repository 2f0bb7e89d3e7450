"""Decides when a landing retries after a lost race: after another landing, or after a time without one."""

from __future__ import annotations

from typing import NamedTuple

CERTAIN_AFTER_LANDINGS = 10
"""landings of others after which the probability of an attempt is 1"""
CHANCE_EXPONENT = 4
"""exponent of the probability: of several waiting landings, only the one that waited longest should begin"""
ROUND_POLLS_COUNT = 4
"""polls of the target in the time that one attempt takes"""
MIN_POLL_INTERVAL_S = 0.2
MAX_POLL_INTERVAL_S = 15.0
QUIET_ROUNDS = 4
"""the time without another landing after which none is expected, as a number of attempts"""
MAX_FIRST_QUIET_S = 10.0
"""upper limit of that time in seconds after the first lost race, when usually only two landings compete"""
MAX_QUIET_S = 600.0
"""upper limit of that time in seconds after further lost races, when others land one after the other"""


class Contention(NamedTuple):
    """The state of a landing about other landings that push to the same target.

    A push is accepted if no other landing has pushed since the fetch. A longer wait therefore does not improve the next
    attempt, and exponential backoff would let newcomers overtake repeatedly. An attempt has the best chance right after
    another landing, because all other attempts that are running at that moment will be rejected. If all waiting
    landings began then, all but one would lose. So each begins with a probability that grows with the number of
    landings that have overtaken it; the others wait for the next landing, which costs them no attempt.
    """

    lost_races: int = 0
    round_s: float = 0.0
    """seconds from the fetch to the rejected push of the last attempt"""
    overtaken: int = 0
    """landings of others that were observed since this one began"""
    tip: str = ""
    """the target's commit at the last poll; empty: not polled since the last lost race"""
    tip_since: float = 0.0
    """when `tip` was first observed, in the clock's seconds"""

    def lost_race(self, round_s: float) -> Contention:
        """Return the state after a push was rejected because another one came first; `round_s` is in seconds."""
        return Contention(self.lost_races + 1, round_s, self.overtaken + 1)

    @property
    def quiet_s(self) -> float:
        """Return the seconds without another landing after which the next attempt begins in any case."""
        return min(QUIET_ROUNDS * self.round_s, MAX_FIRST_QUIET_S if self.lost_races <= 1 else MAX_QUIET_S)

    def poll_interval_s(self, jitter: float) -> float:
        """Return the seconds until the next poll.

        Args:
            jitter: a random number from 0 to 1.
        """
        interval = min(max(self.round_s / ROUND_POLLS_COUNT, MIN_POLL_INTERVAL_S), MAX_POLL_INTERVAL_S)
        return interval * (0.5 + jitter)

    def polled(self, tip: str, now: float) -> Contention:
        """Return the state after a poll of the target, which found the commit `tip`."""
        if tip == self.tip:
            return self
        return self._replace(tip=tip, tip_since=now, overtaken=self.overtaken + bool(self.tip))


def begins_attempt(before: Contention, after: Contention, *, now: float, draw: float) -> bool:
    """Return whether the next attempt begins now, given the state before and after a poll.

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
