"""Installing keeps what is there, can be repeated and cut short, and is undone byte for byte."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.install import apply as install_apply, plan as install_plan
from homelab_hooks.hooks.install.plan import InstallPlan, InstallRefused
from tests.hooks.install.install_helpers import USERS, facts, hooking, private, put_in, snapshot, take_out, texts, write
from tests.hooks.install.sandbox import HookSandbox, fired

pytestmark = pytest.mark.slow  # real git, a dozen times each

MAIN = "refs/remotes/origin/main"


def lands(sandbox: HookSandbox, *options: str) -> list[str]:
    """Push a new commit; what ought to have been called for it."""
    sandbox.mine.git("commit", "--quiet", "--allow-empty", "-m", "another")
    sha = sandbox.mine.head
    sandbox.push("--quiet", *options, "origin", "HEAD:main")
    return [fired(MAIN, sha)]


def test_a_push_fires_after_installing_and_not_after_uninstalling(sandbox: HookSandbox) -> None:
    before = private(sandbox)
    put_in(sandbox)
    expected = lands(sandbox)
    assert sandbox.calls == expected

    take_out(sandbox)
    lands(sandbox)

    assert sandbox.calls == expected
    assert private(sandbox) == before


def test_installing_again_changes_nothing(sandbox: HookSandbox) -> None:
    put_in(sandbox)
    before = private(sandbox)
    assert put_in(sandbox).steps == ()
    assert private(sandbox) == before


def test_uninstalling_where_nothing_is_changes_nothing(sandbox: HookSandbox) -> None:
    before = private(sandbox)
    assert take_out(sandbox).steps == ()
    assert private(sandbox) == before


def test_our_older_shim_is_renewed(sandbox: HookSandbox) -> None:
    put_in(sandbox)
    hook = sandbox.hooks / "pre-push"
    source = texts()["pre-push"].splitlines()[:-1]
    older = "\n".join([*source, "# older", ""])
    hook.write_text(f"{older}# homelab-hooks checksum: {hashlib.sha256(older.encode()).hexdigest()[:16]}\n")
    assert len(put_in(sandbox).steps) == 1
    assert hook.read_text() == texts()["pre-push"]


def test_hooks_that_are_there_run_first_with_the_same_arguments_and_input(sandbox: HookSandbox, tmp_path: Path) -> None:
    for name in ("pre-push", "reference-transaction"):
        write(sandbox.hooks / name, USERS)
    logs = []
    for number in (0, 1):
        sandbox.environ["LOG"] = str(tmp_path / f"log{number}")
        lands(sandbox)
        lines = Path(sandbox.environ["LOG"]).read_text().replace(".before-homelab", "").splitlines()
        logs.append([line if "|" in line else line.split(" ")[-1] for line in lines])
        put_in(sandbox)

    logs = [[word for word in log if set(word) - set("0123456789abcdef")] for log in logs]
    assert logs[0] == logs[1]
    assert "pre-push|origin ../srv/acme/app.git" in logs[1]
    assert "reference-transaction|prepared" in logs[1]
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize("name", ["pre-push", "reference-transaction"])
def test_the_exit_code_of_a_hook_that_was_there_still_counts(sandbox: HookSandbox, name: str) -> None:
    write(sandbox.hooks / name, '#!/bin/sh\ncat >/dev/null\n[ "$1" = committed ] || exit "${CODE:-0}"\n')
    put_in(sandbox)
    sandbox.mine.commit("a")

    done = sandbox.git("push", "--quiet", "origin", "HEAD:main", env={"CODE": "3"})
    commit = sandbox.git("commit", "--quiet", "--allow-empty", "-m", "x", env={"CODE": "3"})

    assert done.code == (1 if name == "pre-push" else 128), done
    assert commit.ok is (name == "pre-push")
    assert sandbox.calls == []


def test_hooks_that_were_there_are_put_back_as_they_were(sandbox: HookSandbox) -> None:
    write(sandbox.hooks / "pre-push", USERS + "# \xfc\n", 0o744)
    write(sandbox.mine.path / ".git" / "mine", USERS)
    (sandbox.hooks / "reference-transaction").symlink_to("../mine")
    before = private(sandbox)

    put_in(sandbox)
    assert private(sandbox) != before
    take_out(sandbox)

    assert private(sandbox) == before


def test_a_hook_that_git_does_not_run_stays_so(sandbox: HookSandbox, tmp_path: Path) -> None:
    write(sandbox.hooks / "pre-push", USERS, 0o644)
    sandbox.environ["LOG"] = str(tmp_path / "log")
    before = private(sandbox)
    put_in(sandbox)
    lands(sandbox)
    assert not (tmp_path / "log").exists()
    take_out(sandbox)
    assert private(sandbox) == before


def every_state(sandbox: HookSandbox) -> InstallPlan:
    """A plan with a step of each kind that a repository can need."""
    write(sandbox.hooks / "pre-push", USERS)
    write(sandbox.hooks / "reference-transaction", USERS)
    sandbox.environ["LOG"] = "/dev/null"
    return install_apply.require_plan(install_plan.plan_install(facts(sandbox), texts()))


@pytest.mark.parametrize("cut", range(5))
def test_an_installation_that_was_cut_short_is_completed_or_undone(sandbox: HookSandbox, cut: int) -> None:
    whole = every_state(sandbox)
    before = private(sandbox)
    assert len(whole.steps) == 4
    for repair in (put_in, take_out):
        install_apply.apply_steps(whole.steps[:cut], hooking(sandbox))
        write(sandbox.hooks / "pre-push.homelab-new-x1", "half a sh", 0o600)
        lands(sandbox)

        repair(sandbox)

        if repair is put_in:
            assert put_in(sandbox).steps == ()
            take_out(sandbox)
        assert private(sandbox) == before


@pytest.mark.parametrize("cut", range(6))
def test_a_removal_that_was_cut_short_is_completed(sandbox: HookSandbox, cut: int) -> None:
    every_state(sandbox)
    before = private(sandbox)
    put_in(sandbox)
    lands(sandbox)
    install_apply.apply_steps(install_plan.plan_uninstall(facts(sandbox)).steps[:cut], hooking(sandbox))
    lands(sandbox)

    take_out(sandbox)

    assert private(sandbox) == before


def test_a_linked_worktree_installs_for_the_whole_repository(sandbox: HookSandbox) -> None:
    sandbox.mine.git("worktree", "add", "--quiet", "-b", "there", "../there")
    put_in(sandbox, at=sandbox.mine.path.parent / "there")
    expected = lands(sandbox)
    assert sandbox.calls == expected


def test_a_hooks_directory_outside_is_used_where_this_repository_names_it(sandbox: HookSandbox) -> None:
    sandbox.mine.git("config", "core.hooksPath", str(sandbox.folder / "my hooks"))
    put_in(sandbox)
    expected = lands(sandbox)
    assert sandbox.calls == expected
    take_out(sandbox)
    assert snapshot(sandbox.folder / "my hooks") == {}


def test_an_ignored_hooks_directory_in_the_work_tree_is_used(sandbox: HookSandbox) -> None:
    """As husky's."""
    sandbox.mine.git("config", "core.hooksPath", ".husky/_")
    write(sandbox.mine.path / ".husky" / "_" / ".gitignore", "*", 0o644)
    pre_push = write(sandbox.mine.path / ".husky" / "_" / "pre-push", '#!/usr/bin/env sh\n. "$(dirname "$0")/h"\n')
    write(sandbox.mine.path / ".husky" / "_" / "h", "exit 0\n")
    before = private(sandbox)

    put_in(sandbox)
    expected = lands(sandbox)

    assert sandbox.calls == expected
    assert pre_push.read_text().endswith('/h"\n')
    assert sandbox.mine.git("status", "--porcelain", "--", ".husky/_") == ""
    take_out(sandbox)
    assert private(sandbox) == before


@pytest.mark.parametrize("state", ["tracked", "untracked", "through a link"])
def test_a_work_tree_is_never_made_dirty(sandbox: HookSandbox, state: str) -> None:
    folder = "tools/hooks"
    write(sandbox.mine.path / folder / "reference-transaction", USERS.replace("$LOG", "/dev/null"))
    write(sandbox.mine.path / folder / "other", USERS)
    sandbox.mine.git("add", f"{folder}/other", *([f"{folder}/reference-transaction"] if state == "tracked" else []))
    sandbox.mine.git("commit", "--quiet", "-m", "hooks")
    if state == "through a link":
        sandbox.hooks.symlink_to("../tools/hooks")
    else:
        sandbox.mine.git("config", "core.hooksPath", folder)
    before, seen = private(sandbox), sandbox.mine.git("status", "--porcelain")
    decided = install_plan.plan_install(facts(sandbox), texts())
    if facts(sandbox).git < install_plan.CONFIG_HOOKS_VERSION:
        assert isinstance(decided, InstallRefused)
        assert "in the working tree" in decided.reason
        assert decided.remedy
    else:
        put_in(sandbox)
        take_out(sandbox)
    assert sandbox.mine.git("status", "--porcelain") == seen
    assert private(sandbox) == before


def test_a_hooks_directory_for_all_repositories_is_left_to_the_global_installation(sandbox: HookSandbox) -> None:
    theirs = sandbox.folder / "home" / "hooks"
    sandbox.mine.git("config", "--global", "core.hooksPath", "~/hooks")
    write(theirs / "pre-push", USERS)
    sandbox.environ["LOG"] = "/dev/null"
    before = private(sandbox)
    if facts(sandbox).git < install_plan.CONFIG_HOOKS_VERSION:
        refused = install_plan.plan_install(facts(sandbox), texts())
        assert refused == InstallRefused(
            f"{theirs} (git config core.hooksPath (global)) is used by every repository",
            "run homelab hooks install --global",
        )

        put_in(sandbox, everywhere=True)
        expected = lands(sandbox)
        assert sandbox.calls == expected
        take_out(sandbox)
        assert (theirs / "pre-push.before-homelab").exists()

    take_out(sandbox, everywhere=True)
    take_out(sandbox)
    assert private(sandbox) == before


def test_an_older_git_needs_a_global_hooks_directory_for_all_repositories(sandbox: HookSandbox) -> None:
    known = facts(sandbox, everywhere=True)._replace(git=(2, 53))
    refused = install_plan.plan_install(known, texts())
    assert isinstance(refused, InstallRefused)
    assert "2.54" in refused.reason
    assert "homelab hooks install" in refused.remedy


def test_a_git_that_is_too_old_is_refused(sandbox: HookSandbox) -> None:
    """Git 2.28.0 runs the hooks of another directory, and each of its ref updates would fail."""
    refused = install_plan.plan_install(facts(sandbox)._replace(git=(2, 28)), texts())
    assert isinstance(refused, InstallRefused)
    assert "2.36" in refused.remedy


def test_bad_places_are_refused_with_a_remedy(sandbox: HookSandbox, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    for place, word in ((nowhere, "not a git repository"), (sandbox.server, "bare repositories")):
        with pytest.raises(CommandError, match=word) as found:
            put_in(sandbox, at=place)
        assert found.value.exit is ExitCode.REFUSED
        assert found.value.hint


@pytest.mark.parametrize(("path", "word"), [("/dev/null", "is not a directory"), ("/proc/self", "could not write ")])
def test_a_hooks_directory_that_is_none_or_cannot_be_written_is_refused(
    sandbox: HookSandbox, path: str, word: str
) -> None:
    sandbox.mine.git("config", "core.hooksPath", path)
    before = private(sandbox)
    with pytest.raises(CommandError, match=word) as found:
        put_in(sandbox)
    assert found.value.exit is ExitCode.REFUSED
    assert found.value.hint
    assert private(sandbox) == before


def test_a_directory_under_a_hooks_name_is_refused(sandbox: HookSandbox) -> None:
    (sandbox.hooks / "reference-transaction").mkdir(parents=True)
    decided = install_plan.plan_install(facts(sandbox)._replace(git=(2, 40)), texts())
    assert isinstance(decided, InstallRefused)
    assert "is a directory" in decided.reason


def test_two_hooks_of_the_users_are_not_guessed_about(sandbox: HookSandbox) -> None:
    """Ours was overwritten after it was installed."""
    write(sandbox.hooks / "reference-transaction", USERS)
    put_in(sandbox)
    write(sandbox.hooks / "reference-transaction", "#!/bin/sh\n# another\n")
    before = private(sandbox)
    decided = install_plan.plan_install(facts(sandbox)._replace(git=(2, 40)), texts())
    assert isinstance(decided, InstallRefused)
    assert "you have two hooks" in decided.reason
    take_out(sandbox)
    kept = [name for name in before if "reference-transaction" in name]
    assert {name: private(sandbox)[name] for name in kept} == {name: before[name] for name in kept}


@pytest.mark.parametrize("how", ["appended", "in the middle"])
def test_lines_that_were_added_to_our_shim_are_not_thrown_away(sandbox: HookSandbox, how: str) -> None:
    """Tools append to a hook that is there. Neither command touches the file, and both name it; status does too."""
    put_in(sandbox)
    hook = sandbox.hooks / "pre-push"
    text = hook.read_text()
    edited = f"{text}echo mine\n" if how == "appended" else text.replace("\nlines=", "\necho mine\nlines=", 1)
    assert edited != text
    hook.write_text(edited)
    for version in ((2, 40), (2, 54)):
        decided = install_plan.plan_install(facts(sandbox)._replace(git=version), texts())
        assert isinstance(decided, install_plan.InstallPlan)
        assert any(f"{hook} was edited after it was installed" in message for message in decided.messages)
        assert not any(getattr(step, "path", None) == hook for step in decided.steps)
    done = take_out(sandbox)
    assert any(message.startswith(f"{hook}: kept") for message in done.messages)
    assert hook.read_text() == edited


@pytest.mark.parametrize("text", ["case ${0##*/} in pre-push) exit ;; esac", 'exec hooks.d/"$(basename "$0")"'])
def test_a_hook_that_depends_on_its_name_keeps_it(sandbox: HookSandbox, text: str) -> None:
    """The other hook is installed, and pushes are detected without this one."""
    hook = write(sandbox.hooks / "pre-push", f"#!/bin/sh\n{text}\n")
    decided = install_plan.plan_install(facts(sandbox)._replace(git=(2, 40)), texts())
    assert isinstance(decided, install_plan.InstallPlan)
    assert any("depends on its own name" in message for message in decided.messages)
    assert not any(getattr(step, "path", None) == hook for step in decided.steps)
