"""Sends a message through Apprise; runs in a process of its own, and is the only module that imports Apprise.

A plugin of Apprise may hang, print, log, or raise; none of it reaches the command that has a result to report. Each
target's outcome is written as soon as it is known, so that the caller can end this process at any moment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from typing import Any

NOT_INSTALLED_CODE = 3
"""exit code if Apprise is not installed"""
MAX_CONCURRENT_REQUESTS = 8
"""targets that are sent to at the same time"""
OUTCOME = "homelab-notify"
"""the first word of a line that reports an outcome; a plugin may print others"""


def is_apprise_installed() -> bool:
    """Return whether Apprise can be imported, without importing it: that takes a second."""
    return find_spec("apprise") is not None


def send_job(job: Mapping[str, Any], write: Callable[[str], object]) -> int:
    """Send the message of a job to each of its targets, and return the exit code: 0 once each outcome is written.

    Args:
        job: `urls`, `title`, `body`, and `kind`; without `kind`, the URLs are only checked.
        write: gets one line for each target: its position, and `ok`, `failed`, or `unknown`.
    """
    if not is_apprise_installed():
        return NOT_INSTALLED_CODE
    urls: Sequence[str] = job["urls"]
    with ThreadPoolExecutor(MAX_CONCURRENT_REQUESTS) as pool:
        places = {pool.submit(_send, url, job): place for place, url in enumerate(urls)}
        for done in as_completed(places):
            word = "failed" if done.exception() else done.result()
            write(f"\n{OUTCOME} {places[done]} {word}\n")
    return 0


def _send(url: str, job: Mapping[str, Any]) -> str:
    import apprise

    # No file is written: Apprise would otherwise be free to keep what a service has returned.
    asset = apprise.AppriseAsset(
        app_id="homelab", app_desc="homelab", secure_logging=True, storage_mode=apprise.PersistentStoreMode.MEMORY
    )
    target = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if target is None:
        return "unknown"
    if not job["kind"]:
        return "ok"
    sent = target.notify(
        body=job["body"], title=job["title"], notify_type=apprise.NotifyType(job["kind"]), body_format="text"
    )
    return "ok" if sent else "failed"


def run_job(job: Mapping[str, Any]) -> None:
    """Send a job from this process, and end it; only outcomes are written to standard output."""
    code = send_job(job, lambda line: os.write(1, line.encode()))
    os._exit(code)  # a plugin's threads and atexit handlers could keep the process
