"""Matches the context of a commit status against a pattern, as Gitea matches required checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_SPECIAL = re.compile(r"\*+|\?|\{[^{}]*\}")
"""any text, any character, one of several; everything else stands for itself"""


def matches_context(pattern: str, context: str) -> bool:
    """Return whether a context matches; `*` also stands for a slash (forge recordings 03d and 04).

    >>> [matches_context("ci/*/push/{build,test}", name) for name in ("ci/a/push/test", "ci/a/push/lint")]
    [True, False]
    >>> matches_context("build / test (push)", "build / test (push)"), matches_context("a{b", "a{b")
    (True, True)
    """
    places: dict[str, int] = {}
    for place, char in enumerate(context):
        places[char] = places.get(char, 0) | 1 << place
    return bool(_advance(1, pattern, _ContextPlaces(places, len(context))) >> len(context))


class _ContextPlaces(NamedTuple):
    places: Mapping[str, int]
    """where each character stands: a bit for each place"""
    length: int

    def fit(self, places: int) -> int:
        """Return the places up to the end of the context."""
        return places & (1 << self.length + 1) - 1


def _advance(starts: int, pattern: str, context: _ContextPlaces) -> int:
    """Return each place at which a match that begins at one of `starts` may end, as a set of bits.

    All ways to match are followed at once. A regular expression would try one after the other, in exponential time for
    a pattern of a tracked file such as `*a*a*a*b`.
    """
    end = 0
    for found in _SPECIAL.finditer(pattern):
        starts = _advance_special(_advance_text(starts, pattern[end : found.start()], context), found[0], context)
        end = found.end()
    return _advance_text(starts, pattern[end:], context)


def _advance_text(starts: int, text: str, context: _ContextPlaces) -> int:
    for char in text:
        starts = (starts & context.places.get(char, 0)) << 1
    return starts


def _advance_special(starts: int, special: str, context: _ContextPlaces) -> int:
    if special == "?":
        return context.fit(starts << 1)
    if special.startswith("*"):
        return context.fit(-(starts & -starts))  # the first of them, and every later place
    ends = 0
    for part in special[1:-1].split(","):
        ends |= _advance(starts, part, context)
    return ends
