"""Keeps receipts: for each followed commit, what every link of its chain ended with and by what evidence."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from homelab_hooks.events import LinkResult
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.atomic_file import replace_file
from homelab_hooks.text.json_fields import MAX_INT

MAX_RECEIPTS = 200
"""commits whose receipts are kept"""
MAX_RECEIPT_BYTES = 1024 * 1024
SCHEMA_VERSION = 1
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Receipt(NamedTuple):
    """What followed one commit: `ended` in RFC 3339 format, `verdict` that of the whole chain."""

    sha: str
    verdict: str
    exit: ExitCode
    ended: str
    links: tuple[LinkResult, ...]


class ReceiptStore:
    """The receipts of a repository.

    Args:
        common: the common git directory of all worktrees.
    """

    def __init__(self, common: Path) -> None:
        self._directory = common / "homelab" / "receipts"

    def save(self, receipt: Receipt) -> None:
        """Replace the receipt of a commit, and delete the oldest ones. Raises OSError if it cannot be written."""
        self._directory.mkdir(parents=True, exist_ok=True)
        replace_file(self._path(receipt.sha), format_receipt(receipt), mode=0o600)
        kept = sorted(self._directory.glob("*.json"), key=_modified_at, reverse=True)
        for path in kept[MAX_RECEIPTS:]:
            path.unlink(missing_ok=True)

    def load(self, sha: str) -> Receipt | None:
        """Return the receipt of a commit; None if there is none, or it cannot be read."""
        if not _SHA.fullmatch(sha):
            return None
        with contextlib.suppress(OSError, ValueError):
            path = self._path(sha)
            if path.stat().st_size <= MAX_RECEIPT_BYTES:
                return parse_receipt(path.read_text(encoding="utf-8"))
        return None

    def _path(self, sha: str) -> Path:
        return self._directory / f"{sha}.json"


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def format_receipt(receipt: Receipt) -> str:
    """Return the receipt as JSON text, for `parse_receipt`."""
    links = [
        {name: value for name, value in link._asdict().items() if value not in ("", None)} for link in receipt.links
    ]
    return json.dumps({"schema": SCHEMA_VERSION, **receipt._asdict(), "links": links}, ensure_ascii=False, indent=1)


def parse_receipt(text: str) -> Receipt | None:
    """Return the receipt from JSON text; None if the text is not a receipt of this version."""
    try:
        raw = json.loads(text)
        if raw.pop("schema") != SCHEMA_VERSION:
            return None
        links = tuple(_parse_link(link) for link in raw.pop("links"))
        return _checked(Receipt(**{**raw, "exit": ExitCode(raw["exit"]), "links": links}))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _parse_link(raw: dict[str, Any]) -> LinkResult:
    exit_ = ExitCode(raw["exit"]) if "exit" in raw else None
    took = raw.get("took")
    if took is not None and not (isinstance(took, int | float) and 0 <= took < MAX_INT):
        raise TypeError("not a duration")
    return LinkResult(**{**raw, "exit": exit_})


def _checked(receipt: Receipt) -> Receipt:
    texts: Sequence[object] = [
        receipt.sha, receipt.verdict, receipt.ended,
        *(text for link in receipt.links for text in (link.link, link.verdict, link.evidence, link.url, link.began)),
    ]  # fmt: skip
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("not a receipt")
    return receipt


def format_note(receipt: Receipt) -> str:
    """Return the receipt as one line, for a git note.

    >>> links = (LinkResult("ci", "passed", ExitCode.OK), LinkResult("deploy:web/shop"))
    >>> format_note(Receipt("9f2c", "passed", ExitCode.OK, "2026-11-30T12:00:00+00:00", links))
    'homelab: passed exit=0 ended=2026-11-30T12:00:00+00:00 ci=passed deploy:web/shop=-'
    """
    links = " ".join(f"{''.join(link.link.split())}={link.verdict or '-'}" for link in receipt.links)
    return f"homelab: {receipt.verdict} exit={int(receipt.exit)} ended={receipt.ended} {links}".rstrip()
