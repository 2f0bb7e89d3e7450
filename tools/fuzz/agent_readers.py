"""The settings of a coding agent, which are edited in place, and the receipts of what was written."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from homelab_hooks.agent.files import InstallReceipts
from homelab_hooks.agent.model import FileState, InstallReceipt, JsonEntry, OwnedFile, SharedFile
from homelab_hooks.agent.plan import FileChange, FileRefused, digest_of, plan_install, plan_uninstall
from tools.fuzz.fed import MEMORY, FuzzTarget
from tools.fuzz.promises import hold

_ENTRIES = (JsonEntry(("permissions", "allow"), "Bash(homelab doctor)"), JsonEntry(("hooks", "Stop"), {"a": [1]}))
_FILE = SharedFile(Path("/home/ann/.claude/settings.json"), _ENTRIES)


def agent_settings(data: bytes) -> None:
    """They are refused, or edited so that a JSON parser finds the entries, and every byte can be restored."""
    change = plan_install(_FILE, FileState(data), None)
    if not isinstance(change, FileChange):
        _hold_refusal(change, data)
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


def _hold_refusal(refused: FileRefused | None, data: bytes) -> None:
    """What is not edited has all entries already, or a reason that the views can show in a line."""
    if refused is None:
        found = json.loads(data)
        assert all(entry.value in found[entry.path[0]][entry.path[1]] for entry in _ENTRIES)
        return
    assert refused.remedy
    assert refused.reason.startswith("cannot be edited: ")
    assert "\n" not in refused.reason


def agent_edits(data: bytes) -> None:
    """From a file that its user has changed since, our entries are removed and nothing else, or nothing is."""
    file = SharedFile(_FILE.path, (*_ENTRIES, JsonEntry(("permissions", "allow"), "Bash(homelab config)")))
    back = plan_uninstall(_FILE, FileState(data), _INSTALLED.receipt)
    newer = plan_install(file, FileState(data), _INSTALLED.receipt)
    if not isinstance(back, FileChange):
        _hold_refusal(back, data)
        assert newer is None or isinstance(newer, FileRefused)
        return
    assert back.after is not None
    if data == _INSTALLED.after:
        assert back.after == _INSTALLED.before
        return
    assert json.loads(back.after) == _without_entries(json.loads(data))
    if isinstance(newer, FileChange):
        assert newer.after is not None
        _hold_newer(json.loads(newer.after), json.loads(back.after), file)


def _without_entries(found: object) -> object:
    """The value of the file without the items that equal an entry of ours."""
    for entry in _ENTRIES:
        first, second = entry.path
        holder = found.get(first) if isinstance(found, dict) else None
        items = holder.get(second) if isinstance(holder, dict) else None
        if isinstance(items, list):
            items[:] = [item for item in items if item != entry.value]
    return found


def _hold_newer(newer: dict[str, Any], base: dict[str, Any], file: SharedFile) -> None:
    """A newer version has each of its entries once more than the file without ours, and all else as it was."""
    for entry in file.entries:
        items = newer[entry.path[0]][entry.path[1]]
        assert entry.value in items
        items.remove(entry.value)
    for key, value in base.items():
        assert newer[key] == value or key in {"permissions", "hooks"}
    for first, second in {entry.path for entry in file.entries}:
        kept = base.get(first, {}).get(second, [])
        assert all(item in newer[first][second] or item in [entry.value for entry in file.entries] for item in kept)


def agent_own_files(data: bytes) -> None:
    """A file that is ours alone is replaced and removed only as we wrote it."""
    old, new = OwnedFile(_FILE.path, "prefix_rule(old)\n"), OwnedFile(_FILE.path, "prefix_rule(new)\n")
    written = plan_install(old, FileState(None), None)
    assert isinstance(written, FileChange)
    for found in (
        plan_install(new, FileState(data), written.receipt),
        plan_uninstall(new, FileState(data), written.receipt),
    ):
        assert isinstance(found, FileChange) == (data == old.text.encode()), found
    assert isinstance(plan_install(new, FileState(data), None), FileRefused)


def agent_receipts(data: bytes) -> None:
    """A receipt is read, or passed over."""
    with TemporaryDirectory(dir=MEMORY) as name:
        path = Path("/home/ann/.claude/settings.json")
        (Path(name) / f"{digest_of(str(path).encode())}.json").write_bytes(data)
        hold(InstallReceipts(Path(name)).load(path), InstallReceipt | None)


_RECEIPT = json.dumps(InstallReceipt(b"{}", digest_of(b"x"), _ENTRIES, ("/home/ann/.claude",)).to_json()).encode()


def _install(before: bytes) -> FileChange:
    change = plan_install(_FILE, FileState(before), None)
    assert isinstance(change, FileChange)
    return change


_INSTALLED = _install(b'{"model": "x"}')

TARGETS = {
    "agent-settings": FuzzTarget(agent_settings, (
        b'{"permissions": {"allow": ["Bash(ls)"], "deny": []}, "hooks": {"Stop": [{"hooks": []}]}, "n": -1.5e3}',
        b'{\r\n\t"model": "x",\r\n\t"permissions": {}\r\n}', '{"ü": "\\u00e9漢", "a": [[], {}, null]}'.encode(),
    )),
    "agent-edits": FuzzTarget(agent_edits, (
        _INSTALLED.after or b"", (_INSTALLED.after or b"").replace(b'"x"', b'"y", "env": {"A": "1"}'),
        b'{"permissions": {"allow": ["Bash(ls)", "Bash(homelab doctor)"]}, "hooks": {"Stop": [{"a": [1]}, {"b": 2}]}}',
    )),
    "agent-own-files": FuzzTarget(agent_own_files, (b"prefix_rule(old)\n", b"prefix_rule(new)\n", b"mine = 1\n")),
    "agent-receipts": FuzzTarget(agent_receipts, (_RECEIPT,)),
}  # fmt: skip
