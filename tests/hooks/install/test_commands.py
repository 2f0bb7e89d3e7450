"""homelab hooks install, uninstall and status, as the commands that they are."""

from __future__ import annotations

import shutil

import pytest

from homelab_hooks.hooks.install import discover, shims, status as install_status
from homelab_hooks.hooks.install.managers import HookManager
from homelab_hooks.hooks.install.model import FileKind, HookFile
from homelab_hooks.hooks.install.status import StatusInput
from tests.cli.shell import PROGRAMS, Shell
from tests.hooks.install.install_helpers import USERS, facts, put_in, write
from tests.hooks.install.sandbox import HookSandbox
from tests.hooks.install.test_tools import MANAGED
from tests.views.schema import objects

pytestmark = pytest.mark.slow  # real processes


def test_install_status_and_uninstall_end_with_a_result(sandbox: HookSandbox) -> None:
    for spy in sandbox.programs.iterdir():
        spy.unlink()
    shell = Shell(sandbox.environ, sandbox.mine.path)
    verdicts = []
    for verb in ("status", "install", "install", "status", "uninstall", "uninstall"):
        ended = shell("homelab", "hooks", verb)
        assert ended.code == 0, ended
        assert len(ended.lines) == 1
        verdicts.append(ended.result["verdict"])
    assert verdicts == ["nothing", "ok", "nothing", "ok", "ok", "nothing"]


def test_the_path_of_this_homelab_is_recorded(sandbox: HookSandbox) -> None:
    shell = Shell(sandbox.environ, sandbox.mine.path)
    assert shell("homelab", "hooks", "install").code == 0
    text = (sandbox.hooks / "reference-transaction").read_text()
    assert shims.embedded_path(text) == discover.find_homelab({})


def test_json_says_whose_each_hook_is_and_whether_ours_are_in(sandbox: HookSandbox) -> None:
    write(sandbox.hooks / "pre-push", USERS)
    shell = Shell(sandbox.environ, sandbox.mine.path)
    shell("homelab", "hooks", "install")
    *said, result = objects(shell("homelab", "hooks", "status", "--output", "json").lines)
    assert (result["verdict"], result["exit"], result["reason"]) == ("ok", 0, "installed")
    texts = [line["text"] for line in said]
    assert "pre-push: homelab, runs after your hook (pre-push.before-homelab)" in texts
    assert "reference-transaction: homelab" in texts


def test_a_refusal_ends_with_20_and_a_remedy(sandbox: HookSandbox) -> None:
    sandbox.mine.git("config", "core.hooksPath", "/dev/null")
    ended = Shell(sandbox.environ, sandbox.mine.path)("homelab", "hooks", "install")
    assert (ended.code, ended.result["verdict"]) == (20, "refused")
    assert "hint: " in ended.err
    outside = Shell(sandbox.environ, sandbox.folder)("homelab", "hooks", "status")
    assert (outside.code, outside.result["verdict"]) == (20, "refused")


REFUSED_PLACES = {
    "core.hooksPath=/dev/null": "fix or unset git config core.hooksPath (local)",
    "core.hooksPath=": "fix or unset git config core.hooksPath (local)",
    "file": "move {hooks} out of the way",
    "core.hooksPath=tools": "add reference-transaction to .gitignore there",
}


@pytest.mark.parametrize("place", REFUSED_PLACES)
def test_status_does_not_recommend_what_would_be_refused(sandbox: HookSandbox, place: str) -> None:
    hooks = sandbox.mine.path / ".git/hooks"
    if place.startswith("core."):
        sandbox.mine.git("config", *place.split("="))
    else:
        shutil.rmtree(hooks, ignore_errors=True)
        hooks.touch()
    shell = Shell(sandbox.environ, sandbox.mine.path)
    refused, status = shell("homelab", "hooks", "install"), shell("homelab", "hooks", "status")
    assert (refused.code, status.code, status.result["verdict"]) == (20, 0, "nothing")
    remedy = REFUSED_PLACES[place].format(hooks=hooks)
    for ended in (refused, status):
        assert f"hint: {remedy}" in ended.err
    assert "homelab hooks install would be refused: " in status.err


def said(sandbox: HookSandbox, aim: StatusInput) -> str:
    return "\n".join(install_status.hook_status(facts(sandbox), facts(sandbox, everywhere=True), aim).lines)


def test_status_explains_what_fires_when(sandbox: HookSandbox) -> None:
    assert "nothing runs after a plain git push" in said(sandbox, StatusInput())
    put_in(sandbox)
    for mode, word in (
        ("", "foreground on a terminal"),
        ("background", "in the background"),
        ("off", "nothing happens"),
    ):
        assert word in said(sandbox, StatusInput(mode=mode, program="/x"))
    text = said(sandbox, StatusInput(target="stable", target_source="git config homelab.target (local)"))
    assert "after a git push to stable (git config homelab.target (local))" in text
    assert "/gone/homelab is missing" in text


def test_status_tells_of_hooks_that_do_not_run(sandbox: HookSandbox) -> None:
    put_in(sandbox)
    (sandbox.hooks / "pre-push").chmod(0o644)
    assert "not executable" in said(sandbox, StatusInput())
    sandbox.mine.git("config", "core.hooksPath", ".hooks")
    text = said(sandbox, StatusInput())
    assert "nothing runs after a plain git push" in text
    assert f"{sandbox.hooks / 'reference-transaction'}: homelab, but git does not use that directory" in text


def test_status_names_the_owner_of_each_hook(sandbox: HookSandbox) -> None:
    for whose, text in MANAGED.items():
        write(sandbox.hooks / "pre-push", text)
        assert f"pre-push: {whose}'s" in said(sandbox, StatusInput())
    write(sandbox.hooks / "pre-push", MANAGED[HookManager.PREK])
    write(
        sandbox.hooks / "pre-push.legacy", (write(sandbox.folder / "x", "#!/bin/sh\n# homelab-hooks: x\n")).read_text()
    )
    assert "pre-push: managed by prek, which calls homelab (pre-push.legacy)" in said(sandbox, StatusInput())
    write(sandbox.hooks / "pre-push", USERS)
    assert "pre-push: your hook; homelab is not installed" in said(sandbox, StatusInput())


def test_status_says_what_git_land_runs_afterwards(sandbox: HookSandbox) -> None:
    put_in(sandbox)
    assert "post-push: none; git land uses its own watch" in said(sandbox, StatusInput())
    own = StatusInput(post_push=HookFile(sandbox.hooks / "post-push", FileKind.FILE, USERS, executable=True))
    assert "post-push: you's" not in said(sandbox, own)
    assert "git land runs it instead of its own" in said(sandbox, own)


def test_git_land_is_an_alias_too_and_the_program_wins(sandbox: HookSandbox) -> None:
    for spy in sandbox.programs.iterdir():
        spy.unlink()
    sandbox.environ["PATH"] = f"{PROGRAMS}:{sandbox.environ['PATH']}"
    aliased = sandbox.git("-c", "alias.ship=!homelab work land", "ship", "-h")
    program = sandbox.git("-c", "alias.land=!false", "land", "-h")
    assert aliased.ok
    assert "homelab work land" in aliased.out
    assert program.ok
    assert "git land" in program.out
