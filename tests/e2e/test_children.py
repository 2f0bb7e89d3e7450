"""What a landing starts behaves as under plain git: its environment, its locale, its output; and ours stays ours."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.cli.shell import Shell
from tests.waiting import HANG_S

pytestmark = pytest.mark.slow

LAND = ("git-land", "--output", "plain", "--no-ci-watch")
OURS = {"HOMELAB_IN_LAND", "GIT_TEXTDOMAINDIR"}
"""what git's hooks see in addition: HOMELAB_IN_LAND, and that git prints no translations"""
WITHOUT_A_TERMINAL = {"GCM_INTERACTIVE", "SSH_ASKPASS_REQUIRE", "GIT_TERMINAL_PROMPT", "GIT_CONFIG_PARAMETERS"}
"""what keeps ssh and credential helpers from a prompt that could not be answered"""
GITS_OWN = {"GIT_EXEC_PATH", "GIT_PUSH_OPTION_COUNT", "GIT_PREFIX", "GIT_DIR", "OLDPWD", "_", "SHLVL", "PWD"}


@pytest.fixture
def shell(seal: dict[str, str], ann: Clone) -> Shell:
    return Shell(seal, ann.path)


def variables(file: Path) -> dict[str, str]:
    """What `env -0` wrote."""
    pairs = (entry.partition("=") for entry in file.read_text().split("\0") if entry)
    return {name: value for name, _, value in pairs if name not in GITS_OWN}


ENVIRONMENTS: dict[str, dict[str, str]] = {
    "locale in LC_ALL": {"LC_ALL": "C.UTF-8", "LANGUAGE": "de"},
    "locale in LANG": {"LANG": "C.UTF-8"},
    "parts of a locale": {"LC_CTYPE": "C.UTF-8", "LC_MESSAGES": "C"},
    "an editor": {"GIT_EDITOR": "nano", "GIT_SEQUENCE_EDITOR": "vi"},
    "Python's": {"PYTHONPATH": ".", "PYTHONSTARTUP": "x.py", "PYTHONDONTWRITEBYTECODE": "1"},
    "GitPython's git": {"GIT_PYTHON_GIT_EXECUTABLE": "/nonexistent/git"},
    "GitPython's messages": {"GIT_PYTHON_REFRESH": "quiet", "GIT_PYTHON_TRACE": "full"},
    "no locale": {},
    "an ASCII locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}  # fmt: skip


@pytest.mark.parametrize("which", ENVIRONMENTS)
def test_hooks_and_the_verification_see_the_users_own_environment(
    workshop: ScratchRepositories, ann: Clone, which: str
) -> None:
    environ = ENVIRONMENTS[which]
    seen = workshop.folder / "seen"
    seal = {name: value for name, value in workshop.environ.items() if name != "LC_ALL"}
    workshop.write_hook("pre-push", f'cat >/dev/null\nenv -0 >"{seen}"', where=ann.path / ".git/hooks")
    Clone(ann.path, {**seal, **environ}).git("push", "--quiet", "origin", "HEAD:plain")
    plain = {name: value for name, value in variables(seen).items() if name not in WITHOUT_A_TERMINAL}

    done = Shell({**seal, **environ}, ann.path)(*LAND, "--verify-cmd", f'env -0 >"{seen}-verify"')

    assert done.code == 0, done.err
    landed = variables(seen)
    assert {name: value for name, value in landed.items() if name not in OURS | WITHOUT_A_TERMINAL} == plain
    verified = variables(Path(f"{seen}-verify"))
    assert verified == {**seal, **environ, "HOMELAB_IN_LAND": "1"}


SHADOWS = ("git", "httpx", "stamina", "rich", "yaml", "json", "selectors", "shutil")


@pytest.mark.parametrize("path", [".", "", "src:.", "{clone}", "{clone}/lib/..", "/nonexistent:."])
def test_no_module_of_the_repository_is_imported(shell: Shell, ann: Clone, path: str) -> None:
    for name in SHADOWS:
        ann.write(f"{name}.py", f"raise SystemExit('{name}.py of the repository ran')\n")
    ann.git("add", ".")
    ann.git("commit", "--quiet", "-m", "modules")
    done = shell(*LAND, "--verify-cmd", "true", PYTHONPATH=path.format(clone=ann.path) or ":")
    assert (done.code, "of the repository" in done.err + done.out) == (0, False), done.err
    assert shell("homelab", "hooks", "status", PYTHONPATH=".").code == 0


def test_a_module_of_the_repository_is_not_imported_from_a_directory_below(shell: Shell, ann: Clone) -> None:
    ann.write("git.py", "raise SystemExit('git.py of the repository ran')\n")
    ann.write("below/x", "x")
    ann.git("add", ".")
    ann.git("commit", "--quiet", "-m", "modules")
    done = shell(*LAND, "--verify-cmd", "true", at=ann.path / "below", PYTHONPATH="..")
    assert done.code == 0, done.err


@pytest.mark.parametrize("fault", ["ValueError", "OSError", "UnicodeError", "RecursionError", "MemoryError"])
def test_a_fault_before_the_push_is_a_refusal(shell: Shell, tmp_path: Path, fault: str) -> None:
    """8 would mean that the commit may have been pushed. A finder that fails stands for a dependency that is broken."""
    finder = f"class Broken:\n def find_spec(self, name, *_):\n  if name == 'git': raise {fault}('broken')\n"
    (tmp_path / "sitecustomize.py").write_text(f"import sys\n{finder}sys.meta_path.insert(0, Broken())\n")
    done = shell(*LAND, "--verify-cmd", "true", PYTHONPATH=str(tmp_path))
    assert (done.code, done.result["landed"]) == (20, "no"), done.err


def catalog(words: dict[str, str]) -> bytes:
    """A gettext catalog (.mo) of these translations."""
    words = {"": "Content-Type: text/plain; charset=UTF-8\n", **words}
    ids, offsets, strings = sorted(words), [], b""
    for text in (*ids, *(words[key] for key in ids)):
        raw = text.encode()
        offsets.append((len(raw), len(strings)))
        strings += raw + b"\0"
    count, head = len(ids), 28
    start = head + 16 * count
    table = b"".join(struct.pack("<II", size, start + at) for size, at in offsets)
    return struct.pack("<7I", 0x950412DE, 0, count, head, head + 8 * count, 0, 0) + table + strings


def test_gits_messages_are_read_whatever_language_it_speaks(shell: Shell, ann: Clone, tmp_path: Path) -> None:
    folder = tmp_path / "locale/xx/LC_MESSAGES"
    folder.mkdir(parents=True)
    words = {"couldn't find remote ref %s": "kein %s dort", "fatal: ": "fatal: "}
    (folder / "git.mo").write_bytes(catalog(words))
    foreign = {"LC_ALL": "C.UTF-8", "LANGUAGE": "xx", "GIT_TEXTDOMAINDIR": str(tmp_path / "locale")}
    said = Shell({**shell.environ, **foreign, "PATH": os.environ["PATH"]}, ann.path)
    done = said(*LAND, "--verify-cmd", "true", "--onto", "nowhere")
    assert done.code == 20, done.err
    assert "there is no branch origin/nowhere" in done.err


def test_what_ssh_and_helpers_print_while_a_remote_is_asked_is_shown_as_it_comes(
    shell: Shell, workshop: ScratchRepositories, ann: Clone, tmp_path: Path
) -> None:
    """Before the fetch, for the remote's HEAD. The person acts on what is read here from the command's output."""
    touched = tmp_path / "touched"
    ssh = tmp_path / "ssh"
    wait = f"while [ ! -e {touched} ]; do sleep 0.02; done; rm {touched}"
    ssh.write_text(f"#!/bin/sh\nfor last; do :; done\nprintf 'Enter code AB-12: ' >&2\n{wait}\nexec sh -c \"$last\"\n")
    ssh.chmod(0o755)
    ann.git("remote", "set-url", "origin", f"ssh://git.example.test{workshop.bare_path}")
    ann.git("config", "core.sshCommand", str(ssh))
    ann.git("config", "ssh.variant", "simple")
    ann.git("remote", "set-head", "origin", "--delete")
    with shell.start(*LAND, "--no-verify") as child:
        assert child.stderr is not None
        sources = []
        for line in child.stderr:
            if b"Enter code AB-12:" in line:
                sources.append(line.split(b" |")[0].decode())
                touched.touch()
        assert child.wait(HANG_S) == 0
    assert list(dict.fromkeys(sources)) == ["git", "fetch", "push"]


@pytest.mark.parametrize("name", ["topic-äöü", "тема", "主题"])
@pytest.mark.parametrize("which", ["C", "POSIX", "ASCII", "unset"])
def test_names_that_are_not_ascii_land_in_every_locale(shell: Shell, ann: Clone, name: str, which: str) -> None:
    ann.git("branch", "-m", name)
    ann.commit(name)
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environ = ascii_only if which == "ASCII" else {} if which == "unset" else {"LC_ALL": which}
    checks = f"test -e {name}"
    directory = ann.path.rename(ann.path.with_name(name))
    known = Shell({**shell.environ, **environ}, directory)
    done = known(*LAND, "--verify-cmd", checks)
    assert (done.code, done.result["landed"]) == (0, "yes"), done.err
    started = known("homelab", "work", "start", name)
    assert started.code == 0, started.err
