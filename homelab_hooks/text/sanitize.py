"""Strips control and invisible characters from external text, and limits the width of lines."""

from __future__ import annotations

import re

MAX_LINE_WIDTH = 199
"""the longest line in plain mode, in characters"""

_SGR_COLOR = r"\x1b\[[0-9;:]{0,64}m"
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: cursor, erase, color
    # OSC, DCS, SOS, PM, APC with their terminator; an unterminated one would swallow the text after it
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x1b\\|[\x07\x9c])"
    r"|\x1b[ -/]*[0-~]"  # the two- and three-character ones
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one C1 character
)
_INVISIBLE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 and C1
    "\u2028\u2029\ud800-\udfff"  # line and paragraph separators; lone surrogates
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls: they reorder text
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]"
)
"""control characters and invisible ones (Unicode's default-ignorable code points)

Invisible characters hide text from readers, searches, and the redactor, and terminals disagree on their width. Losing
a joiner or a variation selector affects the appearance only.
"""
_MAX_COMBINING_MARKS = 4
"""combining marks on one letter; no script needs more, and a stack of them overwrites the lines around it"""
_COMBINING_RUNS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MAX_COMBINING_MARKS + 1},}}")


def strip_control_chars(text: str, *, color: bool = False) -> str:
    r"""Return external text as one line, without control (C0, C1, bidi, line separators) and invisible characters.

    Args:
        color: keep SGR color sequences, for step logs on a terminal; the result ends with a reset.

    >>> strip_control_chars("a\tb\x1b[2Jc\x1b]0;title\x07d\u202ee\r")
    'a bcde'
    >>> strip_control_chars("pass\u200bword\ufeff \x1b]0;title: failure")
    'password 0;title: failure'
    >>> strip_control_chars("\x1b[31mred\x1b[0m", color=True)
    '\x1b[31mred\x1b[0m'
    """
    if text.isascii() and text.isprintable():
        return text.rstrip()
    flat = _strip_sequences(text).rstrip()
    limited = _COMBINING_RUNS.sub(_limit_combining, flat)
    if not color or limited != flat:
        return limited
    parts = re.split(f"({_SGR_COLOR})", text)
    kept = "".join(part if i % 2 else _strip_sequences(part) for i, part in enumerate(parts)).rstrip()
    return kept if len(parts) == 1 or kept.endswith(_SGR_RESETS) else f"{kept}{_SGR_RESETS[0]}"


REMOVED_CHAR = "\ufffd"
"""what `replace_control_chars` writes for a removed character: Unicode's replacement character"""
_LINE_SPACE = re.compile(r"[\t-\r]")


def replace_control_chars(text: str) -> str:
    r"""Return external text as `strip_control_chars` does, but show where a character was removed inside it.

    For text in which names are searched: a removed character must not join two parts to a name that is not there.

    >>> replace_control_chars("app:9f2c\x001a7b"), replace_control_chars("9f2c1a7b\r\n")
    ('app:9f2c\ufffd1a7b', '9f2c1a7b')
    """
    if text.isascii() and text.isprintable():
        return text.rstrip()
    spaced = _LINE_SPACE.sub(" ", text.rstrip())
    return strip_control_chars(_INVISIBLE.sub(REMOVED_CHAR, _ESCAPES.sub(REMOVED_CHAR, spaced)))


_SGR_RESETS = ("\x1b[0m", "\x1b[m")


def _strip_sequences(text: str) -> str:
    return _INVISIBLE.sub("", _ESCAPES.sub("", text).replace("\t", " ").replace("\n", " "))


def _limit_combining(found: re.Match[str]) -> str:
    """Return a run of symbols and marks with at most _MAX_COMBINING_MARKS marks on each."""
    from unicodedata import category

    kept, height = [], 0
    for char in found.group():
        height = height + 1 if category(char) in {"Mn", "Me"} else 0
        if height <= _MAX_COMBINING_MARKS:
            kept.append(char)
    return "".join(kept)


def truncate_text(text: str, width: int = MAX_LINE_WIDTH) -> str:
    """Return text cut to `width` columns, with an ellipsis if it is cut; wide characters take two columns.

    >>> truncate_text("abcdef", 4), truncate_text("漢字漢字", 6)
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


_RESULT_START = re.compile(rf"(?:{_SGR_COLOR})*homelab: ")


def indent_result_lookalike(line: str) -> str:
    """Return a line of output, indented if it begins as the result line does: a script may search for that line.

    >>> indent_result_lookalike("homelab: passed exit=0"), indent_result_lookalike("the step passed")
    ('  homelab: passed exit=0', 'the step passed')
    """
    return f"  {line}" if _RESULT_START.match(line) else line


def elide_middle(text: str, width: int) -> str:
    """Return text cut to `width` columns in its middle: names that belong together often differ only at their end.

    >>> elide_middle("test (IMAGE=registry/app:1.22)", 20)
    'test (IMAG…app:1.22)'
    """
    head = truncate_text(text, (width + 1) // 2 + 1)
    if head == text or truncate_text(text, width) == text:
        return text
    tail = truncate_text(text[::-1], width - (width + 1) // 2)
    return head + tail[:-1][::-1]


_OPEN_USERINFO = re.compile(r"://[^\s/@]*$")


def mark_unfinished(text: str) -> str:
    """Return the beginning of a line with an ellipsis, by which the redactor recognizes a secret that is cut off.

    The beginning of a URL's userinfo is left out: it may be a password, and only the `@` after it would show that.

    >>> mark_unfinished("run all tests? [y/N] "), mark_unfinished("see https://ann:s3c")
    ('run all tests? [y/N]…', 'see https://…')
    """
    return _OPEN_USERINFO.sub("://", text.rstrip()) + "…"


def is_unfinished(before: str, text: str) -> bool:
    """Return whether a line is the beginning of the next one, marked by `mark_unfinished`.

    >>> is_unfinished("run? [y/N]…", "run? [y/N] y"), is_unfinished("cut…", "another")
    (True, False)
    """
    return before.endswith("…") and text.startswith(before[:-1])
