"""Finds what a program that git started, such as a credential helper, printed among git's own messages."""

from __future__ import annotations

_OWN_MARKS = ("fatal: ", "error: ", "warning: ", "hint: ", "remote: ")
"""how git's own messages begin, and those of the server"""


def helper_words(lines: list[str]) -> str:
    """Return the first line and the last that git did not print itself, as one; empty if there is none.

    The first may be a question, and the last the reason; of a traceback it is the other way round.

    Args:
        lines: standard error of git, fit to be shown.

    >>> helper_words(["touch your key", "vault: no session", "fatal: could not read Username for 'https://x.test'"])
    'touch your key; vault: no session'
    >>> helper_words(["fatal: Authentication failed for 'https://x.test'"])
    ''
    """
    said = [line for line in lines if line.strip() and not line.startswith(_OWN_MARKS)]
    return "; ".join(dict.fromkeys([said[0], said[-1]])) if said else ""
