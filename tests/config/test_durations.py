"""Durations are read as people write them, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from homelab_hooks.text import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("2m", 120), ("1h30m", 5400), ("0", 0), ("0s", 0), ("1h0m5s", 3605), ("0.5", 0.5),
     ("0.2s", 0.2), (" 5m ", 300), ("2M", 120), ("1h", 3600)],
)  # fmt: skip
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert durations.parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "-1", "1.5h", "m", "1m1h", "1 m", "1d", "ten", "1e3", "inf", "nan", "1h30m20x", "٣", "9" * 400]
)
def test_what_is_not_a_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90, 90s, 2m, or 1h30m"):
        durations.parse_duration(text)


@pytest.mark.parametrize("text", ["999999999h", "277777h59m", "16666667m", "277777h999999999s"])
def test_a_duration_of_many_years_is_refused_as_too_long(text: str) -> None:
    """No such wait is meant; a unit or some digits are wrong."""
    with pytest.raises(ValueError, match="at most 277777h"):
        durations.parse_duration(text)


def test_the_longest_duration_is_read_and_shown() -> None:
    assert durations.format_duration(durations.parse_duration("277777h")) == "277777h00m"


@pytest.mark.parametrize("seconds", [1e9, 1e300, float("inf"), float("nan")])
def test_a_longer_time_is_shown_as_a_noun_phrase(seconds: float) -> None:
    """It stands after words such as "retrying for"."""
    assert durations.format_duration(seconds) == "more than 30 years"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0s"), (0.44, "0.4s"), (9.96, "10s"), (59.6, "1m00s"), (75, "1m15s"), (3599.7, "1h00m"), (5400, "1h30m")],
)
def test_a_duration_is_shown(seconds: float, text: str) -> None:
    assert durations.format_duration(seconds) == text
