"""."""

from __future__ import annotations

from tests.defences.defence import Change, Defence

REPOSITORY: tuple[Defence, ...] = ()
