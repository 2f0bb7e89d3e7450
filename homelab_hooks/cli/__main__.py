"""Runs `homelab` for `python -m homelab_hooks.cli`."""

from __future__ import annotations

import sys

from homelab_hooks.cli import homelab

sys.exit(homelab())
