"""Recognizes a web page in place of a git server's answer, such as the login page of a network."""

from __future__ import annotations

import tempfile
from pathlib import Path

from homelab_hooks.git.command import GitCommands


def answers_with_web_page(git: GitCommands, remote: str, *, timeout: float) -> bool:
    """Return whether a remote answers, but not in git's protocol and with no ref.

    For git, a page in one line is a list without refs, as a plain web server with a repository would have it
    (parse_info_refs in remote-curl.c): a branch seems to be missing, and the exit code of ls-remote is 0. A git server
    sends packets, also for an empty repository, which GIT_TRACE_PACKET records.

    Args:
        remote: a remote's name or a URL.
        timeout: seconds for it to respond.
    """
    with tempfile.TemporaryDirectory(prefix="homelab-trace-") as folder:
        trace = Path(folder) / "packets"
        done = git.query_remote("ls-remote", "--", remote, "HEAD", remote=remote, timeout=timeout, packet_trace=trace)
        return done.ok and not done.out and not (trace.exists() and trace.stat().st_size)
