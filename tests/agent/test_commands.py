"""homelab agent as a process: what it writes for each client, and that it is gone again afterwards."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.agent.rules import list_exact_commands, list_safe_prefixes
from homelab_hooks.cli.commands.agent import list_facts
from homelab_hooks.cli.commands.manifest import manifest_document
from homelab_hooks.simulators.repositories import Clone
from tests.cli.shell import Shell
from tests.views.schema import objects

CLIENTS = ["claude", "codex"]


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder with its content and permissions, except the receipts' empty folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and ".cache" not in path.parts)
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode) for path in files}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "agent-home"
    folder.mkdir()
    return folder


def test_a_command_that_may_run_without_asking_has_read_options_only() -> None:
    verbs = manifest_document()["verbs"]
    lines = list_exact_commands(list_facts())
    assert "homelab follow --timeout 45s --output json" in lines
    assert "homelab-watch" in lines
    assert write_options("homelab ci status --web", verbs) == {"--web"}
    assert write_options("homelab-watch --server http://evil", verbs) == {"--server"}
    for line in lines:
        assert write_options(line, verbs) == set(), line
        assert not line.startswith(("git ", "homelab work", "homelab ci restart", "homelab agent install"))
    for words in list_safe_prefixes(list_facts()):
        (verb,) = [verb for verb in verbs if ("homelab", *verb["verb"].split()) == words]
        assert {verb["tier"], *(option["tier"] for option in verb["options"])} == {"read"}


def write_options(line: str, verbs: list[dict[str, Any]]) -> set[str]:
    """The options of a command line that have the tier write in its own command."""
    (verb,) = [
        verb
        for verb in verbs
        if f"{line} ".startswith((f"homelab {verb['verb']} ", *([f"{verb['alias']} "] if verb["alias"] else [])))
    ]
    assert verb["tier"] == "read", line
    write = {name for option in verb["options"] if option["tier"] == "write" for name in option["names"]}
    return write & set(line.split())


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
def test_installed_shown_and_uninstalled_without_a_trace(bare: Shell, home: Path, client: str) -> None:
    own = home / ".claude" / "settings.json"
    own.parent.mkdir()
    own.write_bytes(b'{"env": {"TOKEN": "s3cret"},\r\n "permissions": {"deny": ["Read(.env)"]}, "s3cret": 1}')
    own.chmod(0o640)
    before = tree(home)
    bare.more |= {"HOME": str(home), "XDG_STATE_HOME": str(home / "state")}

    refused = bare("homelab", "agent", "install", client)
    assert (refused.code, refused.result["verdict"], tree(home)) == (20, "refused", before)
    assert "s3cret" not in refused.err
    assert "hint: to write them without a question, run the command with --yes" in refused.err

    done = objects(bare("homelab", "agent", "install", client, "--yes", "--output", "json").lines)
    assert (done[-1]["verdict"], done[-1]["reason"]) == ("ok", "installed")
    assert own.stat().st_mode & 0o777 == 0o640
    check_files(home, client)
    assert bare("homelab", "agent", "status", client).result["verdict"] == "ok"
    assert bare("homelab", "agent", "install", client, "--yes").result["verdict"] == "nothing"

    assert bare("homelab", "agent", "uninstall", client).code == 20
    assert bare("homelab", "agent", "uninstall", client, "--yes").result["verdict"] == "ok"
    assert tree(home) == before
    assert not (home / ".codex").exists()
    assert bare("homelab", "agent", "uninstall", client, "--yes").result["verdict"] == "nothing"
    assert bare("homelab", "agent", "status", client).result["verdict"] == "nothing"


def check_files(home: Path, client: str) -> None:
    """The files of a client have the rules, the hook, and the skill."""
    if client == "claude":
        settings = json.loads((home / ".claude/settings.json").read_bytes())
        assert "Bash(homelab doctor --output json)" in settings["permissions"]["allow"]
        assert settings["permissions"]["deny"] == ["Read(.env)"]
        (group,) = settings["hooks"]["PostToolUse"]
        assert {hook["asyncRewake"] for hook in group["hooks"]} == {True}
        assert (home / ".claude/skills/homelab/SKILL.md").read_text().startswith("---\nname: homelab\n")
    else:
        rules = (home / ".codex/rules/homelab.rules").read_text()
        assert 'prefix_rule(pattern = ["homelab", "manifest"], decision = "allow")' in rules
        assert "follow" not in rules
        assert (home / ".agents/skills/homelab/SKILL.md").exists()


@pytest.mark.slow
def test_a_file_that_cannot_be_edited_is_refused_and_nothing_is_written(bare: Shell, home: Path) -> None:
    bare.more |= {"HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    settings, other = home / ".claude" / "settings.json", home / "other.json"
    settings.parent.mkdir()
    other.write_text("{}")
    for make, said in (
        (lambda: settings.symlink_to(other), "is a symbolic link"),
        (settings.mkdir, "is not a regular file"),
        (lambda: os.mkfifo(settings), "is not a regular file"),
        (lambda: settings.hardlink_to(other), "has other hard links"),
        (lambda: settings.touch(0o444), "is read-only"),
        (lambda: settings.write_bytes(b" " * 1_000_001), "is larger than"),
        (lambda: settings.write_text('{"a": 1, // mine\n}'), "line 1"),
    ):
        make()
        ended = bare("homelab", "agent", "install", "claude", "--yes")
        assert (ended.code, ended.result["verdict"]) == (20, "refused"), ended
        assert said in ended.err
        assert "hint: make " in ended.err
        assert other.read_text() == "{}"
        assert not (home / ".claude/skills").exists()
        if settings.is_dir():
            settings.rmdir()
        else:
            settings.unlink()


@pytest.mark.slow
def test_in_a_project_only_ignored_files_are_written(shell: Shell, clone: Clone, tmp_path: Path) -> None:
    shell.more |= {"XDG_STATE_HOME": str(tmp_path / "state")}
    refused = shell("homelab", "agent", "install", "claude", "--project", "--yes")
    assert refused.code == 20, refused
    assert "git does not ignore .claude/settings.local.json, .claude/skills/homelab/SKILL.md" in refused.err
    (clone.path / ".git/info").mkdir(exist_ok=True)
    (clone.path / ".git/info/exclude").write_text("/.claude/settings.local.json\n/.claude/skills/homelab/SKILL.md\n")
    assert shell("homelab", "agent", "install", "claude", "--project", "--yes").code == 0
    assert clone.git("status", "--porcelain") == ""
    assert shell("homelab", "agent", "uninstall", "claude", "--project", "--yes").code == 0
    assert not (clone.path / ".claude").exists()
    (clone.path / ".claude").symlink_to(tmp_path)
    assert (
        "is below the symbolic link .claude" in shell("homelab", "agent", "install", "claude", "--project", "--yes").err
    )


@pytest.mark.slow
def test_the_waking_hook_ends_at_once_where_no_watcher_runs(bare: Shell, shell: Shell) -> None:
    for place in (bare, shell):
        ended = place("homelab", "agent", "wake")
        assert (ended.code, ended.out, ended.err) == (0, "", "")
