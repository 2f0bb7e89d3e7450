"""Draws all pictures again: two recorded landings, and the diagrams in the documents: `python -m tools.pictures`."""

from __future__ import annotations

import sys
from pathlib import Path

from tools import docs
from tools.recording import draw, record, thin_out

PICTURES = {
    scenario: Path(__file__).parent.parent / "docs" / f"landing-{scenario}.svg" for scenario in ("green", "red")
}
"""recordings of `homelab demo SCENARIO`"""


def main() -> None:
    """Run the demo, draw what it shows, and write the diagrams."""
    homelab = Path(sys.executable).with_name("homelab")
    for scenario, path in PICTURES.items():
        frames = thin_out(record([str(homelab), "demo", scenario]))
        path.write_text(draw(frames, title=f"homelab demo {scenario} in a terminal"), encoding="utf-8")
    docs.main()


if __name__ == "__main__":
    main()
