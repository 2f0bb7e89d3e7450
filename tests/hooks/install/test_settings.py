"""Hooks in git's own settings, which git has since 2.54: for all repositories, and where files would be in the way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from homelab_hooks.hooks.install import apply as install_apply, plan as install_plan
from homelab_hooks.hooks.install.managers import HookManager
from tests.hooks.install.install_helpers import USERS, facts, hooking, private, put_in, take_out, texts, write
from tests.hooks.install.sandbox import HookSandbox, fired
from tests.hooks.install.test_tools import MANAGED, lands

pytestmark = pytest.mark.slow  # real git, a dozen times each


def test_all_repositories_fire_after_a_global_installation(new_sandbox: HookSandbox) -> None:
    before = private(new_sandbox)
    put_in(new_sandbox, everywhere=True)
    assert put_in(new_sandbox, everywhere=True).steps == ()

    expected = lands(new_sandbox)
    new_sandbox.push("origin", "HEAD:main")
    other = new_sandbox.other()
    sha = other.commit("theirs")
    other.git("push", "--quiet", "--no-verify", "origin", "HEAD:main")

    assert new_sandbox.calls == [*expected, fired("refs/remotes/origin/main", sha)]
    take_out(new_sandbox, everywhere=True)
    take_out(new_sandbox)  # the notes in this repository
    assert private(new_sandbox) == before


def test_a_push_fires_once_where_hooks_are_in_the_settings_and_in_the_repository(new_sandbox: HookSandbox) -> None:
    put_in(new_sandbox, everywhere=True)
    put_in(new_sandbox)
    expected = lands(new_sandbox)
    new_sandbox.push("--no-verify", "origin", "HEAD:main")
    assert new_sandbox.calls == expected


@pytest.mark.parametrize("gone", ["the shims", "their directory", "the execute bit", "their interpreter"])
def test_what_the_settings_name_may_be_gone(new_sandbox: HookSandbox, gone: str) -> None:
    put_in(new_sandbox, everywhere=True)
    shelf = facts(new_sandbox, everywhere=True).scope.shim_dir
    for shim in shelf.iterdir():
        match gone:
            case "the shims":
                shim.unlink()
            case "the execute bit":
                shim.chmod(0o644)
            case "their interpreter":
                shim.write_text(shim.read_text().replace("#!/bin/sh", "#!/gone/sh"))
            case _:
                pass
    if gone == "their directory":
        shutil.rmtree(shelf.parent)

    lands(new_sandbox)
    new_sandbox.mine.git("fetch")
    new_sandbox.mine.git("branch", "another")
    assert new_sandbox.git("gc", "--quiet").ok
    assert new_sandbox.calls == []


@pytest.mark.parametrize("cut", range(5))
def test_settings_that_were_cut_short_stop_no_git_and_are_completed_or_undone(
    new_sandbox: HookSandbox, cut: int
) -> None:
    before = private(new_sandbox)
    steps = install_apply.require_plan(install_plan.plan_install(facts(new_sandbox, everywhere=True), texts())).steps
    assert len(steps) == 4
    for repair in (put_in, take_out):
        install_apply.apply_steps(steps[:cut], hooking(new_sandbox))
        lands(new_sandbox)
        repair(new_sandbox, everywhere=True)
        if repair is put_in:
            assert put_in(new_sandbox, everywhere=True).steps == ()
            take_out(new_sandbox, everywhere=True)
        take_out(new_sandbox)
        assert private(new_sandbox) == before


def test_a_command_without_its_event_is_completed(new_sandbox: HookSandbox) -> None:
    put_in(new_sandbox, everywhere=True)
    for section in ("homelab-pre-push", "homelab-reference-transaction"):
        new_sandbox.mine.git("config", "--global", "--unset-all", f"hook.{section}.event")
    put_in(new_sandbox, everywhere=True)
    expected = lands(new_sandbox)
    assert new_sandbox.calls == expected


@pytest.mark.parametrize("whose", [HookManager.LEFTHOOK, HookManager.BRANCHLESS, HookManager.PRE_COMMIT], ids=str)
def test_a_managed_hook_and_ours_live_side_by_side(new_sandbox: HookSandbox, whose: HookManager) -> None:
    for name in ("pre-push", "reference-transaction"):
        write(new_sandbox.hooks / name, MANAGED[whose])
    before = private(new_sandbox)

    put_in(new_sandbox)
    expected = lands(new_sandbox)
    new_sandbox.push("origin", "HEAD:main")

    assert new_sandbox.calls == expected
    assert (new_sandbox.hooks / "reference-transaction").read_text() == MANAGED[whose]
    take_out(new_sandbox)
    assert private(new_sandbox) == before


def test_a_tracked_hooks_directory_is_left_as_it_is(new_sandbox: HookSandbox) -> None:
    mine = new_sandbox.mine
    write(mine.path / "hooks" / "reference-transaction", USERS.replace("$LOG", "/dev/null"))
    mine.git("config", "core.hooksPath", "hooks")
    mine.git("add", ".")
    mine.git("commit", "--quiet", "-m", "x")
    before = private(new_sandbox)

    put_in(new_sandbox)
    expected = lands(new_sandbox)

    assert new_sandbox.calls == expected
    assert mine.git("status", "--porcelain") == ""
    take_out(new_sandbox)
    assert private(new_sandbox) == before


def test_a_path_with_odd_characters_is_named_rightly(new_sandbox: HookSandbox, tmp_path: Path) -> None:
    new_sandbox.environ["XDG_DATA_HOME"] = str(tmp_path / 'it\'s $HOME; "data"')
    put_in(new_sandbox, everywhere=True)
    expected = lands(new_sandbox)
    assert new_sandbox.calls == expected
