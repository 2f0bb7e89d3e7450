"""Receipts: kept, found again, bounded, and never believed if they are something else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab_hooks.events import LinkResult
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.receipts import MAX_RECEIPTS, Receipt, ReceiptStore, format_receipt, parse_receipt

SHA = "a" * 40
LINKS = (
    LinkResult(
        "ci", "passed", ExitCode.OK, "#7 passed", "https://ci.example.test/7", "2026-11-30T12:00:00+00:00", 12.5
    ),
    LinkResult("mirror:github", "no-pipeline", ExitCode.NO_PIPELINE, "3 commits behind \ud83d", took=120.0),
    LinkResult("deploy:web/shop"),
)
RECEIPT = Receipt(SHA, "no-pipeline", ExitCode.NO_PIPELINE, "2026-11-30T12:03:00+00:00", LINKS[:1] + LINKS[2:])


def test_a_receipt_is_found_again_as_it_was(tmp_path: Path) -> None:
    store = ReceiptStore(tmp_path)
    assert store.load(SHA) is None
    store.save(RECEIPT)
    assert store.load(SHA) == RECEIPT
    assert store.load("b" * 40) is None
    assert store.load("../x") is None
    (path,) = (tmp_path / "homelab/receipts").iterdir()
    assert path.stat().st_mode & 0o077 == 0


def test_the_newest_receipts_are_kept(tmp_path: Path) -> None:
    store = ReceiptStore(tmp_path)
    for number in range(MAX_RECEIPTS + 3):
        sha = f"{number:040x}"
        store.save(RECEIPT._replace(sha=sha))
        os.utime(tmp_path / "homelab/receipts" / f"{sha}.json", (number, number))
    store.save(RECEIPT)
    assert len(list((tmp_path / "homelab/receipts").iterdir())) == MAX_RECEIPTS
    assert store.load(f"{MAX_RECEIPTS + 2:040x}")
    assert store.load(f"{0:040x}") is None


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "{}", '{"schema": 1}',
        format_receipt(RECEIPT).replace('"schema": 1', '"schema": 2'),
        format_receipt(RECEIPT).replace('"exit": 3', '"exit": 77'),
        format_receipt(RECEIPT).replace('"took": 12.5', '"took": "x"'),
        format_receipt(RECEIPT).replace('"took": 12.5', '"took": NaN'),
        format_receipt(RECEIPT).replace('"evidence": "#7 passed"', '"evidence": [1]'),
        format_receipt(RECEIPT).replace('"link": "ci"', '"unknown": "ci"'),
        "[" * 100_000,
    ],
)  # fmt: skip
def test_something_else_is_no_receipt(text: str) -> None:
    assert parse_receipt(text) is None
