"""Opens a web page in the user's browser."""

from __future__ import annotations


def open_page(url: str) -> bool:
    """Open the page in the browser that $BROWSER names, or else the system's; return whether one was started.

    Only http and https are opened: other schemes start other programs.
    """
    if not url.startswith(("https://", "http://")):
        return False
    import webbrowser  # it takes 10 ms, and few calls open a page

    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError, ValueError):
        return False
