"""Installing keeps what is there, can be repeated and cut short, and is undone byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.install import apply as install_apply, plan as install_plan
from homelab_hooks.hooks.install.plan import InstallPlan, InstallRefused
from tests.hooks.install.install_helpers import USERS, facts, hooking, private, put_in, snapshot, take_out, texts, write
from tests.hooks.install.sandbox import Desk, fired

pytestmark = pytest.mark.slow  # real git, a dozen times each

MAIN = "refs/remotes/origin/main"


def lands(desk: Desk, *options: str) -> list[str]:
    """Push a new commit; what ought to have been called for it."""
    desk.mine.git("commit", "--quiet", "--allow-empty", "-m", "another")
    sha = desk.mine.head
    desk.push("--quiet", *options, "origin", "HEAD:main")
    return [fired(MAIN, sha)]


def test_a_push_fires_after_installing_and_not_after_uninstalling(desk: Desk) -> None:
    before = private(desk)
    put_in(desk)
    expected = lands(desk)
    assert desk.calls == expected

    take_out(desk)
    lands(desk)

    assert desk.calls == expected
    assert private(desk) == before


def test_installing_again_changes_nothing(desk: Desk) -> None:
    put_in(desk)
    before = private(desk)
    assert put_in(desk).steps == ()
    assert private(desk) == before


def test_uninstalling_where_nothing_is_changes_nothing(desk: Desk) -> None:
    before = private(desk)
    assert take_out(desk).steps == ()
    assert private(desk) == before


def test_an_older_shim_of_ours_is_renewed(desk: Desk) -> None:
    put_in(desk)
    hook = desk.hooks / "pre-push"
    hook.write_text(hook.read_text() + "# older\n")
    assert len(put_in(desk).steps) == 1
    assert hook.read_text() == texts()["pre-push"]


def test_hooks_that_are_there_run_first_with_the_same_arguments_and_input(desk: Desk, tmp_path: Path) -> None:
    for name in ("pre-push", "reference-transaction"):
        write(desk.hooks / name, USERS)
    logs = []
    for number in (0, 1):
        desk.environ["LOG"] = str(tmp_path / f"log{number}")
        lands(desk)
        lines = Path(desk.environ["LOG"]).read_text().replace(".before-homelab", "").splitlines()
        logs.append([line if "|" in line else line.split(" ")[-1] for line in lines])
        put_in(desk)

    logs = [[word for word in log if set(word) - set("0123456789abcdef")] for log in logs]
    assert logs[0] == logs[1]
    assert "pre-push|origin ../srv/acme/app.git" in logs[1]
    assert "reference-transaction|prepared" in logs[1]
    assert len(desk.calls) == 1


@pytest.mark.parametrize("name", ["pre-push", "reference-transaction"])
def test_the_exit_code_of_a_hook_that_was_there_still_counts(desk: Desk, name: str) -> None:
    write(desk.hooks / name, '#!/bin/sh\ncat >/dev/null\n[ "$1" = committed ] || exit "${CODE:-0}"\n')
    put_in(desk)
    desk.mine.commit("a")

    done = desk.git("push", "--quiet", "origin", "HEAD:main", env={"CODE": "3"})
    commit = desk.git("commit", "--quiet", "--allow-empty", "-m", "x", env={"CODE": "3"})

    assert done.code == (1 if name == "pre-push" else 128), done
    assert commit.ok is (name == "pre-push")
    assert desk.calls == []


def test_hooks_that_were_there_are_put_back_as_they_were(desk: Desk) -> None:
    write(desk.hooks / "pre-push", USERS + "# \xfc\n", 0o744)
    write(desk.mine.path / ".git" / "mine", USERS)
    (desk.hooks / "reference-transaction").symlink_to("../mine")
    before = private(desk)

    put_in(desk)
    assert private(desk) != before
    take_out(desk)

    assert private(desk) == before


def test_a_hook_that_git_does_not_run_stays_so(desk: Desk, tmp_path: Path) -> None:
    write(desk.hooks / "pre-push", USERS, 0o644)
    desk.environ["LOG"] = str(tmp_path / "log")
    before = private(desk)
    put_in(desk)
    lands(desk)
    assert not (tmp_path / "log").exists()
    take_out(desk)
    assert private(desk) == before


def every_state(desk: Desk) -> InstallPlan:
    """A plan with a step of each kind that a repository can need."""
    write(desk.hooks / "pre-push", USERS)
    write(desk.hooks / "reference-transaction", USERS)
    desk.environ["LOG"] = "/dev/null"
    return install_apply.require_plan(install_plan.plan_install(facts(desk), texts()))


@pytest.mark.parametrize("cut", range(5))
def test_an_installation_that_was_cut_short_is_completed_or_undone(desk: Desk, cut: int) -> None:
    whole = every_state(desk)
    before = private(desk)
    assert len(whole.steps) == 4
    for repair in (put_in, take_out):
        install_apply.apply_steps(whole.steps[:cut], hooking(desk))
        write(desk.hooks / "pre-push.homelab-new-x1", "half a sh", 0o600)
        lands(desk)

        repair(desk)

        if repair is put_in:
            assert put_in(desk).steps == ()
            take_out(desk)
        assert private(desk) == before


@pytest.mark.parametrize("cut", range(6))
def test_a_removal_that_was_cut_short_is_completed(desk: Desk, cut: int) -> None:
    every_state(desk)
    before = private(desk)
    put_in(desk)
    lands(desk)
    install_apply.apply_steps(install_plan.plan_uninstall(facts(desk)).steps[:cut], hooking(desk))
    lands(desk)

    take_out(desk)

    assert private(desk) == before


def test_a_linked_worktree_installs_for_the_whole_repository(desk: Desk) -> None:
    desk.mine.git("worktree", "add", "--quiet", "-b", "there", "../there")
    put_in(desk, at=desk.mine.path.parent / "there")
    expected = lands(desk)
    assert desk.calls == expected


def test_a_hooks_directory_outside_is_used_where_this_repository_names_it(desk: Desk) -> None:
    desk.mine.git("config", "core.hooksPath", str(desk.folder / "my hooks"))
    put_in(desk)
    expected = lands(desk)
    assert desk.calls == expected
    take_out(desk)
    assert snapshot(desk.folder / "my hooks") == {}


def test_an_ignored_hooks_directory_in_the_work_tree_is_used(desk: Desk) -> None:
    """As husky's."""
    desk.mine.git("config", "core.hooksPath", ".husky/_")
    write(desk.mine.path / ".husky" / "_" / ".gitignore", "*", 0o644)
    pre_push = write(desk.mine.path / ".husky" / "_" / "pre-push", '#!/usr/bin/env sh\n. "$(dirname "$0")/h"\n')
    write(desk.mine.path / ".husky" / "_" / "h", "exit 0\n")
    before = private(desk)

    put_in(desk)
    expected = lands(desk)

    assert desk.calls == expected
    assert pre_push.read_text().endswith('/h"\n')
    assert desk.mine.git("status", "--porcelain", "--", ".husky/_") == ""
    take_out(desk)
    assert private(desk) == before


@pytest.mark.parametrize("state", ["tracked", "untracked", "through a link"])
def test_a_work_tree_is_never_made_dirty(desk: Desk, state: str) -> None:
    folder = "tools/hooks"
    write(desk.mine.path / folder / "reference-transaction", USERS.replace("$LOG", "/dev/null"))
    write(desk.mine.path / folder / "other", USERS)
    desk.mine.git("add", f"{folder}/other", *([f"{folder}/reference-transaction"] if state == "tracked" else []))
    desk.mine.git("commit", "--quiet", "-m", "hooks")
    if state == "through a link":
        desk.hooks.symlink_to("../tools/hooks")
    else:
        desk.mine.git("config", "core.hooksPath", folder)
    before, seen = private(desk), desk.mine.git("status", "--porcelain")
    decided = install_plan.plan_install(facts(desk), texts())
    if facts(desk).git < install_plan.CONFIG_HOOKS_VERSION:
        assert isinstance(decided, InstallRefused)
        assert "part of the work tree" in decided.reason
        assert decided.remedy
    else:
        put_in(desk)
        take_out(desk)
    assert desk.mine.git("status", "--porcelain") == seen
    assert private(desk) == before


def test_a_hooks_directory_for_all_repositories_is_left_to_the_global_installation(desk: Desk) -> None:
    theirs = desk.folder / "home" / "hooks"
    desk.mine.git("config", "--global", "core.hooksPath", "~/hooks")
    write(theirs / "pre-push", USERS)
    desk.environ["LOG"] = "/dev/null"
    before = private(desk)
    if facts(desk).git < install_plan.CONFIG_HOOKS_VERSION:
        refused = install_plan.plan_install(facts(desk), texts())
        assert refused == InstallRefused(
            f"{theirs} (git config core.hooksPath (global)) is used by every repository",
            "homelab hooks install --global",
        )

        put_in(desk, everywhere=True)
        expected = lands(desk)
        assert desk.calls == expected
        take_out(desk)
        assert (theirs / "pre-push.before-homelab").exists()

    take_out(desk, everywhere=True)
    take_out(desk)
    assert private(desk) == before


def test_an_older_git_needs_a_global_hooks_directory_for_all_repositories(desk: Desk) -> None:
    known = facts(desk, everywhere=True)._replace(git=(2, 53))
    refused = install_plan.plan_install(known, texts())
    assert isinstance(refused, InstallRefused)
    assert "2.54" in refused.reason
    assert "homelab hooks install" in refused.remedy


def test_a_git_that_is_too_old_is_refused(desk: Desk) -> None:
    """2.28.0 runs other hooks in place of ours, and each of its ref updates would fail."""
    refused = install_plan.plan_install(facts(desk)._replace(git=(2, 28)), texts())
    assert isinstance(refused, InstallRefused)
    assert "2.36" in refused.remedy


def test_bad_places_are_refused_with_a_remedy(desk: Desk, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    for place, word in ((nowhere, "not a git repository"), (desk.server, "bare repository")):
        with pytest.raises(CommandError, match=word) as found:
            put_in(desk, at=place)
        assert found.value.exit is ExitCode.REFUSED
        assert found.value.hint


@pytest.mark.parametrize(("path", "word"), [("/dev/null", "is not a directory"), ("/proc/self", "could not write ")])
def test_a_hooks_directory_that_is_none_or_cannot_be_written_is_refused(desk: Desk, path: str, word: str) -> None:
    desk.mine.git("config", "core.hooksPath", path)
    before = private(desk)
    with pytest.raises(CommandError, match=word) as found:
        put_in(desk)
    assert found.value.exit is ExitCode.REFUSED
    assert found.value.hint
    assert private(desk) == before


def test_a_directory_under_a_hooks_name_is_refused(desk: Desk) -> None:
    (desk.hooks / "reference-transaction").mkdir(parents=True)
    decided = install_plan.plan_install(facts(desk)._replace(git=(2, 40)), texts())
    assert isinstance(decided, InstallRefused)
    assert "is a directory" in decided.reason


def test_two_hooks_of_the_users_are_not_guessed_about(desk: Desk) -> None:
    """Ours was overwritten after it was installed."""
    write(desk.hooks / "reference-transaction", USERS)
    put_in(desk)
    write(desk.hooks / "reference-transaction", "#!/bin/sh\n# another\n")
    before = private(desk)
    decided = install_plan.plan_install(facts(desk)._replace(git=(2, 40)), texts())
    assert isinstance(decided, InstallRefused)
    assert "you have two hooks" in decided.reason
    take_out(desk)
    kept = [name for name in before if "reference-transaction" in name]
    assert {name: private(desk)[name] for name in kept} == {name: before[name] for name in kept}
