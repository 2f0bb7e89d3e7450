"""Answers that are nearly right: a recorded one with a few places made hostile, cut or flipped."""

from __future__ import annotations

import json
import random
from typing import Any

HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**400), 1e308, float("inf"), float("nan"), 0.5, "", " ",
    "0", "1", "success", "failure", "killed", "quantum", "\x1b]0;t\x07", "\u202e", "\ud800", "\x00", "a" * 3000,
    "\u0301" * 50, "\U000e0041", "é", [], {}, [[]], [None], {"": None}, {"a": {"a": []}}, [1, "x"], "9" * 5000, "-",
    "2026-11-24T08:00:00Z",
)  # fmt: skip
TOKENS = (
    b"\x00", b"\xff", b"\n", b"\r\n", b"\n\n", b"\r", b"\t", b":", b"/", b"@", b"://", b"\x1b[", b"\x1b]", b"[", b"]",
    b"{", b"}", b'"', b"\\u0000", b"\\ud800", b"\xc2\x9b", b"\xe2\x80\xae", b"\xcc\x81", b"data:", b"\xef\xbb\xbf",
    b"%2f", b"..", b"1e999", b"9" * 4400, b"[" * 2000, b'{"a":' * 1500, b"-", b"\xed\xa0\x80", b"NaN", b"h", b"m", b"s",
    b".git", b"::",
)  # fmt: skip


def mutated(rng: random.Random, seeds: tuple[bytes, ...]) -> bytes:
    """Something near one of the seeds, now and then something else."""
    seed = rng.choice(seeds)
    if rng.random() < 0.7:
        seed = _within_json(rng, seed)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        seed = _bytes(rng, seed)
    return seed


def _within_json(rng: random.Random, seed: bytes) -> bytes:
    try:
        root = [json.loads(seed)]
    except (ValueError, RecursionError):
        return seed
    places: list[tuple[Any, Any]] = [(root, 0)]
    for holder, key in places:
        inner = holder[key]
        if isinstance(inner, dict):
            places += [(inner, name) for name in inner]
        elif isinstance(inner, list):
            places += [(inner, place) for place in range(len(inner))]
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        _change(rng, *rng.choice(places), places)
    return json.dumps(root[0]).encode()


def _change(rng: random.Random, holder: Any, key: Any, places: list[tuple[Any, Any]]) -> None:
    if isinstance(holder, dict) and (key not in holder or rng.random() < 0.2):
        holder.pop(key, None)
    elif rng.random() < 0.8:
        holder[key] = json.loads(json.dumps(rng.choice(HOSTILE)))
    else:
        other, name = rng.choice(places)
        if isinstance(other, list) or name in other:
            holder[key] = json.loads(json.dumps(other[name]))


def _bytes(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    match rng.randrange(6):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + rng.choice(TOKENS) + data[at:]
        case 2:
            return data[:at] + rng.choice(TOKENS) * rng.choice((2, 7, 60)) + data[at + 1 :]
        case 3:
            return data[:at] + rng.randbytes(rng.choice((1, 2, 9))) + data[at + 1 :]
        case 4:
            end = min(len(data), at + rng.randrange(40))
            return data[:end] + data[at:]
        case _:
            return data[:at] + data[min(len(data), at + rng.randrange(20)) :]
