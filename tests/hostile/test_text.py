"""What is taken out of a text, what stays, and why a text can be as long as it likes."""

from __future__ import annotations

import unicodedata

import pytest

from homelab_hooks.text.redaction import Redactor, sanitize_text
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text
from tests.growth import TOO_MUCH, growth
from tests.hostile.strings import HOSTILE
from tools.fuzz.texts import harmful


def test_of_all_characters_only_the_harmless_stay() -> None:
    assert (
        harmful(strip_control_chars("a".join(chr(code) for code in (*range(0x32000), *range(0xE0000, 0xE1000))))) == ""
    )


def test_what_people_write_stays() -> None:
    for text in (
        "Zürich",
        "naïve",
        "日本語",
        "हिन्दी",
        "ქართული",
        "👍🏽 done",
        "a\u0301\u0302b",
        "x ≠ y → z",
        "ﷺ",
        "\u0600123",
    ):
        assert strip_control_chars(text) == text


def test_a_script_that_stacks_its_signs_stays_whole() -> None:
    """Tibetan, Thai, Hebrew with points, Vietnamese taken apart: nothing has more than four marks upon one letter."""
    for text in ("བསྒྲུབས", "ปั๊ม", "בְּרֵאשִׁ֖ית", unicodedata.normalize("NFD", "Việt Nam ỡ")):
        assert strip_control_chars(text) == text


@pytest.mark.parametrize("name", HOSTILE)
def test_clean_twice_is_clean_once(name: str) -> None:
    once = strip_control_chars(HOSTILE[name])
    assert not harmful(once)
    assert strip_control_chars(once) == once
    colored = strip_control_chars(HOSTILE[name], color=True)
    assert strip_control_chars(colored, color=True) == colored


def test_a_sequence_without_an_end_does_not_swallow_what_follows() -> None:
    assert strip_control_chars("build\x1b]0;x: failure") == "build0;x: failure"
    assert strip_control_chars("build\x9d: failure") == "build: failure"


def test_a_color_that_is_kept_is_ended() -> None:
    assert strip_control_chars("\x1b[31mred", color=True) == "\x1b[31mred\x1b[0m"
    assert strip_control_chars("\x1b[31mred\x1b[m", color=True) == "\x1b[31mred\x1b[m"


def test_secrets_that_overlap_are_both_gone() -> None:
    assert Redactor(["abcdefgh", "efghijkl"])("x abcdefghijkl y") == "x *** y"


def test_a_secret_that_was_cut_is_gone_too() -> None:
    cut = truncate_text(f"{'y' * 190} t0ken-value", 199)
    assert cut.endswith("t0ken-v…")
    assert Redactor(["t0ken-value"])(cut) == f"{'y' * 190} ***…"


def test_a_secret_with_a_newline_in_it_is_known_as_it_is_shown() -> None:
    assert sanitize_text("t0ken\nvalue", Redactor(["t0ken\nvalue"])) == "***"


@pytest.mark.parametrize(
    "around", ["{}", "run: homelab follow --follow '{}'", "--follow={}", "'{}' is no link", '["{}"]']
)
def test_the_query_of_a_live_url_is_in_no_text(around: str) -> None:
    """Nor if the URL is malformed, cut, or written with another scheme."""
    for url in ("HTTPS://x.test/v?{}#a.b", "http://x.test?{}", "ftp://x.test/?a=1&b={}", "x.test/v?a'{}'b", "//?{}…"):
        shown = sanitize_text(around.format(f"live:{url.format('s3cret')}"), Redactor())
        assert "s3cret" not in shown
        assert shown.startswith(around.partition("{}")[0])
    assert sanitize_text("is it live? yes, alive:a?b", Redactor()) == "is it live? yes, alive:a?b"


LONG = 8_000
"""characters; with more, quadratic time would take minutes"""


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "\x1b]",
        "\x1b[",
        "\x9d",
        "\x9d0;",
        "\x1b[1m",
        "://",
        "://a@",
        "://a:",
        "e\u0301",
        "\u0301",
        "t0ken-…",
        "live:",
        "live:a?'",
        "live:a? ",
        "👍",
        "\x1b[1mé",
        "漢",
    ],
    ids=ascii,
)
def test_a_long_text_takes_no_longer_for_what_it_repeats(piece: str) -> None:
    redact = Redactor(["t0ken-value"])

    def show(size: int) -> None:
        text = piece * (size // len(piece))
        for color in (False, True):
            assert sanitize_text(text, redact, color=color) is not None
        assert len(truncate_text(text)) <= 199

    assert growth(show, LONG) < TOO_MUCH
