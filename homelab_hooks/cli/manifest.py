"""homelab manifest: every verb with its tier.

Lists every verb with its tier, read or write, so that a permission hook can allow the one and ask for the other.
"""

from __future__ import annotations

import argparse
import json

from homelab_hooks.cli.session import Session
from homelab_hooks.cli.table import VERBS


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print it."""
    rows = [
        {"verb": " ".join(v.words), "alias": v.alias, "tier": v.tier, "summary": v.summary} for v in VERBS
    ]  # fmt: skip
    if args.json:
        session.world.terminal.out(json.dumps({"schema": 1, "verbs": rows}, indent=1))
        return 0
    width = max(len(row["verb"]) for row in rows)
    for row in rows:
        session.world.terminal.out(f"{row['verb']:<{width}}  {row['tier']:<5}  {row['summary']}")
    return 0
