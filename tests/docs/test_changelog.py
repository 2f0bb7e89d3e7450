"""The changelog and the documentation name the version that is released."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from homelab_hooks import __version__
from tests.docs.pages import PAGES, ROOT

HEADING = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\S+))?$", re.MULTILINE)
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_newest_section_is_the_version_with_its_date() -> None:
    unreleased, newest, *_ = HEADING.finditer(CHANGELOG)
    assert (unreleased["name"], unreleased["date"]) == ("Unreleased", None)
    assert newest["name"] == __version__
    assert str(dt.date.fromisoformat(newest["date"])) == newest["date"]
    assert f"\n[{__version__}]: " in CHANGELOG


@pytest.mark.parametrize("page", PAGES)
def test_a_version_that_is_to_be_installed_is_the_newest(page: str) -> None:
    """As `rev:` of pre-commit."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(re.findall(r"\brev: v(\S+)", text)) <= {__version__}
