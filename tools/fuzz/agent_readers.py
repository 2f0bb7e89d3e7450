"""The settings of a coding agent, which are edited in place, and the receipts of what was written."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from homelab_hooks.agent.files import InstallReceipts
from homelab_hooks.agent.model import FileState, InstallReceipt, JsonEntry, SharedFile
from homelab_hooks.agent.plan import FileChange, digest_of, plan_install, plan_uninstall
from tools.fuzz.fed import MEMORY, FuzzTarget
from tools.fuzz.promises import hold

_ENTRIES = (JsonEntry(("permissions", "allow"), "Bash(homelab doctor)"), JsonEntry(("hooks", "Stop"), {"a": [1]}))
_FILE = SharedFile(Path("/home/ann/.claude/settings.json"), _ENTRIES)


def agent_settings(data: bytes) -> None:
    """They are refused, or edited so that a JSON parser finds the entries, and every byte can be restored."""
    change = plan_install(_FILE, FileState(data), None)
    if not isinstance(change, FileChange):
        return
    assert change.after is not None
    found, before = json.loads(change.after), json.loads(data)
    assert all(entry.value in found[entry.path[0]][entry.path[1]] for entry in _ENTRIES)
    assert {key: value for key, value in found.items() if key not in {"permissions", "hooks"}} == {
        key: value for key, value in before.items() if key not in {"permissions", "hooks"}
    }
    back = plan_uninstall(_FILE, FileState(change.after), change.receipt)
    assert isinstance(back, FileChange)
    assert back.after == data


def agent_receipts(data: bytes) -> None:
    """A receipt is read, or passed over."""
    with TemporaryDirectory(dir=MEMORY) as name:
        path = Path("/home/ann/.claude/settings.json")
        (Path(name) / f"{digest_of(str(path).encode())}.json").write_bytes(data)
        hold(InstallReceipts(Path(name)).load(path), InstallReceipt | None)


_RECEIPT = json.dumps(InstallReceipt(b"{}", digest_of(b"x"), _ENTRIES, ("/home/ann/.claude",)).to_json()).encode()

TARGETS = {
    "agent-settings": FuzzTarget(agent_settings, (
        b'{"permissions": {"allow": ["Bash(ls)"], "deny": []}, "hooks": {"Stop": [{"hooks": []}]}, "n": -1.5e3}',
        b'{\r\n\t"model": "x",\r\n\t"permissions": {}\r\n}', '{"ü": "\\u00e9漢", "a": [[], {}, null]}'.encode(),
    )),
    "agent-receipts": FuzzTarget(agent_receipts, (_RECEIPT,)),
}  # fmt: skip
