"""The markers in a commit message that make a provider skip a push (recording 06-skip-markers)."""

from __future__ import annotations

import pytest

from homelab_hooks.ci.provider import find_skip_marker
from homelab_hooks.ci.woodpecker.traits import WOODPECKER


@pytest.mark.parametrize(
    "marker", ["[skip ci]", "[ci skip]", "[SKIP CI]", "[CI SKIP]", "[ciskip]", "[skipci]", "[skip  ci]", "[Ci   Skip]"]
)
def test_every_spelling_that_the_server_takes_is_found(marker: str) -> None:
    assert find_skip_marker(f"Update the notes\n\n{marker} for now\n", WOODPECKER) == marker


@pytest.mark.parametrize(
    "text", ["***NO_CI***", "[skip actions]", "skip ci", "[skip\tci]", "[skip\nci]", "[no ci]", ""]
)
def test_what_the_server_does_not_take_is_no_marker(text: str) -> None:
    assert find_skip_marker(f"Update the notes {text}", WOODPECKER) == ""
