"""Text from outside made fit to be shown: nothing that acts on a terminal or hides, no secrets, no endless lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

WIDTH = 199
"""the longest line in plain mode, in characters (contract, section 4)"""

_COLOUR = r"\x1b\[[0-9;:]{0,64}m"
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: cursor, erase, colour
    # OSC, DCS, SOS, PM, APC with their end; without one it would swallow the words that follow it
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x1b\\|[\x07\x9c])"
    r"|\x1b[ -/]*[0-~]"  # the two- and three-character ones
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one C1 character
)
_UNSEEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 and C1
    "\u2028\u2029\ud800-\udfff"  # separators of lines and paragraphs; halves of characters
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi: they show text in another order
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]"
)
"""what acts, and what nothing is seen of (Unicode's default-ignorable characters): it hides words from people, searches
and the redactor, and terminals do not agree on its width; a lost joiner or selector costs looks only"""
_STACK = 4
"""marks upon one letter; no script needs more, and a pile of them is drawn over the lines around it"""
_PILES = re.compile(rf"[^\w\s\x00-\x7f]{{{_STACK + 1},}}")
_USER_PART = re.compile(
    # Or a slash in a password, which makes it no URL; bounded, or a text of nothing but URLs takes quadratic time.
    # Again and again, for what is left of a password may look like a user part too.
    r"://(?:[^/\s]*@|[^/\s:@]{1,64}:(?!\d{1,5}(?:[/?#]|$))[^\s@'\"]{0,128}@)+"
)


def clean(text: str, *, colour: bool = False) -> str:
    r"""One line of text from outside without control characters (C0, C1, bidi, line separators) and unseen ones.

    Args:
        colour: keep SGR colour sequences, for step logs on a terminal; the last one ends them all.

    >>> clean("a\tb\x1b[2Jc\x1b]0;title\x07d\u202ee\r")
    'a bcde'
    >>> clean("pass\u200bword\ufeff \x1b]0;title: failure")
    'password 0;title: failure'
    >>> clean("\x1b[31mred\x1b[0m", colour=True)
    '\x1b[31mred\x1b[0m'
    """
    if text.isascii() and text.isprintable():
        return text.rstrip()
    flat = _bare(text).rstrip()
    low = _PILES.sub(_low, flat)
    if not colour or low != flat:
        return low
    parts = re.split(f"({_COLOUR})", text)
    kept = "".join(part if i % 2 else _bare(part) for i, part in enumerate(parts)).rstrip()
    return kept if len(parts) == 1 or kept.endswith(_RESETS) else f"{kept}{_RESETS[0]}"


_RESETS = ("\x1b[0m", "\x1b[m")


def _bare(text: str) -> str:
    return _UNSEEN.sub("", _ESCAPES.sub("", text).replace("\t", " ").replace("\n", " "))


def _low(found: re.Match[str]) -> str:
    """A run of signs and marks without the marks that stand upon too many others."""
    from unicodedata import category

    kept, height = [], 0
    for char in found.group():
        height = height + 1 if category(char) in {"Mn", "Me"} else 0
        if height <= _STACK:
            kept.append(char)
    return "".join(kept)


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
    >>> without_user("https://bob:s3@cret@git.example.test"), without_user("https://bob:s3/c@ret@git.example.test")
    ('https://git.example.test', 'https://git.example.test')
    """
    return _USER_PART.sub("://", url)


SHORTEST = 6
"""characters; a shorter secret is none, and taking it out would take our own words apart"""


def _forms(secret: str) -> set[str]:
    """A secret as it is and as `clean` leaves it, and as JSON, URLs, shells, Python and web pages write it."""
    forms = {secret, clean(secret), repr(secret)[1:-1]}
    if not secret.isalnum():
        import html
        import json
        import shlex
        from urllib.parse import quote

        forms |= {json.dumps(secret)[1:-1], quote(secret), quote(secret, safe=""), shlex.quote(secret)}
        forms |= {html.escape(secret), html.escape(secret, quote=False)}
    return forms


class Redactor:
    """Takes secrets out of every text, also where they are escaped or cut short; forgets none that it was told of.

    >>> redact = Redactor()
    >>> redact.learn("t0ken/value")
    >>> redact("Bearer t0ken/value! ?key=t0ken%2Fvalue"), redact("cut short: t0ken/v…")
    ('Bearer ***! ?key=***', 'cut short: ***…')
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: list[str] = []
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """Never show these from now on."""
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        self._secrets += sorted(form for form in forms - set(self._secrets) if len(form) >= SHORTEST)

    def __call__(self, text: str) -> str:
        """The text with each secret as ***; two that overlap are one, and what `short` left of one is gone too."""
        found = sorted(span for secret in self._secrets for span in (*_whole(text, secret), *_cut(text, secret)))
        parts, done = [], 0
        for begin, end in found:
            if begin >= done:
                parts += [text[done:begin], "***"]
            done = max(done, end)
        return "".join([*parts, text[done:]])


def _whole(text: str, secret: str) -> Iterator[tuple[int, int]]:
    at = text.find(secret)
    while at >= 0:
        yield at, at + len(secret)
        at = text.find(secret, at + 1)


def _cut(text: str, secret: str) -> Iterator[tuple[int, int]]:
    """Where the beginning of a secret stands before a mark of `short`."""
    at = text.find("…") if secret[:SHORTEST] in text else -1
    while at >= 0:
        for size in range(min(at, len(secret) - 1), SHORTEST - 1, -1):
            if text.endswith(secret[:size], 0, at):
                yield at - size, at
                break
        at = text.find("…", at + 1)


def fit_to_show(text: str, redact: Redactor, *, colour: bool = False) -> str:
    r"""One line without control characters, secrets and the user part of URLs.

    Secrets are looked for last, so that no control character in the middle of one can hide it.

    Args:
        colour: keep colours, unless something has to be taken out: one could stand in the middle of a secret.

    >>> fit_to_show("https://ann:pw@git.example.test \x1b[1mt0k\x1b[0men-value", Redactor(["t0ken-value"]))
    'https://git.example.test ***'
    """
    bare = clean(text)
    fit = without_user(redact(bare))
    return clean(text, colour=True) if colour and fit == bare else fit
