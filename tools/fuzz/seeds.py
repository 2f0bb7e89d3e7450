"""Where the fuzzing begins: what real servers, clusters and gits have said."""

from __future__ import annotations

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[2] / "tests" / "recordings"


@cache
def _recording(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


@cache
def woodpecker(part: str) -> tuple[bytes, ...]:
    """Recorded bodies of requests whose path has this part in it, a few of each recording."""
    found: set[str] = set()
    for path in sorted((RECORDINGS / "woodpecker").glob("*.json.gz")):
        bodies = [
            one["response"]["body"]
            for one in _recording(path)["exchanges"]
            if part in one["request"]["path"] and isinstance((one.get("response") or {}).get("body"), str)
        ]
        found.update(body for body in bodies[:: max(1, len(bodies) // 3)] if 2 < len(body) < 20000)
    return _some(found)


@cache
def kubernetes(kind: str) -> tuple[bytes, ...]:
    """Recorded objects and lists of this kind."""
    return _some({json.dumps(one) for one in _objects()[kind]})


@cache
def _objects() -> Mapping[str, Sequence[Any]]:
    """Everything in the recordings that kubectl may have printed, by its kind."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    left: list[Any] = [_recording(path) for path in (RECORDINGS / "kubernetes").glob("[a-z]*.json.gz")]
    while left:
        raw = left.pop()
        if isinstance(raw, dict):
            found[str(raw.get("kind"))].append(raw)
            left += raw.values()
        elif isinstance(raw, list):
            left += raw
    return found


def _some(found: set[str]) -> tuple[bytes, ...]:
    known = sorted(found)
    random.Random(9).shuffle(known)  # noqa: S311 - an order, not a secret
    return tuple(text.encode() for text in known[:24]) or (b"{}",)


@cache
def kubectl_errors() -> tuple[bytes, ...]:
    """What kubectl has complained of."""
    found = _recording(RECORDINGS / "kubernetes" / "errors.json.gz")["entries"]
    return _some({entry["stderr"] for entry in found if entry["stderr"]})


@cache
def pushes() -> tuple[bytes, ...]:
    """What git has said of pushes: both streams, U+001F between them."""
    found = _recording(RECORDINGS / "git-push" / "gitea-1.27.3.json.gz")["recordings"]
    return _some({f"{one['stdout']}\x1f{one['stderr']}" for one in found})
