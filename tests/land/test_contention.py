"""When a landing that lost a race tries again, and what becomes of several people who land one commit after the other.

`pytest -s tests/land/test_contention.py` prints the lost races of each landing.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from homelab_hooks.events import Event, Progress, Stage, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.push_result import PushResult, PushStatus
from homelab_hooks.land import run as land_run
from homelab_hooks.land.contention import CERTAIN_AFTER_LANDINGS, Contention, begins_attempt
from homelab_hooks.land.push_decision import Fail, Retry, WaitForTurn, decide_after_push
from homelab_hooks.land.request import LandRequest, VerifyCommand
from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.land.simulated_races import RacedLanding, SimulatedRaces

LOST = PushResult(status=PushStatus.LOST_RACE)
LOCKED = PushResult(status=PushStatus.REF_LOCKED)


def test_a_lost_race_is_waited_out_five_times() -> None:
    decisions = [decide_after_push(LOST, tried=tried, attempts=5, jitter=0.5) for tried in range(1, 7)]
    assert [type(decision) for decision in decisions] == [WaitForTurn] * 5 + [Fail]


def test_a_lock_that_is_held_is_waited_out_longer_each_time() -> None:
    decisions = [decide_after_push(LOCKED, tried=tried, attempts=5, jitter=0.5) for tried in (1, 2, 3)]
    assert [decision.delay for decision in decisions if isinstance(decision, Retry)] == [0.5, 1.0, 2.0]


def test_the_first_poll_after_a_lost_race_only_shows_where_the_target_is() -> None:
    lost = Contention().lost_race(2.0)
    assert (lost.lost_races, lost.overtaken, lost.round_s) == (1, 1, 2.0)
    polled = lost.polled("a", 7.0)
    assert polled.overtaken == 1
    assert not begins_attempt(lost, polled, now=7.0, draw=0.0)


@pytest.mark.parametrize("overtaken", range(1, CERTAIN_AFTER_LANDINGS + 1))
def test_each_landing_that_overtakes_makes_it_likelier_to_begin_after_the_next(overtaken: int) -> None:
    before = Contention(lost_races=1, round_s=1.0, overtaken=overtaken - 1, tip="a", tip_since=0.0)
    after = before.polled("b", 0.5)
    begins = [begins_attempt(before, after, now=0.5, draw=draw / 1000) for draw in range(1000)]
    assert sum(begins) == pytest.approx(1000 * (overtaken / CERTAIN_AFTER_LANDINGS) ** 4, abs=1)


@pytest.mark.parametrize(
    ("lost_races", "round_s", "quiet_s"),
    [(1, 1.0, 4.0), (1, 60.0, 10.0), (2, 60.0, 240.0), (5, 3600.0, 600.0)],
)
def test_it_begins_when_no_one_has_landed_for_some_rounds(lost_races: int, round_s: float, quiet_s: float) -> None:
    known = Contention(lost_races=lost_races, round_s=round_s, overtaken=1, tip="a", tip_since=100.0)
    assert known.quiet_s == quiet_s
    assert not begins_attempt(known, known.polled("a", 0.0), now=99.9 + quiet_s, draw=0.0)
    assert begins_attempt(known, known.polled("a", 0.0), now=100.0 + quiet_s, draw=1.0)


@pytest.mark.parametrize(("round_s", "interval_s"), [(0.0, 0.2), (2.0, 0.5), (3600.0, 15.0)])
def test_polls_are_jittered_around_a_quarter_of_a_round(round_s: float, interval_s: float) -> None:
    known = Contention().lost_race(round_s)
    assert [known.poll_interval_s(jitter) for jitter in (0.0, 1.0)] == [interval_s * 0.5, interval_s * 1.5]


@pytest.mark.parametrize(
    ("people", "round_s", "pause_s", "given_up", "overtaken"),
    [
        (2, 1.0, 0.7, 0.0, 10),
        (3, 1.0, 0.7, 0.0, 15),
        (5, 0.2, 0.5, 0.004, 20),
        (5, 1.0, 0.7, 0.002, 20),
        (5, 5.0, 2.0, 0.005, 20),
        (5, 30.0, 15.0, 0.006, 20),
        (5, 300.0, 60.0, 0.02, 20),
        (8, 1.0, 0.7, 0.015, 20),
    ],
)
def test_of_people_who_land_ten_commits_each_no_one_starves(
    people: int, *, round_s: float, pause_s: float, given_up: float, overtaken: int
) -> None:
    """Six attempts are enough for nearly all of a hundred times fifty landings by five people."""
    games = [SimulatedRaces([round_s] * people, each=10, pause_s=pause_s, seed=seed) for seed in range(100)]
    played = [each for game in games for each in game.play()]
    show(f"{people} people, rounds of {round_s:g} s", played)
    assert sum(each.landed for each in played) == people * 10 * len(games)
    assert sum(not each.landed for each in played) <= given_up * len(played)
    assert max(each.overtaken for each in played) <= overtaken


def show(what: str, played: list[RacedLanding]) -> None:
    lost = Counter(each.lost_races for each in played if each.landed)
    print(f"\n{what}: lost races {dict(sorted(lost.items()))}, {sum(not each.landed for each in played)} gave up")  # noqa: T201 - with -s


def test_the_next_attempt_begins_right_after_a_landing_of_another(
    workshop: ScratchRepositories, clock: Any, parts: Any, events: Any
) -> None:
    """A round takes four seconds here; the second landing of the other comes within the first poll interval."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("a")

    def other_lands() -> None:
        bob.commit(f"b{len(clock.slept)}")
        bob.git("push", "--quiet", "origin", "HEAD:main")

    def tell(event: Event) -> None:
        events(event)
        if event == StageChanged(stage=Stage.VERIFY, progress=Progress.STARTED):
            clock.time += 4.0
            if not clock.slept:
                other_lands()

    clock.while_asleep = other_lands
    request = LandRequest(verify=VerifyCommand("true", "told"))
    verdict = land_run.land_branch(request, parts(ann, tell=tell, jitter=lambda: 0.0))
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True)
    assert clock.slept == [0.5]
    assert [line for line in events.lines("homelab") if "push came first" in line] == [
        "another push came first; retrying after the next landing, or in 10s if there is none"
    ]


def test_a_target_that_cannot_be_polled_is_tried_again_after_about_a_round(
    workshop: ScratchRepositories, clock: Any, parts: Any, events: Any
) -> None:
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("a")
    bob.commit("b")
    away = workshop.bare_path.with_name("away.git")

    def tell(event: Event) -> None:
        events(event)
        if isinstance(event, StageChanged) and (event.stage, event.progress) == (Stage.VERIFY, Progress.STARTED):
            clock.time += 4.0
            bob.git("push", "--quiet", "origin", "HEAD:main")
        if isinstance(event, StageChanged) and (event.stage, event.progress) == (Stage.PUSH, Progress.FAILED):
            workshop.bare_path.rename(away)

    clock.while_asleep = lambda: away.rename(workshop.bare_path)
    request = LandRequest(verify=VerifyCommand("true", "told"))
    verdict = land_run.land_branch(request, parts(ann, tell=tell))
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True)
    assert clock.slept == [4.0]
