"""Opens a web page in the user's browser."""

from __future__ import annotations

import sys

from homelab_hooks.system.process_runner import ProcessRunner


def open_page(url: str, runner: ProcessRunner) -> bool:
    """Open the page in the browser that $BROWSER names, or else the system's; return whether one was started.

    Only http and https are opened: other schemes start other programs. The browser runs in a session of its own,
    without this process's streams: it may print, and stay open as long as the user reads.

    Args:
        runner: for programs without our tokens.
    """
    if not url.startswith(("https://", "http://")):
        return False
    import webbrowser  # it takes 10 ms, and few calls open a page

    try:
        webbrowser.get()
        runner.spawn([sys.executable, "-I", "-m", "webbrowser", url])
    except (webbrowser.Error, OSError, ValueError):
        return False
    return True
