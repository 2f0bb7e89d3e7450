"""Text from outside made fit to be shown: no control characters, no secrets, no endless lines."""

from __future__ import annotations

import re
from collections.abc import Iterable

WIDTH = 199
"""the longest line in plain mode, in characters (contract, section 4)"""

_COLOUR = r"\x1b\[[0-9;:]*m"
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: cursor, erase, colour
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|$)"  # OSC, DCS, SOS, PM, APC up to their end
    r"|\x1b[ -/]*[0-~]"  # the two- and three-character ones
    r"|\x9b[0-?]*[ -/]*[@-~]",  # CSI as one C1 character
    re.DOTALL,
)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_USER_PART = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s]*@")


def clean(text: str, *, colour: bool = False) -> str:
    r"""One line of text from outside without control characters (C0, C1, bidi, line separators).

    Args:
        colour: keep SGR colour sequences, for step logs on a terminal.

    >>> clean("a\tb\x1b[2Jc\x1b]0;title\x07d\u202ee\r")
    'a bcde'
    >>> clean("\x1b[31mred\x1b[0m", colour=True)
    '\x1b[31mred\x1b[0m'
    """
    if not colour:
        return _CONTROLS.sub("", _ESCAPES.sub("", text).replace("\t", " ").replace("\n", " ")).rstrip()
    parts = re.split(f"({_COLOUR})", text)
    kept = [part if i % 2 else clean_keep_space(part) for i, part in enumerate(parts)]
    return "".join(kept).rstrip()


def clean_keep_space(text: str) -> str:
    """Like `clean`, but blanks at the end stay: for pieces that are joined again."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text).replace("\t", " ").replace("\n", " "))


def short(text: str, width: int = WIDTH) -> str:
    """At most `width` columns, the cut marked; wide characters take two.

    >>> short("abcdef", 4), short("漢字漢字", 6)
    ('abc…', '漢字…')
    """
    if len(text) * 2 <= width or (text.isascii() and len(text) <= width):
        return text
    if text.isascii():
        return text[: width - 1] + "…"
    from unicodedata import east_asian_width

    taken, whole = 0, 0
    for place, char in enumerate(text):
        taken += 2 if east_asian_width(char) in "WF" else 1
        if taken > width:
            return text[:whole] + "…"
        if taken < width:
            whole = place + 1
    return text


def without_user(url: str) -> str:
    """A URL, or a text with URLs in it, without their user part.

    >>> without_user("https://bob:s3cret@git.example.test/a/b.git")
    'https://git.example.test/a/b.git'
    >>> without_user("https://bob:s3@cret@git.example.test")
    'https://git.example.test'
    """
    return _USER_PART.sub(r"\g<scheme>", url)


SHORTEST = 6
"""characters; a shorter secret is none, and taking it out would take our own words apart"""


class Redactor:
    """Takes secrets out of every text; forgets none that it was told of.

    >>> redact = Redactor()
    >>> redact.learn("t0ken-value")
    >>> redact("Bearer t0ken-value!")
    'Bearer ***!'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: list[str] = []
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Never show this from now on."""
        if len(secret) >= SHORTEST and secret not in self._secrets:
            self._secrets.append(secret)
            self._secrets.sort(key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with each secret as ***."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def fit_to_show(text: str, redact: Redactor) -> str:
    r"""One line without control characters, secrets and the user part of URLs.

    Secrets are looked for last, so that no control character in the middle of one can hide it.

    >>> fit_to_show("https://ann:pw@git.example.test \x1b[1mt0k\x1b[0men-value", Redactor(["t0ken-value"]))
    'https://git.example.test ***'
    """
    return without_user(redact(clean(text)))
