"""The door to processes."""

from __future__ import annotations

from homelab_hooks.proc.ancestry import command_of
from homelab_hooks.proc.done import Done
from homelab_hooks.proc.expiry import expire
from homelab_hooks.proc.proc import Processes, Running, end_running
from homelab_hooks.proc.signals import ignore_signals, interruptible, taken, terminable

__all__ = [
    "Done", "Processes", "Running", "command_of", "end_running", "expire", "ignore_signals", "interruptible", "taken",
    "terminable",
]  # fmt: skip
