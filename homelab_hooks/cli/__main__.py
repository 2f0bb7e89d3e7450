"""`python -m homelab_hooks.cli` is `homelab`."""

from __future__ import annotations

import sys

from homelab_hooks.cli import homelab

sys.exit(homelab())
