"""."""

from __future__ import annotations

from tests.defences.defence import Change, Defence

SERVER: tuple[Defence, ...] = ()
