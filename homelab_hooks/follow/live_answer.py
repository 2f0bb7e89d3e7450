"""Reads what a service's answer shows about a commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from homelab_hooks.git.containment import Containment
from homelab_hooks.net.live import LiveAnswer, Shown
from homelab_hooks.net.message import SERVER_ERRORS, HttpResponse, RequestFailed
from homelab_hooks.text.commit_name import find_commit_tokens, is_dirty_build
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.text.sanitize import replace_control_chars, strip_control_chars, truncate_text

MAX_NAMES = 50
"""names in one answer that are compared"""
MAX_SHOWN_CHARS = 60
"""characters of a value from outside in a message"""
FULL_SHA_DIGITS = frozenset({40, 64})
OK_STATUSES = range(200, 300)

Compare = Callable[[str], Containment]
"""returns whether the commit with this name contains the one that is waited for"""


def read_answer(answer: HttpResponse | RequestFailed, *, sha: str, path: Sequence[str], compare: Compare) -> LiveAnswer:
    """Return what an answer shows about the commit `sha`.

    Args:
        path: the keys of the JSON value that names the commit; empty: the whole body is searched.
    """
    if isinstance(answer, RequestFailed):
        return LiveAnswer(Shown.SILENT, answer.reason)
    if answer.status in SERVER_ERRORS:
        return LiveAnswer(Shown.SILENT, f"the service answered with status {answer.status}")
    if answer.status not in OK_STATUSES:
        return LiveAnswer(Shown.NAMELESS, f"the service answered with status {answer.status}")
    text = answer.body.decode("utf-8", "replace")
    if path:
        value = _read_value(text, path)
        if value is None:
            where = truncate_text(".".join(path), MAX_SHOWN_CHARS)
            return LiveAnswer(Shown.NAMELESS, f"the answer has no value at {where}")
        text = replace_control_chars(value)
    return _compare_names(text, sha, compare, is_value=bool(path))


def _read_value(text: str, path: Sequence[str]) -> str | None:
    """Return the JSON value at a path as a text; None if there is none, or it is a list or an object.

    >>> _read_value('{"build": [{"commit": "9f2c1d0"}]}', ("build", "0", "commit"))
    '9f2c1d0'
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isascii() and key.isdecimal() and int(key[:9]) < len(value):
            value = value[int(key[:9])]
        else:
            return None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _compare_names(text: str, sha: str, compare: Compare, *, is_value: bool) -> LiveAnswer:
    """Return what the names of commits in a text show: ours first, then a newer one that contains it."""
    names = list(dict.fromkeys(find_commit_tokens(text)))[:MAX_NAMES] if not (is_value and is_dirty_build(text)) else []
    for name in names:
        if sha.startswith(name):
            return LiveAnswer(Shown.OURS, f"the service answers with {short_sha(sha)}")
    # In a whole body, a short name that is not a known commit may be anything: the hash of a file, a number.
    known = [(name, compare(name)) for name in names if is_value or len(name) in FULL_SHA_DIGITS]
    if not is_value:
        others = ((name, compare(name)) for name in names if len(name) not in FULL_SHA_DIGITS)
        known += [(name, found) for name, found in others if found.is_known]
    for name, found in known:
        if found is Containment.CONTAINS:
            return LiveAnswer(
                Shown.OURS, f"the service answers with {short_sha(name)}, which contains {short_sha(sha)}"
            )
    if known:
        name, found = known[0]
        how = "an older or another commit" if found.is_known else "a commit that is not in this repository"
        return LiveAnswer(Shown.OTHER, f"the service answers with {short_sha(name)}, {how}")
    shown = (
        f": {truncate_text(strip_control_chars(text.strip()), MAX_SHOWN_CHARS)}" if is_value and text.strip() else ""
    )
    return LiveAnswer(Shown.NAMELESS, f"the answer names no commit{shown}")
