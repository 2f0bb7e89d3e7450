"""A repository that would run a spy whichever way git allows: verbs that only look never do."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_hooks.cli.verbs import COMMANDS
from homelab_hooks.simulators.git_http import GitFault, GitService
from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker import timelines
from tests.security.canary_clone import CanarySandbox

pytestmark = pytest.mark.slow

NEW = "b" * 40
LOOKS = {
    ("ci", "watch"): ("homelab-watch", "--appear-timeout", "0"),
    ("ci", "status"): ("homelab", "ci", "status"),
    ("ci", "logs"): ("homelab", "ci", "logs"),
    ("follow",): ("homelab", "follow", "--onto", "main", "--appear-timeout", "0"),
    ("deploy", "wait"): ("homelab", "deploy", "wait", "shop/nothing"),
    ("hooks", "status"): ("homelab", "hooks", "status"),
    ("trust", "list"): ("homelab", "trust", "list"),
    ("doctor",): ("homelab", "doctor"),
    ("config",): ("homelab", "config"),
    ("manifest",): ("homelab", "manifest"),
    ("completion",): ("homelab", "completion", "bash"),
    ("agent", "status"): ("homelab", "agent", "status", "claude", "--project"),
    ("agent", "wake"): ("homelab", "agent", "wake"),
}
GATE = 'printf "x %s refs/heads/main %040d\\n" "$(cat .git/refs/heads/topic)" 0 | exec homelab hooks verify origin url'
GATES = {("hooks", name) for name in ("ci-green", "land-only")}
"""run by git's own hooks, which the user has installed"""


@dataclass
class HookTrap:
    """The sandbox, and a program that creates a marker file when it is run."""

    sandbox: CanarySandbox

    @property
    def spy(self) -> Path:
        return self.sandbox.folder / "kept/spy"

    @property
    def sprung(self) -> list[str]:
        """Who ran the spy."""
        mark = self.sandbox.folder / "kept/mark"
        return mark.read_text().splitlines() if mark.exists() else []

    def command(self, name: str, then: str = "") -> str:
        """A command for a setting, which says who it is."""
        return f"{self.spy} {name}; {then}" if then else f"{self.spy} {name}"


@pytest.fixture
def trap(sandbox: CanarySandbox) -> HookTrap:
    """The clone's remote is the bare repository itself."""
    made = HookTrap(sandbox)
    made.spy.parent.mkdir()
    made.spy.write_text(f'#!/bin/sh\necho "$1" >>{shlex.quote(str(made.spy.parent / "mark"))}\n')
    made.spy.chmod(0o755)
    sandbox.clone.git("remote", "set-url", "origin", str(sandbox.workshop.bare_path))
    return made


def every_setting(trap: HookTrap) -> None:
    """Whatever git's settings can have run, while the working tree looks changed to git and commits are missing."""
    sandbox, clone, run = trap.sandbox, trap.sandbox.clone, trap.command
    clone.write(".gitattributes", "* filter=evil diff=evil\n")
    clone.git("add", ".gitattributes")
    clone.git("commit", "--quiet", "-m", "attributes")
    submodule(trap)
    settings = {
        "core.fsmonitor": run("fsmonitor"), "core.pager": run("pager"), "core.editor": run("editor"),
        "core.alternateRefsCommand": run("alternates"), "core.hooksPath": str(hooks(trap)),
        "core.askPass": str(trap.spy), "diff.external": run("external diff"), "diff.evil.textconv": run("textconv"),
        "filter.evil.clean": run("clean", "cat"), "filter.evil.smudge": run("smudge", "cat"),
        "filter.evil.required": "true", "gpg.program": str(trap.spy),
        "log.showSignature": "true", "pager.status": run("pager"), "pager.ls-remote": run("pager"),
        "sequence.editor": run("editor"), "alias.status": f"!{run('alias')}", "alias.ls-remote": f"!{run('alias')}",
        "protocol.ext.allow": "always", "remote.origin.uploadpack": run("upload-pack", "git-upload-pack"),
        "remote.evil.url": f"ext::{run('ext')}", "remote.promised.url": str(sandbox.workshop.bare_path),
        "remote.promised.uploadpack": run("promisor", "git-upload-pack"), "remote.promised.promisor": "true",
        "extensions.partialClone": "promised",
        "core.repositoryFormatVersion": "1", "gc.auto": "1", "maintenance.auto": "true",
    }  # fmt: skip
    for key, value in settings.items():
        sandbox.configure(key, value)
    alternates = clone.path / ".git/objects/info/alternates"
    alternates.write_text(f"{sandbox.workshop.bare_path}/objects\n")
    clone.write("README", "hello\n")  # the same text, written later than the index


def submodule(trap: HookTrap) -> None:
    """One that is checked out, with a repository whose own settings are hostile."""
    clone = trap.sandbox.clone
    inner = Clone(clone.path / "inner", trap.sandbox.shell.environ)
    inner.path.mkdir()
    inner.git("init", "--quiet")
    inner.write(".gitattributes", "* filter=inner\n")
    inner.commit("i")
    inner.git("config", "filter.inner.clean", trap.command("submodule-filter", "cat"))
    inner.write("i", "i\n")
    inner.git("config", "core.fsmonitor", trap.command("submodule-fsmonitor"))
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{inner.head},inner")
    clone.write(".gitmodules", f'[submodule "inner"]\n\tpath = inner\n\turl = ext::{trap.command("submodule")}\n')
    clone.git("add", ".gitmodules")
    clone.git("commit", "--quiet", "-m", "a submodule")


def hooks(trap: HookTrap) -> Path:
    """Every hook there is, in the tracked tree."""
    folder = trap.sandbox.clone.path / "tracked-hooks"
    folder.mkdir()
    for name in ("reference-transaction", "post-index-change", "post-checkout", "pre-push", "post-push", "post-merge",
                 "pre-auto-gc", "fsmonitor-watchman"):  # fmt: skip
        (folder / name).write_text(f"#!/bin/sh\n{trap.command(name)}\n")
        (folder / name).chmod(0o755)
    return folder


def by_ext(trap: HookTrap) -> None:
    """The remote itself is a command."""
    trap.sandbox.configure("protocol.ext.allow", "always")
    trap.sandbox.clone.git("remote", "set-url", "origin", f"ext::{trap.command('ext')} %S")
    trap.sandbox.configure("homelab.target", "main")


def by_options(trap: HookTrap) -> None:
    """Names that look like options, or like a shell's."""
    sandbox = trap.sandbox
    sandbox.configure("remote.origin.url", f"--upload-pack={trap.command('option')}")
    sandbox.clone.git("remote", "add", "up", f"ssh://-oProxyCommand={shlex.quote(trap.command('ssh'))}/acme/app.git")
    sandbox.clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/--exec=x")
    sandbox.configure("homelab.target", "$(touch${IFS}x)")


def by_tracked_file(trap: HookTrap) -> None:
    run = trap.command
    trap.sandbox.clone.write(
        ".homelab.toml",
        f'verify = "{run("verify")}"\ndeploy = ["shop/--kubeconfig=x", "-x/y", "shop/nothing"]\n'
        f'notify = "{run("notify")}"\nserver = "https://evil.example.test"\n',
    )
    trap.sandbox.clone.write("Makefile", f"X := $(shell {run('make')})\ntest:\n\t{run('make')}\n")
    trap.sandbox.clone.write(".pre-commit-config.yaml", "repos: []\ndefault_stages: [pre-push]\n")
    trap.sandbox.clone.commit("$(touch x)\n--exec=x;`touch y`", message=f"$({run('message')})")


def missing_commit(trap: HookTrap) -> None:
    """CI speaks of a commit that is to be looked for."""
    every_setting(trap)
    trap.sandbox.pipeline(timelines.make_superseded(by=2))
    trap.sandbox.woodpecker.push("acme/app", "main", NEW, timelines.make_green(), after=-30.0)


def by_hooks(trap: HookTrap) -> None:
    """A git that moves a ref of its own while it fetches, as newer ones may: for a bundle, or a remote's HEAD."""
    missing_commit(trap)
    more, folder = trap.sandbox.shell.more, trap.sandbox.folder / "kept/bin"
    real = shutil.which("git", path=more["PATH"])
    moves = f'case " $* " in *" fetch "*) {real} update-ref "refs/bundles/$$" HEAD ;; esac'
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\n{moves}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    more["PATH"] = f"{folder}:{more['PATH']}"


def by_password(trap: HookTrap) -> None:
    """A remote that wants a password, and a program to ask for it."""
    trap.sandbox.git.plan.faults[GitService.FETCH_REFS] = GitFault.UNAUTHORIZED
    trap.sandbox.configure("core.askPass", str(trap.spy))
    trap.sandbox.clone.git("remote", "set-url", "origin", f"{trap.sandbox.git.url}/acme/app.git")


def by_signature(trap: HookTrap) -> None:
    """A signed commit, and a program to look at its signature whenever git shows it."""
    clone = trap.sandbox.clone
    head, _, rest = clone.git("cat-file", "commit", "HEAD").partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    signed = trap.sandbox.folder / "kept/signed"
    signed.write_text(f"{head}\n{signature}\n\n{rest}\n")
    clone.git("reset", "--quiet", "--hard", clone.git("hash-object", "-t", "commit", "-w", str(signed)))
    trap.sandbox.configure("gpg.program", str(trap.spy))
    trap.sandbox.configure("log.showSignature", "true")


TRAPS: list[Callable[[HookTrap], None]] = [
    every_setting, missing_commit, by_ext, by_options, by_tracked_file, by_hooks, by_password, by_signature,
]  # fmt: skip


def test_every_read_only_verb_is_tried() -> None:
    assert {verb.words for verb in COMMANDS if verb.tier == "read"} == {*LOOKS, *GATES}


@pytest.mark.parametrize("lay", TRAPS, ids=lambda lay: lay.__name__)
def test_a_read_only_command_runs_nothing_of_the_repositorys(trap: HookTrap, lay: Callable[[HookTrap], None]) -> None:
    lay(trap)
    for mark in (trap.spy.parent / "mark",):
        mark.unlink(missing_ok=True)
    for argv in LOOKS.values():
        ended = trap.sandbox.shell(*argv)
        assert "Traceback" not in ended.err
        assert "a fault of" not in ended.err, ended
        assert trap.sprung == [], argv
    assert not (trap.sandbox.clone.path / "x").exists()


def test_the_traps_do_spring_where_git_is_asked_plainly(trap: HookTrap) -> None:
    """Else the tests above would show nothing."""
    every_setting(trap)
    (trap.spy.parent / "mark").unlink(missing_ok=True)
    shell = trap.sandbox.shell
    for words in (
        "status",
        "config --unset core.fsmonitor",
        "status",
        "ls-remote origin",
        "cat-file -e " + NEW,
        "fetch evil",
    ):
        shell("/usr/bin/env", "-C", str(trap.sandbox.clone.path), "git", *words.split())
    commands = {"submodule-fsmonitor", "submodule-filter", "fsmonitor", "clean", "upload-pack", "promisor", "ext"}
    assert commands <= set(trap.sprung)


@pytest.mark.parametrize(
    ("lay", "asked"),
    [(by_password, "ls-remote origin"), (by_signature, "show --no-patch HEAD")],
    ids=["password", "sign"],
)
def test_so_do_those_for_a_password_and_a_signature(
    trap: HookTrap, lay: Callable[[HookTrap], None], asked: str
) -> None:
    lay(trap)
    trap.sandbox.shell("/usr/bin/env", "-C", str(trap.sandbox.clone.path), "git", *asked.split())
    assert trap.sprung


@pytest.mark.parametrize("argv", [("git-land", "--no-ci-watch"), ("/bin/sh", "-c", GATE)], ids=["land", "gate"])
def test_a_tracked_files_command_is_not_run_before_the_user_agreed(trap: HookTrap, argv: tuple[str, ...]) -> None:
    """Not by a landing, and not by the gate before a plain push."""
    clone = trap.sandbox.clone
    clone.commit(".homelab.toml", f'verify = "{trap.command("verify")}"\ntarget = "main"\n')
    refused = trap.sandbox.shell(*argv)
    assert (refused.code, trap.sprung) == (20, []), refused
    assert "has not been approved" in refused.err
    trap.sandbox.configure("homelab.verify", trap.command("agreed"))
    ended = trap.sandbox.shell(*argv)
    assert (ended.code, trap.sprung) == (0, ["agreed"]), ended


def test_a_landing_runs_its_verification_gits_own_hooks_and_nothing_else(trap: HookTrap) -> None:
    """Names of branches and files that look like options or commands are names; aliases and pagers are not run."""
    clone, run = trap.sandbox.clone, trap.command
    clone.git("switch", "--quiet", "-c", "$(touch${IFS}x);`id`")
    clone.commit("-x $(touch x)\n--exec=y")
    for key in ("core.pager", "core.editor", "sequence.editor", "diff.external", "alias.push", "alias.merge"):
        trap.sandbox.configure(key, run(key))
    trap.sandbox.workshop.write_hook("pre-push", run("pre-push"), where=clone.path / ".git/hooks")
    bob = trap.sandbox.workshop.clone("bob")
    bob.commit("b", message=f"$({run('message')})")
    bob.git("push", "--quiet", "origin", "HEAD:main")
    ended = trap.sandbox.shell("git-land", "--no-ci-watch", "--verify-cmd", run("verify"))
    assert ended.code == 0, ended
    assert trap.sprung == ["verify", "pre-push"]
    assert not (clone.path / "x").exists()


@pytest.mark.parametrize("name", [".homelab.toml", "Makefile", "package.json"])
def test_a_tracked_link_to_a_device_is_not_a_file(trap: HookTrap, name: str) -> None:
    """It would never end."""
    (trap.sandbox.clone.path / name).symlink_to("/dev/zero")
    ended = trap.sandbox.shell("homelab", "doctor")
    assert "a fault of" not in ended.err
    assert ended.code in {0, 20}, ended


@pytest.mark.parametrize("argv", [("hooks", "status"), ("doctor",), ("hooks", "install")], ids=" ".join)
def test_a_hook_that_is_a_link_to_a_pipe_is_not_waited_for(trap: HookTrap, argv: tuple[str, ...]) -> None:
    """A hooks folder may be tracked; a program that opened such a link would block for ever."""
    pipe = trap.sandbox.folder / "kept/pipe"
    os.mkfifo(pipe)
    (trap.sandbox.clone.path / ".husky").mkdir()
    trap.sandbox.configure("core.hooksPath", ".husky")
    for name in ("pre-push", "reference-transaction", "post-push"):
        (trap.sandbox.clone.path / ".husky" / name).symlink_to(pipe)
    ended = trap.sandbox.shell("homelab", *argv)
    assert "a fault of" not in ended.err
    assert ended.code in {0, 20}, ended
