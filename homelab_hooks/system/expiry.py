"""A hard limit on the run time of this process."""

from __future__ import annotations

import os
import signal
import threading

FINAL_REPORT_S = 60.0
"""seconds between SIGTERM and SIGALRM, for the process to report its result"""


def exit_after(seconds: float) -> None:
    """Send this process SIGTERM after `seconds`, and let the kernel end it with SIGALRM FINAL_REPORT_S later."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM))
    timer.daemon = True
    timer.start()
    signal.alarm(int(seconds + FINAL_REPORT_S))
