"""Reads SKIP: the hooks that a user leaves out."""

from __future__ import annotations

from collections.abc import Mapping


def is_skipped(environ: Mapping[str, str], hook_id: str) -> bool:
    """Return whether SKIP names this hook; pre-commit's variable, which works however the hook is called.

    >>> is_skipped({"SKIP": "ruff,homelab-verify"}, "homelab-verify")
    True
    """
    return hook_id in environ.get("SKIP", "").split(",")
