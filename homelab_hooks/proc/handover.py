"""Waits for a program that has our terminal, and gets the signals that we get."""

from __future__ import annotations

import subprocess

from homelab_hooks.system.signals import acknowledge_interrupt, pass_signals_to


def waited_for(child: subprocess.Popen[bytes]) -> int:
    """The exit code of a program that writes the result; from its end on signals change nothing here either."""
    with pass_signals_to(child.send_signal):
        return child.wait()


def outlived(child: subprocess.Popen[bytes]) -> int:
    """The exit code of a program that gets a Ctrl-C from the terminal, as we do, and does with it what it likes."""
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            acknowledge_interrupt()
