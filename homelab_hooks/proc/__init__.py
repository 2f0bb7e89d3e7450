"""The door to processes."""

from __future__ import annotations

from homelab_hooks.proc.done import Done
from homelab_hooks.proc.proc import Following, Processes, Running, command_of, end_group, expire

__all__ = ["Done", "Following", "Processes", "Running", "command_of", "end_group", "expire"]
