"""Finds the names of commits in a text: an image's tag, a variable of a pipeline, the answer of a service."""

from __future__ import annotations

import re

from homelab_hooks.text.sanitize import REMOVED_CHAR

_COMMIT_TOKEN = re.compile(r"g?([0-9a-f]{7,64})")
_TOKEN_SEPARATORS = re.compile(rf"[^0-9A-Za-z{REMOVED_CHAR}]+")


def find_commit_tokens(text: str) -> tuple[str, ...]:
    """Return the tokens of a tag (or of another proof's value) that can name a commit, in order.

    A token is 7 to 64 hexadecimal digits in lower case between characters that are neither letters nor digits;
    a `g` before them is dropped, as git describe writes it. A token from which a character was removed names nothing.

    >>> find_commit_tokens("v1.2.3-4-g9f2c1a7b"), find_commit_tokens("sha-9f2c1a7b")
    (('9f2c1a7b',), ('9f2c1a7b',))
    >>> find_commit_tokens("latest"), find_commit_tokens("x9f2c1a7b")
    ((), ())
    """
    found = (_COMMIT_TOKEN.fullmatch(token) for token in _TOKEN_SEPARATORS.split(text))
    return tuple(match.group(1) for match in found if match)


def is_dirty_build(text: str) -> bool:
    """Return whether the tag marks an image that was built from a dirty working tree; it does not identify a commit.

    >>> is_dirty_build("9f2c1a7b-dirty"), is_dirty_build("9f2c1a7b-quickndirty")
    (True, False)
    """
    return "dirty" in _TOKEN_SEPARATORS.split(text.casefold().replace(REMOVED_CHAR, ""))


def has_commit_token(text: str, sha: str) -> bool:
    """Return whether a tag (or another proof's value) names this commit.

    >>> sha = "9f2c1a7b" + "0" * 32
    >>> has_commit_token("main-9f2c1a7b", sha), has_commit_token("9f2c1a", sha)
    (True, False)
    >>> has_commit_token("9f2c1a7b-dirty", sha), has_commit_token("9f2c1a7c", sha)
    (False, False)
    """
    return not is_dirty_build(text) and any(sha.startswith(token) for token in find_commit_tokens(text))
