"""Matches the context of a commit status against a pattern, as Gitea matches required checks."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"\*+|\?|\{[^{}]*\}")
"""any text, any character, one of several; everything else stands for itself"""


def matches_context(pattern: str, context: str) -> bool:
    """Return whether a context matches; `*` also stands for a slash (forge recordings 03d and 04).

    >>> [matches_context("ci/*/push/{build,test}", name) for name in ("ci/a/push/test", "ci/a/push/lint")]
    [True, False]
    >>> matches_context("build / test (push)", "build / test (push)"), matches_context("a{b", "a{b")
    (True, True)
    """
    return re.fullmatch(_compile_pattern(pattern), context, re.DOTALL) is not None


def _compile_pattern(pattern: str) -> str:
    parts, end = [], 0
    for found in _SPECIAL.finditer(pattern):
        parts += [re.escape(pattern[end : found.start()]), _compile_special(found[0])]
        end = found.end()
    return "".join(parts) + re.escape(pattern[end:])


def _compile_special(text: str) -> str:
    if text.startswith("*"):
        return ".*"
    return "." if text == "?" else f"(?:{'|'.join(_compile_pattern(part) for part in text[1:-1].split(','))})"
