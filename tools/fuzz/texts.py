"""What no text may hold when it is shown; written down apart from the code that takes it out."""

from __future__ import annotations

import unicodedata

SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""format characters that have a shape: signs under or around numbers"""
UNSEEN = (
    (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""also invisible, although Unicode does not class them as format characters (Default_Ignorable_Code_Point)"""
STACK = 4
"""marks upon one letter that a script may need"""


def harmful(text: str) -> str:
    """The first thing in a text that must not be shown; empty where there is none."""
    marks = 0
    for char in text:
        kind = unicodedata.category(char)
        if kind in {"Cc", "Cs", "Zl", "Zp"} or (kind == "Cf" and char not in SEEN):
            return f"U+{ord(char):04X}"
        if any(first <= ord(char) <= last for first, last in UNSEEN):
            return f"U+{ord(char):04X}"
        marks = marks + 1 if kind in {"Mn", "Me"} else 0
        if marks > STACK:
            return f"{marks} marks upon one another"
    return ""
