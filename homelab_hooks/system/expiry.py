"""An end for this process, whatever happens."""

from __future__ import annotations

import os
import signal
import threading

FINAL_REPORT_S = 60.0
"""seconds that a process whose time is up may take to say how it ended"""


def exit_after(seconds: float) -> None:
    """End this process after so many seconds: by SIGTERM, and where it does not listen by the kernel's own alarm."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM))
    timer.daemon = True
    timer.start()
    signal.alarm(int(seconds + FINAL_REPORT_S))
