"""Installing into a file and uninstalling from it lose no byte of the user's, whatever the file looks like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from homelab_hooks.agent.model import FileState, InstallReceipt, JsonEntry, OwnedFile, SharedFile
from homelab_hooks.agent.plan import FileChange, FileRefused, digest_of, plan_install, plan_uninstall
from homelab_hooks.text.json_edit import add_items, parse_json, remove_items

PATH = Path("/home/ann/.claude/settings.json")
ENTRIES = (
    JsonEntry(("permissions", "allow"), "Bash(homelab doctor)"),
    JsonEntry(("permissions", "allow"), "Bash(homelab config)"),
    JsonEntry(("hooks", "PostToolUse"), {"matcher": "Bash", "hooks": [{"type": "command", "command": "homelab"}]}),
)
FILE = SharedFile(PATH, ENTRIES)
OWNED = OwnedFile(PATH, "ours\n")
KEPT = [
    "{}", "{ }\n", '{"permissions": {}}',
    '{"permissions":{"allow":[]}}', '{"permissions":{"allow":["Bash(ls)"],"deny":[]}}',
    '{\r\n\t"model": "x",\r\n\t"permissions": {\r\n\t\t"allow": [\r\n\t\t\t"Bash(ls)"\r\n\t\t]\r\n\t}\r\n}\r\n',
    '{"hooks": {"PostToolUse": [{"matcher": "Edit", "hooks": []}]}, "zwei": "ü漢\\u00e9", "n": 1.50e3}',
    '{"permissions": {"allow": ["Bash(homelab doctor)"]}}',
]  # fmt: skip
REFUSED = [
    ("// mine\n{}", "line 1"), ('{"a": 1,}', "expected a key"), ('{"a": 1 /* b */}', "expected a comma"),
    ("\ufeff{}", "line 1"), ("[]", "the document is not an object"), ("", "line 1"), ('{"a": NaN}', "not json"),
    ('{"permissions": []}', "permissions is not an object"), ('{"permissions": {"allow": "x"}}', "is not an array"),
    ('{"a": 1, "a": 2}', "given twice"), ("[" * 5000, "too deeply nested"), ('{"a": [1 2]}', "expected a comma"),
    ('{"a"', "expected a colon"), ("{} {}", "after the end"), ('{"hooks": null}', "hooks is not an object"),
]  # fmt: skip


def install(before: bytes | None, receipt: InstallReceipt | None = None) -> FileChange:
    change = plan_install(FILE, FileState(before), receipt)
    assert isinstance(change, FileChange), change
    return change


@pytest.mark.parametrize("before", [None, *(text.encode() for text in KEPT)])
def test_every_byte_is_kept_and_restored(before: bytes | None) -> None:
    change = install(before)
    assert change.after is not None
    found = json.loads(change.after)
    for entry in ENTRIES:
        assert found[entry.path[0]][entry.path[1]].count(entry.value) == 1
    assert plan_install(FILE, FileState(change.after), change.receipt) is None
    back = plan_uninstall(FILE, FileState(change.after), change.receipt)
    assert isinstance(back, FileChange)
    assert back.after == before


@pytest.mark.parametrize("text", KEPT)
def test_from_a_file_that_was_changed_since_only_our_entries_are_removed(text: str) -> None:
    change = install(text.encode())
    assert change.after is not None
    theirs = change.after.decode().replace("{", '{"mine": [1,  2],', 1)
    back = plan_uninstall(FILE, FileState(theirs.encode()), change.receipt)
    assert isinstance(back, FileChange)
    assert back.after is not None
    left = json.loads(back.after)
    assert left.pop("mine") == [1, 2]
    assert b"[1,  2]" in back.after
    own = json.loads(text)
    for key, value in own.items():
        assert left[key] == value or isinstance(value, dict)
    assert ("Bash(homelab doctor)" in str(left)) is ("Bash(homelab doctor)" in text)
    assert "Bash(homelab config)" not in str(left)
    assert plan_install(FILE, FileState(theirs.encode()), change.receipt) is None


def test_a_newer_version_replaces_the_entries_of_an_older_one_and_restores_what_was_before_both() -> None:
    first = install(b'{"x": 1}')
    newer = SharedFile(PATH, (*ENTRIES[1:], JsonEntry(("permissions", "allow"), "Bash(homelab new)")))
    second = plan_install(newer, FileState(first.after), first.receipt)
    assert isinstance(second, FileChange)
    assert second.after is not None
    assert json.loads(second.after)["permissions"]["allow"] == ["Bash(homelab config)", "Bash(homelab new)"]
    back = plan_uninstall(newer, FileState(second.after), second.receipt)
    assert isinstance(back, FileChange)
    assert back.after == b'{"x": 1}'


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_is_not_plain_json_is_refused_with_a_remedy(text: str, said: str) -> None:
    refused = plan_install(FILE, FileState(text.encode()), None)
    assert isinstance(refused, FileRefused), refused
    assert said in refused.reason
    assert str(PATH) in refused.remedy


def test_what_is_not_utf_8_or_no_file_is_refused() -> None:
    for state in (FileState(b'{"a": "\xff"}'), FileState(problem="is a symbolic link")):
        assert isinstance(plan_install(FILE, state, None), FileRefused)


def test_a_file_of_ours_is_not_written_over_another_and_not_removed_once_changed() -> None:
    assert isinstance(plan_install(OWNED, FileState(b"theirs"), None), FileRefused)
    change = plan_install(OWNED, FileState(None), None)
    assert isinstance(change, FileChange)
    assert plan_install(OWNED, FileState(change.after), change.receipt) is None
    back = plan_uninstall(OWNED, FileState(change.after), change.receipt)
    assert isinstance(back, FileChange)
    assert back.after is None
    assert isinstance(plan_uninstall(OWNED, FileState(b"edited"), change.receipt), FileRefused)
    assert plan_uninstall(OWNED, FileState(b"theirs"), None) is None


def test_a_receipt_is_read_back() -> None:
    receipt = InstallReceipt(b"\xff{}", digest_of(b"x"), ENTRIES, ("/home/ann/.claude",))
    assert InstallReceipt.from_json(json.loads(json.dumps(receipt.to_json()))) == receipt


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(value=st.dictionaries(st.text(max_size=3), JSON, max_size=3), indent=st.sampled_from([None, 1, 4]))
def test_whatever_an_object_holds_only_the_entry_is_added_and_removed(
    value: dict[str, object], indent: int | None
) -> None:
    text = json.dumps(value, indent=indent)
    assert parse_json(text).value == value
    value.pop("our", None)
    text = json.dumps(value, indent=indent)
    added = add_items(text, ["our", "list"], ["x", {"y": [1]}])
    assert json.loads(added) == {**value, "our": {"list": ["x", {"y": [1]}]}}
    assert json.loads(remove_items(added, ["our", "list"], ["x", {"y": [1]}])) == {**value, "our": {"list": []}}
