"""The door to processes."""

from __future__ import annotations

from homelab_hooks.proc.ancestry import command_line
from homelab_hooks.proc.done import Completed
from homelab_hooks.proc.expiry import exit_after
from homelab_hooks.proc.proc import Background, ProcessRunner, kill_abandoned
from homelab_hooks.proc.signals import acknowledge_interrupt, catch_signals, ignore_signals, run_interruptible

__all__ = [
    "Background",
    "Completed",
    "ProcessRunner",
    "acknowledge_interrupt",
    "catch_signals",
    "command_line",
    "exit_after",
    "ignore_signals",
    "kill_abandoned",
    "run_interruptible",
]
